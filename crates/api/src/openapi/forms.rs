//! The forms of values: a field names its form by `format`, and the document tells it in words that validators read.
//!
//! A rule stands here once, however many fields keep it; those that the operator sets are told as they are set.

use domain::{
    money::{AMOUNT_MAX, Amount, Currency},
    shop::Rules,
};
use serde_json::{Value, json};
use utoipa::openapi::{
    OpenApi, RefOr, Schema,
    schema::{AdditionalProperties, AllOf, AnyOf, ArrayItems, Object, OneOf, SchemaFormat},
};

/// One line: no control characters (`domain::text::line`).
const LINE: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";
/// One line that is not blank.
const NAME: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";
/// The name of a file: no folder, and more than dots and spaces (`domain::assets::files::FileName`).
const FILE_NAME: &str = r"^[^\x00-\x1f\x7f-\x9f/\\]*[^\s.\x00-\x1f\x7f-\x9f/\\][^\x00-\x1f\x7f-\x9f/\\]*$";
/// Text with line breaks and tabs (`domain::text::paragraph`).
const PARAGRAPH: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$";
/// An address of the web: scheme, host, and no character that ends one in a page.
const WEB_ADDRESS: &str = r#"^https?://[^\s<>"\\/?#\x00-\x1f\x7f-\x9f][^\s<>"\\\x00-\x1f\x7f-\x9f]*$"#;

/// What a form means in a JSON schema; `None` when it is a format of the standard.
fn meaning(form: &str, rules: &Rules) -> Option<Value> {
    Some(match form {
        "line" => json!({ "pattern": LINE }),
        "name" => json!({ "pattern": NAME }),
        "file-name" => json!({ "pattern": FILE_NAME }),
        "product-name" => json!({ "pattern": NAME, "minLength": rules.name_min, "maxLength": rules.name_max }),
        "paragraph" => json!({ "pattern": PARAGRAPH }),
        "web-address" => json!({ "pattern": WEB_ADDRESS }),
        "price" => amounts(rules.currency, Amount(1)),
        "price-bound" => amounts(rules.currency, Amount(-AMOUNT_MAX)),
        _ => return None,
    })
}

/// Amounts of a currency in major units, from `least` to the highest.
fn amounts(currency: Currency, least: Amount) -> Value {
    let number = |amount| serde_json::from_str::<Value>(&currency.format(amount)).unwrap_or_default();
    json!({ "minimum": number(least), "maximum": number(Amount(AMOUNT_MAX)), "multipleOf": number(Amount(1)) })
}

/// Puts the meaning of each form in the place of its name.
pub fn tell(document: &mut OpenApi, rules: &Rules) {
    let components = document.components.iter_mut().flat_map(|components| components.schemas.values_mut());
    let parameters = document.paths.paths.values_mut().flat_map(super::answers::operations);
    let parameters = parameters.flat_map(|operation| operation.parameters.iter_mut().flatten());
    let parameters = parameters.filter_map(|parameter| super::answers::own(parameter)?.schema.as_mut());
    for schema in components.chain(parameters) {
        tell_schema(schema, rules);
    }
}

fn tell_schema(schema: &mut RefOr<Schema>, rules: &Rules) {
    if let RefOr::T(schema) = schema {
        tell_own(schema, rules);
    }
}

fn tell_own(schema: &mut Schema, rules: &Rules) {
    match schema {
        Schema::Object(object) => tell_object(object, rules),
        Schema::Array(array) => {
            array.prefix_items.iter_mut().for_each(|item| tell_own(item, rules));
            if let ArrayItems::RefOrSchema(item) = &mut array.items {
                tell_schema(item, rules);
            }
        }
        Schema::OneOf(OneOf { items, .. })
        | Schema::AllOf(AllOf { items, .. })
        | Schema::AnyOf(AnyOf { items, .. }) => {
            for item in items {
                tell_schema(item, rules);
            }
        }
        _ => {}
    }
}

fn tell_object(object: &mut Object, rules: &Rules) {
    object.properties.values_mut().for_each(|property| tell_schema(property, rules));
    if let Some(AdditionalProperties::RefOr(property)) = object.additional_properties.as_deref_mut() {
        tell_schema(property, rules);
    }
    if let Some(names) = object.property_names.as_deref_mut() {
        tell_own(names, rules);
    }
    let Some(SchemaFormat::Custom(form)) = &object.format else { return };
    if let (Some(Value::Object(words)), Ok(Value::Object(mut whole))) =
        (meaning(form, rules), serde_json::to_value(&*object))
    {
        whole.remove("format");
        whole.extend(words);
        // It is not written where any will do, and is not read without it.
        whole.insert("type".to_owned(), json!("object"));
        if let Ok(mut told) = serde_json::from_value::<Object>(Value::Object(whole)) {
            told.schema_type = object.schema_type.clone();
            *object = told;
        }
    }
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::schema::{Array, SchemaType, Type};

    use super::*;

    fn told(rules: &Rules, schema: &str, field: &str) -> Value {
        let document = serde_json::to_value(crate::openapi(rules)).unwrap();
        document["components"]["schemas"][schema]["properties"][field].clone()
    }

    #[test]
    fn prices_end_with_the_minor_unit_of_the_shop() {
        for (code, step, most) in
            [("EUR", "0.01", "999999999999.99"), ("KWD", "0.001", "99999999999.999"), ("JPY", "1", "99999999999999")]
        {
            let rules = Rules { currency: Currency::named(code).unwrap(), ..Rules::default() };
            let price = told(&rules, "ProductPatch", "price");
            let words = ["minimum", "multipleOf", "maximum"].map(|word| price[word].as_f64());
            assert_eq!(words, [step, step, most].map(|number| number.parse().ok()), "{code}");
        }
    }

    #[test]
    fn names_are_as_long_as_the_shop_allows() {
        let rules = Rules { name_min: 1, name_max: 250, ..Rules::default() };
        let name = told(&rules, "NewProduct", "name");
        assert_eq!((&name["minLength"], &name["maxLength"]), (&json!(1), &json!(250)));
    }

    #[test]
    fn a_form_is_told_wherever_it_stands_and_beside_what_has_no_type() {
        let line = || Object::builder().schema_type(Type::String).format(Some(SchemaFormat::Custom("line".to_owned())));
        let any = || Object::builder().schema_type(SchemaType::AnyValue);
        let typeless = any().format(Some(SchemaFormat::Custom("line".to_owned()))).description(Some("Any"));
        let whole = Object::builder()
            .property("any", any().description(Some("What will do")))
            .property("own", line())
            .property("typeless", typeless)
            .property("list", Array::builder().items(line()))
            .property("map", Object::builder().additional_properties(Some(Schema::from(line().build()))))
            .property("one", OneOf::builder().item(line()).item(any()))
            .property("all", AllOf::builder().item(line()))
            .property("either", AnyOf::builder().item(line()));
        let mut schema = RefOr::T(Schema::from(whole.build()));
        tell_schema(&mut schema, &Rules::default());
        let told = serde_json::to_value(&schema).unwrap();
        for place in [
            "own",
            "typeless",
            "list/items",
            "map/additionalProperties",
            "one/oneOf/0",
            "all/allOf/0",
            "either/anyOf/0",
        ] {
            let told = told.pointer(&format!("/properties/{place}")).unwrap();
            assert_eq!((&told["pattern"], &told["format"]), (&json!(LINE), &Value::Null), "{place}: {told}");
        }
        assert_eq!(told["properties"]["any"], json!({ "description": "What will do" }));
        assert_eq!(told["properties"]["typeless"], json!({ "description": "Any", "pattern": LINE }));
        assert_eq!(told["properties"]["own"]["type"], "string");
    }

    /// A form that nobody explains would say nothing to anybody.
    #[test]
    fn every_form_has_a_meaning() {
        fn walk(value: &Value, known: &[&str]) {
            match value {
                Value::Array(items) => items.iter().for_each(|item| walk(item, known)),
                Value::Object(map) => {
                    if let Some(Value::String(format)) = map.get("format") {
                        assert!(known.contains(&format.as_str()), "{format}");
                    }
                    map.values().for_each(|value| walk(value, known));
                }
                _ => {}
            }
        }
        let standard = ["uuid", "date-time", "email", "password", "uri", "int32", "int64", "float", "double", "binary"];
        walk(&serde_json::to_value(crate::openapi(&Rules::default())).unwrap(), &standard);
    }
}
