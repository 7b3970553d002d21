//! What a push or a fetch has to bring and to take away.

use actix_web::{HttpRequest, HttpResponse, http::header};
use domain::{
    assets::lfs::{Deed, OBJECTS_MOST, Operation, Wanted, plan},
    permission::WriteProducts,
};
use serde_json::{Map, Value, json};

use super::{
    address::{Of, base},
    bodies::{BatchRequest, ObjectBody, read, unprocessable},
    told,
};
use crate::{Answer, Shared, auth::Auth, body::JsonBody, problem::Problem};

/// Answers with what is to be done with each object, in the order they were named.
pub(super) async fn batch(
    auth: Auth<WriteProducts>,
    services: Shared,
    request: HttpRequest,
    at: Of,
    body: JsonBody,
) -> Answer {
    let asked: BatchRequest = read(&body)?;
    let operation = operation(&asked)?;
    let wanted = asked.objects.iter().map(wanted).collect::<Vec<_>>();
    let known: Vec<Wanted> = wanted.iter().filter_map(|one| one.as_ref().ok()).copied().collect();
    let (shop, assets) = (&services.shop, &services.assets);
    let planned = plan(shop, &assets.room, assets.libraries.as_ref(), &auth.0, &at.0, operation, &known).await?;
    let base = base(&request, &at.0, services.settings.https);
    // The client signed in for this answer, and is to be the same for what follows.
    let signed = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let mut planned = planned.into_iter();
    let objects: Vec<Value> = asked
        .objects
        .iter()
        .zip(&wanted)
        .filter_map(|(object, wanted)| match wanted {
            Ok(_) => planned.next().map(|(_, deed)| entry(object, deed, &base, signed)),
            Err(message) => Some(refused(object, 422, message)),
        })
        .collect();
    Ok(told(HttpResponse::Ok(), &json!({ "transfer": "basic", "objects": objects, "hash_algo": "sha256" })))
}

fn operation(asked: &BatchRequest) -> Result<Operation, Problem> {
    if !asked.transfers.is_empty() && !asked.transfers.iter().any(|one| one == "basic") {
        return Err(unprocessable("Only the transfer \"basic\" is known"));
    }
    if asked.hash_algo.as_deref().is_some_and(|one| one != "sha256") {
        // What the protocol says a server answers that knows others alone.
        return Err(Problem::new(actix_web::http::StatusCode::CONFLICT, "Only hash_algo \"sha256\" is known"));
    }
    if asked.objects.len() > OBJECTS_MOST {
        let message = format!("At most {OBJECTS_MOST} objects at once");
        return Err(Problem::new(actix_web::http::StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    match asked.operation.as_str() {
        "download" => Ok(Operation::Download),
        "upload" => Ok(Operation::Upload),
        _ => Err(unprocessable("operation must be download or upload")),
    }
}

fn wanted(object: &ObjectBody) -> Result<Wanted, &'static str> {
    let digest = object.oid.parse().map_err(|_| "oid must be a SHA-256 as 64 small hexadecimal digits")?;
    Ok(Wanted { digest, size: object.size })
}

fn refused(object: &ObjectBody, code: u16, message: &str) -> Value {
    json!({ "oid": object.oid, "size": object.size, "error": { "code": code, "message": message } })
}

fn entry(object: &ObjectBody, deed: Deed, base: &str, signed: Option<&str>) -> Value {
    let action = |path: String| {
        let mut header = Map::new();
        if let Some(signed) = signed {
            header.insert("Authorization".to_owned(), signed.into());
        }
        json!({ "href": path, "header": header })
    };
    let here = || action(format!("{base}/objects/{}", object.oid));
    let actions = match deed {
        Deed::Upload => json!({ "upload": here(), "verify": action(format!("{base}/objects/verify")) }),
        Deed::Download => json!({ "download": here() }),
        Deed::Nothing => return json!({ "oid": object.oid, "size": object.size, "authenticated": true }),
        Deed::Missing => return refused(object, 404, "It does not lie in this library"),
        Deed::OtherSize(size) => return refused(object, 422, &format!("It has {size} bytes")),
        Deed::TooLong(most) => return refused(object, 413, &format!("A file may have at most {most} bytes")),
    };
    json!({ "oid": object.oid, "size": object.size, "authenticated": true, "actions": actions })
}
