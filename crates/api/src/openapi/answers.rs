//! What the layers answer for every operation, added to what each handler documents of itself.

use super::examples::Examples;
use utoipa::{
    PartialSchema as _, ToSchema,
    openapi::{
        Content, Header, OpenApi, Ref, RefOr, Response, Schema,
        path::{Operation, PathItem},
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

/// Gives every body that has no example one, but for those of bytes, of which none tells anything.
fn show(operation: &mut Operation, examples: &Examples<'_>) {
    let asked = operation.request_body.as_mut().and_then(own).map(|body| body.content.iter_mut());
    let answered = operation.responses.responses.iter_mut().filter(|(status, _)| status.starts_with('2'));
    let answered = answered.filter_map(|(_, response)| own(response)).flat_map(|one| one.content.iter_mut());
    let legible = |kind: &str| kind == "application/json" || kind.starts_with("text/");
    let bodies = asked.into_iter().flatten().chain(answered).filter(|(kind, _)| legible(kind));
    for content in bodies.filter_map(|(_, content)| own(content)) {
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
    if takes(operation, "Idempotency-Key") {
        in_flight(operation);
    }
    let tagged = takes(operation, "If-None-Match");
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if tagged && status == "200" {
            response.headers.insert(
                "ETag".to_owned(),
                text("Its version, for If-None-Match, and for If-Match where it can be changed"),
            );
        }
        if status == "201" {
            response.headers.entry("Location".to_owned()).or_insert_with(|| text("Where to read it"));
        }
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
}

fn takes(operation: &Operation, header: &str) -> bool {
    let parameters = operation.parameters.iter().flatten();
    parameters.filter_map(|one| if let RefOr::T(one) = one { Some(one) } else { None }).any(|one| one.name == header)
}

/// A conflict of its own, or the one that a key in use is.
fn in_flight(operation: &mut Operation) {
    let conflict = operation.responses.responses.entry("409".to_owned());
    let own = conflict.or_insert_with(|| RefOr::T(Response::new("")));
    if let RefOr::T(response) = own {
        let own = std::mem::take(&mut response.description);
        let key = "request with this key is in flight";
        response.description = if own.is_empty() { format!("A {key}") } else { format!("{own}, or a {key}") };
    }
}

/// A header that is described in words.
fn text(description: &str) -> RefOr<Header> {
    let mut header = Header::new(String::schema());
    header.description = Some(description.to_owned());
    RefOr::T(header)
}
