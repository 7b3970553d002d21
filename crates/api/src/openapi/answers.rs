//! What the layers answer for every operation, added to what each handler documents of itself.

use super::examples::Examples;
use serde_json::json;
use utoipa::{
    PartialSchema as _, ToSchema,
    openapi::{
        Content, Header, OpenApi, Ref, RefOr, Response, Schema,
        path::{Operation, ParameterIn, PathItem},
        schema::{AdditionalProperties, Components},
    },
};

/// An error.
#[derive(Debug, ToSchema)]
#[schema(as = Error)]
pub struct ErrorSchema {
    /// What happened.
    pub error: ErrorDetailSchema,
}

/// What happened, for programs and for people.
#[derive(Debug, ToSchema)]
#[schema(as = ErrorDetail)]
#[serde(rename_all = "camelCase")]
pub struct ErrorDetailSchema {
    /// What kind of error it is.
    #[schema(example = "VALIDATION_ERROR")]
    pub code: String,
    /// What happened and what would help.
    #[schema(example = "Validation failed")]
    pub message: String,
    /// What more there is to know, such as every field that breaks a rule.
    #[schema(value_type = Object, example = json!({"fields": [{"in": "body", "field": "/price", "rule": "min", "message": "must be greater than 0"}]}))]
    pub details: (),
    /// The id of the request, as in the log.
    #[schema(example = "0190f5fe-7c00-7a00-8000-0123456789ab")]
    pub request_id: String,
}

/// Adds to every operation the answers of the layers around it, and gives every error its body.
pub fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    components.schemas.insert(ErrorSchema::name().into_owned(), ErrorSchema::schema());
    components.schemas.insert(ErrorDetailSchema::name().into_owned(), ErrorDetailSchema::schema());
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            answers(operation);
            close(operation, components);
        }
    }
    let components = serde_json::to_value(&document.components).unwrap_or_default();
    let examples = Examples::of(&components);
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            show(operation, &examples);
        }
    }
}

/// Gives every body that has no example one.
fn show(operation: &mut Operation, examples: &Examples<'_>) {
    let asked = operation.request_body.as_mut().and_then(own).map(|body| body.content.values_mut());
    let answered = operation.responses.responses.iter_mut().filter(|(status, _)| status.starts_with('2'));
    let answered = answered.filter_map(|(_, response)| own(response)).flat_map(|one| one.content.values_mut());
    for content in asked.into_iter().flatten().chain(answered).filter_map(own) {
        if content.example.is_none() {
            let schema = serde_json::to_value(&content.schema).unwrap_or_default();
            content.example = Some(examples.body(&schema));
        }
    }
}

pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, patch, delete, .. } = item;
    [get, put, post, patch, delete].into_iter().flatten()
}

/// What is written in place, not a reference.
pub(super) fn own<T>(part: &mut RefOr<T>) -> Option<&mut T> {
    match part {
        RefOr::T(part) => Some(part),
        RefOr::Ref(_) => None,
    }
}

/// Says of a request's body that it takes no fields beside the declared ones (ruling R18).
fn close(operation: &mut Operation, components: &mut Components) {
    let Some(body) = operation.request_body.as_mut().and_then(own) else { return };
    for content in body.content.values_mut().filter_map(own) {
        let Some(RefOr::Ref(schema)) = &content.schema else { continue };
        let name = schema.ref_location.rsplit('/').next().unwrap_or_default();
        if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(name) {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
    }
}

fn answers(operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let public = operation.security.as_ref().is_none_or(|all| all.iter().any(|one| *one == <_>::default()));
    // Said aloud, so that forgetting it is told from meaning it.
    operation.security.get_or_insert_with(|| vec![<_>::default()]);
    let mut common = vec![
        ("400", "A field or parameter breaks a rule, or is not declared"),
        ("429", "Too many requests"),
        ("500", "A fault of ours"),
        ("503", "Something we stand on is away or too slow"),
    ];
    if has_body {
        common.push(("413", "The body is too large"));
        common.push(("415", "The body is not JSON in UTF-8"));
    }
    if !public {
        common.push(("401", "Nobody is signed in, or the token does not hold"));
        common.push(("403", "The role is too low, or the thing is another's"));
    }
    for (status, description) in common {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(Response::new(description)));
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        response.headers.insert("X-Request-Id".to_owned(), RefOr::T(Header::default()));
        if status == "401" {
            response.headers.insert("WWW-Authenticate".to_owned(), RefOr::T(Header::default()));
        }
        if status == "429" || status == "503" {
            response.headers.insert("Retry-After".to_owned(), RefOr::T(Header::default()));
        }
        if (status.starts_with('4') || status.starts_with('5')) && response.content.is_empty() {
            let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Error"))));
            response.content.insert("application/json".to_owned(), content.into());
        }
    }
    describe_parameters(operation);
}

/// What a header may hold. It takes no null: a header is there or not.
fn header(name: &str) -> serde_json::Value {
    match name {
        "If-Match" => json!({ "type": "string", "pattern": ENTITY_TAGS, "example": "*" }),
        "Idempotency-Key" => json!({ "type": "string", "pattern": "^[!-~]{1,255}$" }),
        // What is no entity tag matches nothing, and everything is sent.
        _ => json!({ "type": "string" }),
    }
}

/// `*`, or entity tags between commas; nothing at all fits no version.
const ENTITY_TAGS: &str = r#"^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)?$"#;

/// Header parameters are optional strings with a form.
fn describe_parameters(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        if parameter.parameter_in == ParameterIn::Header {
            parameter.schema = serde_json::from_value(header(&parameter.name)).ok();
        }
    }
}
