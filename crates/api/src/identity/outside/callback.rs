//! `/oauth/{provider}/callback`: where providers send browsers back to. It is called by their pages, not by programs, so it stands
//! beside the document, and takes whatever else they add.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header},
    web::{self, Bytes, BytesMut, Payload},
};
use domain::identity::outside::{self, Answered};
use futures_util::StreamExt as _;
use serde_json::Value;

use super::{browser::Browser, parameters::Named};
use crate::{
    Answer, Services, Shared,
    problem::{In, Problem},
    query::Query,
};

/// The path of the callback.
const PATH: &str = "/oauth/{provider}/callback";
/// Most bytes of a posted answer.
const FORM: usize = 64 * 1024;

/// The routes: method, path, operation.
pub const ROUTES: [(Method, &str, &str); 2] =
    [(Method::GET, PATH, "hear_provider"), (Method::POST, PATH, "hear_provider")];

/// Serves them.
pub fn callbacks(config: &mut web::ServiceConfig) {
    config.route(PATH, web::get().to(by_address)).route(PATH, web::post().to(by_form));
}

async fn by_address(services: Shared, request: HttpRequest, provider: Named) -> Answer {
    hear(&services, &request, &provider, Query::parse(request.query_string())).await
}

/// The answer of a provider whose page posts it.
async fn by_form(services: Shared, request: HttpRequest, provider: Named, payload: Payload) -> Answer {
    let form = read(payload).await?;
    let form = std::str::from_utf8(&form).map_err(|_| malformed("The form must be UTF-8"))?;
    hear(&services, &request, &provider, Query::parse(form)).await
}

async fn read(mut payload: Payload) -> Result<Bytes, Problem> {
    let mut form = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| malformed("The form could not be read"))?;
        if form.len() + chunk.len() > FORM {
            let message = format!("The form must have at most {FORM} bytes");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        form.extend_from_slice(&chunk);
    }
    Ok(form.freeze())
}

fn malformed(message: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, message)
}

/// Goes on where the page waits that began.
async fn hear(services: &Services, request: &HttpRequest, provider: &Named, mut given: Query) -> Answer {
    let [state, code, error, issuer, user] = ["state", "code", "error", "iss", "user"].map(|name| given.one(name));
    let Some(state) = state.filter(|_| given.violations.is_empty()) else {
        return Err(if given.violations.is_empty() {
            Problem::broken(In::Query, "state", "required", "is required")
        } else {
            Problem::invalid(In::Query, &given.violations)
        });
    };
    let name = user.as_deref().and_then(name_of);
    let answered = Answered {
        state: &state,
        code: code.as_deref(),
        error: error.as_deref(),
        issuer: issuer.as_deref(),
        name: name.as_deref(),
    };
    let kept = Browser::of(request.headers(), services.settings.https);
    let to = outside::hear_provider(&services.shop, &services.outside.gate, &provider.0, answered, kept).await?;
    let mut response = HttpResponse::SeeOther();
    response
        .insert_header((header::LOCATION, to))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"));
    Ok(response.finish())
}

/// The name that Apple posts beside the code, the first time alone. The address beside it is signed by nobody.
fn name_of(user: &str) -> Option<String> {
    let user: Value = serde_json::from_str(user).ok()?;
    let parts: Vec<&str> =
        ["firstName", "lastName"].iter().filter_map(|part| user.get("name")?.get(part)?.as_str()).collect();
    Some(parts.join(" ").trim().to_owned()).filter(|name| !name.is_empty())
}
