//! What goes by mail, as JSON: what is asked for, and what brings a link or a code back.

use domain::identity::{Client, CodeLogin, Email, Links, Password, Redirect};
use utoipa::ToSchema;

use super::session::{Mode, mode};
use crate::body::Fields;

/// Digits of the code in a link.
const TOKEN: usize = 64;
/// Digits of a code to be typed.
const CODE: usize = 8;

/// Asks for a letter with a link.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkRequest {
    /// The address of the account.
    #[schema(example = "ada@example.com", format = Email, max_length = 255)]
    pub email: String,
    /// Where the link leads to, with `token` in its query: one of the addresses that the shop allows, or below one. Without it,
    /// the page that the shop has for it, with `token` in the fragment.
    #[schema(example = "http://localhost:5173/welcome", format = "uri", max_length = 2000)]
    pub redirect_url: Option<String>,
}

/// Reads a [`LinkRequest`].
pub fn link_request(fields: &mut Fields<'_>, links: &Links) -> Option<(Email, Option<Redirect>)> {
    let (email, redirect) = (email(fields), redirect(fields, links));
    Some((email?, redirect))
}

/// Asks for a letter with a code to sign in.
#[derive(Debug, ToSchema)]
pub struct CodeRequest {
    /// The address of the account.
    #[schema(example = "ada@example.com", format = Email, max_length = 255)]
    pub email: String,
}

/// Reads a [`CodeRequest`].
pub fn code_request(fields: &mut Fields<'_>) -> Option<Email> {
    email(fields)
}

/// What a link brought.
#[derive(Debug, ToSchema)]
pub struct Token {
    /// The `token` of the link.
    #[schema(example = "5f0c9a3e7b1d4c8f2a6e0b9d3c7f1a5e8d2b6c0f4a9e3d7b1c5f8a2e6d0b4c9f", pattern = "^[0-9a-f]{64}$")]
    pub token: String,
}

/// Reads a [`Token`].
pub fn token(fields: &mut Fields<'_>) -> Option<String> {
    let Some(token) = fields.text("token") else { return fields.violations.missing("/token") };
    if token.len() == TOKEN && token.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Some(token);
    }
    fields.violations.add("/token", "pattern", "must be the 64 hexadecimal digits of the link");
    None
}

/// A new password, by what a link brought.
#[derive(Debug, ToSchema)]
pub struct PasswordReset {
    /// The `token` of the link.
    #[schema(example = "5f0c9a3e7b1d4c8f2a6e0b9d3c7f1a5e8d2b6c0f4a9e3d7b1c5f8a2e6d0b4c9f", pattern = "^[0-9a-f]{64}$")]
    pub token: String,
    /// The new password. Those that many people chose are refused.
    #[schema(example = "correct horse battery", min_length = 8, max_length = 1024, format = Password, pattern = r"^[^\x00]*$")]
    pub password: String,
}

/// Reads a [`PasswordReset`].
pub fn password_reset(fields: &mut Fields<'_>) -> Option<(String, Password)> {
    let (token, password) = (token(fields), new_password(fields));
    Some((token?, password?))
}

/// A new password, by the present one or by a fresh proof.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasswordChange {
    /// The present password; without it one must have proved a short while ago who one is.
    #[schema(example = "correct horse battery", format = Password)]
    pub current_password: Option<String>,
    /// The new password. Those that many people chose are refused.
    #[schema(example = "wrong mare capacitor", min_length = 8, max_length = 1024, format = Password, pattern = r"^[^\x00]*$")]
    pub password: String,
}

/// Reads a [`PasswordChange`].
pub fn password_change(fields: &mut Fields<'_>) -> Option<(Option<Password>, Password)> {
    let (current, new) = (current_password(fields), new_password(fields));
    Some((current, new?))
}

/// A new address, by the present password or by a fresh proof.
#[derive(Debug, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EmailChange {
    /// The new address.
    #[schema(example = "ada@example.org", format = Email, max_length = 255)]
    pub email: String,
    /// The present password; without it one must have proved a short while ago who one is.
    #[schema(example = "correct horse battery", format = Password)]
    pub current_password: Option<String>,
    /// Where the link leads to, as with other letters.
    #[schema(example = "http://localhost:5173/welcome", format = "uri", max_length = 2000)]
    pub redirect_url: Option<String>,
}

/// Reads an [`EmailChange`].
pub fn email_change(fields: &mut Fields<'_>, links: &Links) -> Option<(Email, Option<Password>, Option<Redirect>)> {
    let (email, current, redirect) = (email(fields), current_password(fields), redirect(fields, links));
    Some((email?, current, redirect))
}

/// What signs a person in with a code.
#[derive(Debug, ToSchema)]
pub struct CodeLoginRequest {
    /// Their address.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// The eight digits of the letter.
    #[schema(example = "01234567", pattern = "^[0-9]{8}$")]
    pub code: String,
    /// How the tokens come back, as with a password.
    #[schema(example = "bearer")]
    pub mode: Option<Mode>,
}

/// Reads a [`CodeLoginRequest`] of this client.
pub fn code_login(fields: &mut Fields<'_>, client: Client) -> Option<(CodeLogin, Mode)> {
    let (email, code, mode) = (fields.text("email"), fields.text("code"), mode(fields));
    if email.is_none() {
        fields.violations.missing::<()>("/email");
    }
    match &code {
        None => fields.violations.missing("/code").unwrap_or_default(),
        Some(code) if code.len() == CODE && code.bytes().all(|b| b.is_ascii_digit()) => {}
        Some(_) => fields.violations.add("/code", "pattern", "must be the eight digits of the letter"),
    }
    Some((CodeLogin { email: email?, code: code?, client }, mode))
}

fn email(fields: &mut Fields<'_>) -> Option<Email> {
    match fields.text("email") {
        Some(text) => fields.violations.check("/email", Email::parse(&text)),
        None => fields.violations.missing("/email"),
    }
}

fn redirect(fields: &mut Fields<'_>, links: &Links) -> Option<Redirect> {
    let wanted = fields.text("redirectUrl")?;
    fields.violations.check("/redirectUrl", links.allow(&wanted))
}

fn new_password(fields: &mut Fields<'_>) -> Option<Password> {
    match fields.text("password") {
        Some(text) => fields.violations.check("/password", Password::parse(&text)),
        None => fields.violations.missing("/password"),
    }
}

pub(crate) fn current_password(fields: &mut Fields<'_>) -> Option<Password> {
    fields.text("currentPassword").map(Password::given)
}
