//! The public keys of the tokens, for services that verify them without a call.

use actix_web::get;
use utoipa::ToSchema;

use crate::{
    Answer, Shared,
    etag::{self, IfNoneMatch},
};

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, ToSchema)]
pub struct KeySet {
    /// The keys, oldest first; a token names the one that signed it by `kid`.
    pub keys: Vec<PublicKey>,
}

/// The public part of an Ed25519 key (RFC 8037).
#[derive(Debug, ToSchema)]
pub struct PublicKey {
    /// Always `OKP`.
    #[schema(example = "OKP")]
    pub kty: String,
    /// Always `Ed25519`.
    #[schema(example = "Ed25519")]
    pub crv: String,
    /// Always `EdDSA`.
    #[schema(example = "EdDSA")]
    pub alg: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub usage: String,
    /// The name of the key, as in the header of a token.
    #[schema(example = "1")]
    pub kid: String,
    /// The key: 32 bytes in base64url.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    pub x: String,
}

/// Reads the public keys that access tokens are verified with.
#[utoipa::path(
    tag = "auth",
    params(IfNoneMatch),
    responses(
        (status = 200, description = "The keys", body = KeySet, headers(
            ("Cache-Control" = String, description = "How long they may be kept"),
            ("ETag" = String, description = "For If-None-Match"),
        )),
        IfNoneMatch,
    )
)]
#[get("/.well-known/jwks.json")]
pub async fn get_jwks(services: Shared, known: IfNoneMatch) -> Answer {
    // Short, so that a new key is known everywhere soon after it signs.
    etag::read_cached(&known, None, &(services.jwks)(), "public, max-age=300")
}
