//! Second factors as JSON, and proving anew who one is.

use chrono::{DateTime, Utc};
use domain::identity::{
    Challenge, Client, Password, SecondFactorLogin,
    factors::{Anew, Enrolment, RecoveryCodes, Renewed, ports::Ways},
    passkeys::PasskeyAnswer,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    passkeys::ceremony,
    session::{Mode, mode},
};
use crate::body::Fields;

/// What a sign-in is answered with whose account has a second factor. There is no token in it yet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PendingSignIn {
    /// What is to be proved too.
    pub second_factor: SecondFactor,
}

/// What is to be proved too.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecondFactor {
    /// What the code is sent with. It is good once, and for five tries.
    #[schema(example = "souk_2f_5f0c9a3e7b1d4c8f2a6e0b9d3c7f1a5e8d2b6c0f4a9e3d7b1c5f8a2e6d0b4c9f")]
    pub challenge: String,
    /// By what: `totp`, the code of an authenticator app, or `recovery`, a recovery code.
    #[schema(example = json!(["totp", "recovery"]), value_type = Vec<String>)]
    pub methods: [&'static str; 2],
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl From<&Challenge> for PendingSignIn {
    fn from(challenge: &Challenge) -> Self {
        let (text, expires_at) = (challenge.text.clone(), challenge.expires_at);
        Self { second_factor: SecondFactor { challenge: text, methods: ["totp", "recovery"], expires_at } }
    }
}

/// What signs a person in who has proved one factor.
#[derive(Debug, ToSchema)]
pub struct SecondFactorRequest {
    /// The challenge that the sign-in was answered with.
    #[schema(
        example = "souk_2f_5f0c9a3e7b1d4c8f2a6e0b9d3c7f1a5e8d2b6c0f4a9e3d7b1c5f8a2e6d0b4c9f",
        pattern = "^souk_2f_[0-9a-f]{64}$"
    )]
    pub challenge: String,
    /// The six digits of the app, or a recovery code.
    #[schema(example = "012345", min_length = 6, max_length = 32)]
    pub code: String,
    /// How the tokens come back, as with a password.
    #[schema(example = "bearer")]
    pub mode: Option<Mode>,
}

/// Reads a [`SecondFactorRequest`] of this client.
pub fn second_factor(fields: &mut Fields<'_>, client: Client) -> Option<(SecondFactorLogin, Mode)> {
    let (challenge, code, mode) = (challenge(fields), required_code(fields), mode(fields));
    Some((SecondFactorLogin { challenge: challenge?, code: code?, client }, mode))
}

fn challenge(fields: &mut Fields<'_>) -> Option<String> {
    let Some(text) = fields.text("challenge") else { return fields.violations.missing("/challenge") };
    let digits = text.strip_prefix("souk_2f_").filter(|digits| digits.len() == 64);
    if digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))) {
        return Some(text);
    }
    fields.violations.add("/challenge", "pattern", "must be the challenge that the sign-in was answered with");
    None
}

/// A code, where one is given.
fn code(fields: &mut Fields<'_>) -> Option<String> {
    let code = fields.text("code")?;
    if (6..=32).contains(&code.chars().count()) {
        return Some(code);
    }
    fields.violations.add("/code", "length", "must be the six digits of the app, or a recovery code");
    None
}

fn required_code(fields: &mut Fields<'_>) -> Option<String> {
    let code = code(fields);
    if code.is_none() && !fields.violations.iter().any(|one| one.field == "/code") {
        return fields.violations.missing("/code");
    }
    code
}

/// A code of an authenticator app.
#[derive(Debug, ToSchema)]
pub struct TotpCode {
    /// The six digits that the app shows.
    #[schema(example = "012345", min_length = 6, max_length = 32)]
    pub code: String,
}

/// Reads a [`TotpCode`].
pub fn totp_code(fields: &mut Fields<'_>) -> Option<String> {
    required_code(fields)
}

/// An authenticator app to be confirmed. What stands here is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TotpEnrolment {
    /// The secret, to be typed into an app.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    pub secret: String,
    /// The same as an address, to be shown as a picture that apps read.
    #[schema(
        example = "otpauth://totp/Souk:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Souk&algorithm=SHA1&digits=6&period=30"
    )]
    pub otpauth_url: String,
}

impl From<Enrolment> for TotpEnrolment {
    fn from(enrolment: Enrolment) -> Self {
        Self { secret: enrolment.secret, otpauth_url: enrolment.address }
    }
}

/// Recovery codes, each of which stands in for the app once. They are shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewRecoveryCodes {
    /// The codes.
    #[schema(example = json!(["k3fw-9qtm-2hzb", "w7ra-x0nd-5cpe"]))]
    pub recovery_codes: Vec<String>,
}

impl From<RecoveryCodes> for NewRecoveryCodes {
    fn from(codes: RecoveryCodes) -> Self {
        Self { recovery_codes: codes.0 }
    }
}

/// By what a person can prove who they are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Factors {
    /// Whether there is a password.
    pub password: bool,
    /// Since when there is an authenticator app; null without one.
    pub totp_since: Option<DateTime<Utc>>,
    /// Recovery codes that were not used.
    #[schema(example = 10, minimum = 0)]
    pub recovery_codes_left: u32,
    /// Passkeys.
    #[schema(example = 1, minimum = 0)]
    pub passkeys: u32,
}

impl From<Ways> for Factors {
    fn from(ways: Ways) -> Self {
        let (recovery_codes_left, passkeys) = (ways.recovery_codes, ways.passkeys);
        Self { password: ways.password, totp_since: ways.totp, recovery_codes_left, passkeys }
    }
}

/// Proves anew who one is: by the password, by the code of a letter, or by a passkey; by one of them.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReauthenticationRequest {
    /// The password.
    #[schema(example = "correct horse battery", format = Password)]
    pub password: Option<String>,
    /// The eight digits of a letter that `POST /api/v1/auth/sign-in-code` sends.
    #[schema(pattern = "^[0-9]{8}$")]
    pub email_code: Option<String>,
    /// What `POST /api/v1/auth/passkeys/options` gave, with `credential`.
    #[schema(pattern = "^[0-9a-f]{2,8000}$")]
    pub ceremony: Option<String>,
    /// What the browser made of it, as `PublicKeyCredential.toJSON()` writes it.
    #[schema(value_type = Option<Object>)]
    pub credential: Option<()>,
    /// The code of the second factor, where the account has one; a passkey needs none.
    #[schema(example = "012345", min_length = 6, max_length = 32)]
    pub code: Option<String>,
}

const ONE: &str = "send one of password, emailCode, and ceremony with credential";

/// Reads a [`ReauthenticationRequest`].
pub fn reauthentication(fields: &mut Fields<'_>) -> Option<(Anew, Option<String>)> {
    let (password, email_code) = (fields.text("password"), fields.text("emailCode"));
    let (ceremony, credential) = (ceremony(fields), fields.object("credential"));
    let code = code(fields);
    if email_code.as_ref().is_some_and(|code| code.len() != 8 || !code.bytes().all(|b| b.is_ascii_digit())) {
        fields.violations.add("/emailCode", "pattern", "must be the eight digits of the letter");
    }
    let by_passkey = ceremony.is_some() || credential.is_some();
    let passkey = match (ceremony, credential) {
        (Some(ceremony), Some(credential)) => Some(PasskeyAnswer { ceremony, credential: credential.into() }),
        (Some(_), None) => {
            fields.violations.add("/ceremony", "consistent", "needs credential beside it");
            None
        }
        (None, Some(_)) => {
            fields.violations.add("/credential", "consistent", "needs ceremony beside it");
            None
        }
        (None, None) => None,
    };
    let anew = match (password, email_code, passkey) {
        (Some(password), None, None) if !by_passkey => Anew::Password(Password::given(password)),
        (None, Some(code), None) if !by_passkey => Anew::EmailCode(code),
        (None, None, Some(answer)) => Anew::Passkey(answer),
        (None, None, None) if !by_passkey => {
            fields.violations.add("/password", "required", ONE);
            return None;
        }
        (_, email_code, _) => {
            let other = if email_code.is_some() && !by_passkey { "/emailCode" } else { "/ceremony" };
            fields.violations.add(other, "consistent", ONE);
            return None;
        }
    };
    Some((anew, code))
}

/// When and how one proved who one is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reauthenticated {
    /// When.
    pub authenticated_at: DateTime<Utc>,
    /// Until when sensitive acts take it.
    pub fresh_until: DateTime<Utc>,
    /// By what.
    #[schema(example = json!(["password", "totp"]), value_type = Vec<String>)]
    pub methods: Vec<&'static str>,
}

impl From<Renewed> for Reauthenticated {
    fn from(renewed: Renewed) -> Self {
        let methods = renewed.methods.names().collect();
        Self { authenticated_at: renewed.authenticated_at, fresh_until: renewed.fresh_until, methods }
    }
}
