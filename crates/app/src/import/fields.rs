//! From a record to a product as input: what a cell means.

use domain::{
    Violations,
    catalog::{Category, ImportInput, ProductStatus},
    money::{Amount, Currency},
};
use serde_json::{Map, Value};

use super::columns::{Columns, Field};

/// Reads a record. What cannot be read goes to `violations`; whether it keeps the rules is asked later.
pub fn input(
    line: u64,
    fields: Map<String, Value>,
    columns: &Columns,
    currency: Currency,
    violations: &mut Violations,
) -> ImportInput {
    let mut input = ImportInput { line, ..ImportInput::default() };
    let describing: Vec<String> = columns
        .describing()
        .iter()
        .filter_map(|column| Some(fields.get(column)?.as_str()?.trim().to_owned()))
        .collect();
    if !describing.is_empty() {
        input.product.description = Some(describing.join(". "));
    }
    let mut rest = Map::new();
    for (column, value) in fields {
        match columns.field(&column) {
            None => {
                if !value.is_null() {
                    rest.insert(column, value);
                }
            }
            Some(Field::Category) => {
                let (path, others) = category(&column, &value);
                input.category = Some(path);
                if others {
                    // A product is in one category; the others it was in are kept in sight.
                    rest.insert(column, value);
                }
            }
            Some(_) if value.is_null() => {}
            Some(field) => set(&mut input, field, value, currency, violations),
        }
    }
    match &mut input.metadata {
        Some(metadata) => metadata.extend(rest),
        None if !rest.is_empty() => input.metadata = Some(rest),
        None => {}
    }
    input
}

fn set(input: &mut ImportInput, field: Field, value: Value, currency: Currency, violations: &mut Violations) {
    let product = &mut input.product;
    match field {
        Field::Sku => product.sku = text("/sku", value, violations),
        Field::Name => product.name = text("/name", value, violations),
        Field::Description => product.description = text("/description", value, violations),
        Field::Price => product.price = text("/price", value, violations).map(|price| price.trim().to_owned()),
        Field::PriceMinor => {
            let minor = whole("/price", &value, violations);
            product.price = minor.map(|minor| currency.format(Amount(minor)));
        }
        Field::Stock => product.stock = whole("/stock", &value, violations),
        Field::Images => input.images = list("/images", value, violations),
        Field::Status => {
            product.status = value.as_str().and_then(ProductStatus::named);
            if product.status.is_none() {
                let names = ProductStatus::ALL.map(ProductStatus::name).join(", ");
                violations.add("/status", "one_of", format!("must be one of {names}"));
            }
        }
        Field::Metadata => input.metadata = object("/metadata", value, violations),
        Field::Category => {}
    }
}

fn text(field: &str, value: Value, violations: &mut Violations) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        // A sku or a price may come as a number.
        Value::Number(number) => Some(number.to_string()),
        _ => {
            violations.add(field, "type", "must be a text or a number");
            None
        }
    }
}

fn whole(field: &str, value: &Value, violations: &mut Violations) -> Option<i64> {
    let read = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    if read.is_none() {
        violations.add(field, "type", "must be a whole number");
    }
    read
}

/// A list, or a text with `;` between the items.
fn list(field: &str, value: Value, violations: &mut Violations) -> Option<Vec<String>> {
    let items = match value {
        Value::Array(items) => items,
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Array(items)) => items,
            _ => text.split(';').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect(),
        },
        other => vec![other],
    };
    let texts: Option<Vec<String>> = items.into_iter().map(|item| item.as_str().map(str::to_owned)).collect();
    if texts.is_none() {
        violations.add(field, "type", "must be a list of texts, or one text with ; between them");
    }
    texts
}

fn object(field: &str, value: Value, violations: &mut Violations) -> Option<Map<String, Value>> {
    let read = match value {
        Value::Object(map) => Some(map),
        Value::String(text) => serde_json::from_str(&text).ok(),
        _ => None,
    };
    if read.is_none() {
        violations.add(field, "type", "must be a JSON object");
    }
    read
}

/// The names on the way to a category, and whether the cell names others too. A text is a path. A list is the names of
/// one path in a column called `category`, and a list of paths, of which the first counts, in any other.
fn category(column: &str, value: &Value) -> (Vec<String>, bool) {
    match value {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(list @ Value::Array(_)) => category(column, &list),
            _ => (path(text), false),
        },
        Value::Array(items) if column == "category" => {
            (items.iter().filter_map(Value::as_str).map(str::to_owned).collect(), false)
        }
        Value::Array(items) => (items.first().and_then(Value::as_str).map(path).unwrap_or_default(), items.len() > 1),
        _ => (Vec::new(), false),
    }
}

/// The names of a path such as `people/body/head / face`: a slash between blanks belongs to the name.
fn path(text: &str) -> Vec<String> {
    let names = text.replace(" / ", "\0");
    names.split('/').map(|name| shortened(&name.trim().replace('\0', " / "))).filter(|name| !name.is_empty()).collect()
}

/// A name that is longer than a category's may be is cut: it is no reason to refuse the product.
fn shortened(name: &str) -> String {
    if name.chars().count() <= Category::NAME_MAX {
        return name.to_owned();
    }
    name.chars().take(Category::NAME_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::{Rules, catalog::ImportRow};
    use serde_json::json;

    use super::*;
    use crate::import::columns::Overrides;

    fn read(record: Value) -> (ImportInput, Vec<String>) {
        let Value::Object(fields) = record else { panic!("a record is an object") };
        let names: BTreeSet<String> = fields.keys().cloned().collect();
        let columns = Columns::of(&names, &Overrides::default()).unwrap();
        let mut violations = Violations::default();
        let input = input(1, fields, &columns, Currency::EUR, &mut violations);
        (input, violations.iter().map(|violation| violation.field.clone()).collect())
    }

    #[test]
    fn a_museum_record_becomes_a_product() {
        let (input, faults) = read(json!({
            "sku": "A1", "name": "The Preaching of Warning", "synthetic_price_minor": 159_884, "medium": "Graphite on paper",
            "dimensions": "343 x 467 mm", "category_paths": ["people/body/head / face", "people/adults/man, old"],
            "year": 1785, "inscription": null,
        }));
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(input.product.price.as_deref(), Some("1598.84"));
        assert_eq!(input.product.description.as_deref(), Some("Graphite on paper. 343 x 467 mm"));
        assert_eq!(input.category.clone().unwrap(), ["people", "body", "head / face"]);
        let metadata = input.metadata.as_ref().unwrap();
        assert_eq!((&metadata["year"], metadata.get("inscription")), (&json!(1785), None));
        assert_eq!(metadata["category_paths"].as_array().unwrap().len(), 2);
        let _: ImportRow = input.check(&Rules::default()).unwrap();
    }

    #[test]
    fn a_long_name_in_a_path_is_cut() {
        let names = path(&format!("art/{}", "x".repeat(101)));
        assert_eq!(names[1].chars().count(), Category::NAME_MAX);
        assert!(names[1].ends_with("x…"));
    }

    #[test]
    fn prices_stay_exact_and_cells_may_be_texts() {
        let (input, _) = read(json!({
            "sku": 10_002, "name": "Lamp", "price": 19.95, "stock": "7", "images": "https://a.example/1; https://a.example/2",
            "metadata": "{\"a\":1}", "category": ["home", "a/b"], "status": "draft",
        }));
        assert_eq!((input.product.sku.as_deref(), input.product.price.as_deref()), (Some("10002"), Some("19.95")));
        assert_eq!((input.product.stock, input.product.status), (Some(7), Some(ProductStatus::Draft)));
        assert_eq!(input.images.unwrap().len(), 2);
        assert_eq!(input.category.unwrap(), ["home", "a/b"]);
        assert_eq!(input.metadata.unwrap()["a"], 1);
    }

    #[test]
    fn what_cannot_be_read_is_told_by_field() {
        let (_, faults) = read(json!({
            "sku": "1", "name": ["x"], "price": true, "stock": 1.5, "images": [1], "metadata": "x", "status": "sold",
        }));
        assert_eq!(faults, ["/images", "/metadata", "/name", "/price", "/status", "/stock"]);
    }
}
