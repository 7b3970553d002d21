//! The bodies of the protocol. What a later version of it adds is not looked at.

use actix_web::http::StatusCode;
use domain::assets::lfs::NamedLock;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{body::JsonBody, problem::Problem};

/// Reads a body.
///
/// # Errors
/// 422, with what is wrong with it.
pub(super) fn read<T: DeserializeOwned>(body: &JsonBody) -> Result<T, Problem> {
    serde_json::from_slice(body.bytes())
        .map_err(|fault| unprocessable(format!("The body is not what it should be: {fault}")))
}

/// The refusal of what the protocol does not know.
pub(super) fn unprocessable(message: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, message)
}

/// What a client wants to do with which objects.
#[derive(Debug, Deserialize)]
pub(super) struct BatchRequest {
    pub(super) operation: String,
    #[serde(default)]
    pub(super) transfers: Vec<String>,
    pub(super) hash_algo: Option<String>,
    pub(super) objects: Vec<ObjectBody>,
}

/// An object.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct ObjectBody {
    pub(super) oid: String,
    pub(super) size: u64,
}

/// A file that is to be locked.
#[derive(Debug, Deserialize)]
pub(super) struct LockRequest {
    pub(super) path: String,
}

/// How a lock is to be let go.
#[derive(Debug, Default, Deserialize)]
pub(super) struct UnlockRequest {
    #[serde(default)]
    pub(super) force: bool,
}

/// From where on locks are listed, and how many.
#[derive(Debug, Default, Deserialize)]
pub(super) struct LocksRequest {
    pub(super) cursor: Option<String>,
    pub(super) limit: Option<u32>,
}

/// A lock.
#[derive(Debug, Serialize)]
pub(super) struct LockBody {
    id: String,
    path: String,
    locked_at: String,
    owner: OwnerBody,
}

#[derive(Debug, Serialize)]
struct OwnerBody {
    name: String,
}

impl From<&NamedLock> for LockBody {
    fn from(named: &NamedLock) -> Self {
        Self {
            id: named.lock.id.to_string(),
            path: named.lock.path.as_str().to_owned(),
            locked_at: named.lock.locked_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            owner: OwnerBody { name: named.owner_name.clone() },
        }
    }
}
