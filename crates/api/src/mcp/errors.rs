//! Refusals in the form of this protocol, which is that of JSON-RPC 2.0.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use crate::problem::Problem;

/// A refusal by a code of JSON-RPC, in answer to the message of that id.
pub(super) fn refusal(code: i32, id: Value, message: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, message).detail("rpcCode", code.into()).detail("rpcId", id)
}

/// The body of an error of this protocol.
pub fn body(problem: &Problem) -> Vec<u8> {
    let detail = |name: &str| problem.details().get(name).cloned();
    let code = detail("rpcCode").unwrap_or_else(|| match problem.status().as_u16() {
        500.. => (-32603).into(),
        // What the protocol leaves to whoever serves it.
        401 | 403 | 429 => (-32000).into(),
        _ => (-32600).into(),
    });
    let data = json!({ "status": problem.status().as_u16(), "code": problem.code() });
    let error = json!({ "code": code, "message": problem.message(), "data": data });
    json!({ "jsonrpc": "2.0", "id": detail("rpcId"), "error": error }).to_string().into_bytes()
}
