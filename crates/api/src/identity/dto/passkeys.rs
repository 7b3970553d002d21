//! Passkeys as JSON. What browsers are given and make is in the form of the W3C (Web Authentication, Level 3).

use chrono::{DateTime, Utc};
use domain::identity::{
    Passkey,
    passkeys::{Begun, NewPasskey, PasskeyAnswer, passkey_name},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::session::{Mode, mode};
use crate::body::Fields;

/// A passkey, without its key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Passkey)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyView {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    #[schema(example = "Phone")]
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When somebody last signed in by it.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl From<&Passkey> for PasskeyView {
    fn from(passkey: &Passkey) -> Self {
        let (created_at, last_used_at) = (passkey.created_at, passkey.last_used_at);
        Self { id: passkey.id.0, name: passkey.name.clone(), created_at, last_used_at }
    }
}

/// A ceremony that has begun.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyCeremony {
    /// What is sent back with the answer of the browser. It is good once.
    #[schema(example = "01a9c4")]
    pub ceremony: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// The options in the JSON form of the W3C, for `PublicKeyCredential.parseCreationOptionsFromJSON` or
    /// `parseRequestOptionsFromJSON`.
    #[schema(value_type = Object, example = json!({ "challenge": "AQID", "rpId": "shop.example", "userVerification": "required" }))]
    pub public_key: Value,
}

impl From<Begun> for PasskeyCeremony {
    fn from(begun: Begun) -> Self {
        Self { ceremony: begun.ceremony, expires_at: begun.expires_at, public_key: begun.options }
    }
}

/// What makes a passkey.
#[derive(Debug, ToSchema)]
#[schema(as = NewPasskey)]
pub struct PasskeyBody {
    /// What `POST /api/v1/users/me/passkeys/options` gave.
    #[schema(example = "01a9c4", pattern = "^[0-9a-f]{2,8000}$")]
    pub ceremony: String,
    /// What the browser made of it, as `PublicKeyCredential.toJSON()` writes it.
    #[schema(value_type = Object, example = json!({ "id": "AQID", "rawId": "AQID", "type": "public-key", "response": {}, "clientExtensionResults": {} }))]
    pub credential: (),
    /// What to call it; by what the browser calls itself when absent.
    #[schema(example = "Phone", min_length = 1, max_length = 100, format = "name")]
    pub name: Option<String>,
}

/// Reads a [`PasskeyBody`]; without a name it is called so.
pub fn new_passkey(fields: &mut Fields<'_>, otherwise: &str) -> Option<NewPasskey> {
    let (ceremony, credential, name) = (required_ceremony(fields), credential(fields), fields.text("name"));
    let name = fields.violations.check("/name", passkey_name(name.as_deref().unwrap_or(otherwise)));
    Some(NewPasskey { ceremony: ceremony?, credential: credential?, name: name? })
}

/// Another name for a passkey.
#[derive(Debug, ToSchema)]
#[schema(as = PasskeyPatch)]
pub struct PasskeyPatchBody {
    /// What to call it.
    #[schema(example = "Old phone", min_length = 1, max_length = 100, format = "name")]
    pub name: String,
}

/// Reads a [`PasskeyPatchBody`].
pub fn other_name(fields: &mut Fields<'_>) -> Option<String> {
    fields.of_a_change();
    match fields.text("name") {
        Some(name) => fields.violations.check("/name", passkey_name(&name)),
        None if fields.violations.is_empty() => fields.violations.missing("/name"),
        None => None,
    }
}

/// What signs a person in with a passkey.
#[derive(Debug, ToSchema)]
pub struct PasskeyLoginRequest {
    /// What `POST /api/v1/auth/passkeys/options` gave.
    #[schema(example = "01a9c4", pattern = "^[0-9a-f]{2,8000}$")]
    pub ceremony: String,
    /// What the browser made of it, as `PublicKeyCredential.toJSON()` writes it.
    #[schema(value_type = Object, example = json!({ "id": "AQID", "rawId": "AQID", "type": "public-key", "response": {}, "clientExtensionResults": {} }))]
    pub credential: (),
    /// How the tokens come back, as with a password.
    #[schema(example = "bearer")]
    pub mode: Option<Mode>,
}

/// Reads a [`PasskeyLoginRequest`].
pub fn passkey_login(fields: &mut Fields<'_>) -> Option<(PasskeyAnswer, Mode)> {
    let (ceremony, credential, mode) = (required_ceremony(fields), credential(fields), mode(fields));
    Some((PasskeyAnswer { ceremony: ceremony?, credential: credential? }, mode))
}

/// A ceremony, where one is given.
pub(super) fn ceremony(fields: &mut Fields<'_>) -> Option<String> {
    let text = fields.text("ceremony")?;
    if (2..=8000).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Some(text);
    }
    fields.violations.add("/ceremony", "pattern", "must be what the beginning of the ceremony gave");
    None
}

fn required_ceremony(fields: &mut Fields<'_>) -> Option<String> {
    let ceremony = ceremony(fields);
    if ceremony.is_none() && !fields.violations.iter().any(|one| one.field == "/ceremony") {
        return fields.violations.missing("/ceremony");
    }
    ceremony
}

fn credential(fields: &mut Fields<'_>) -> Option<Value> {
    match fields.object("credential") {
        Some(credential) => Some(credential.into()),
        None if fields.violations.iter().any(|one| one.field == "/credential") => None,
        None => fields.violations.missing("/credential"),
    }
}
