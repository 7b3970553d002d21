//! What Clerk tells of people: `user.created`, `user.updated` and `user.deleted`.

use async_trait::async_trait;
use serde::Deserialize;

use super::{Handled, HookEvent, ports::HookHandler};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    identity::{
        Email, ForeignId,
        outside::{Followed, News, Stranger, follow},
    },
    shop::Shop,
    store::Tx,
};

/// Keeps people of one instance of Clerk in step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clerk {
    /// What the instance calls itself in its tokens.
    pub issuer: String,
    /// The name of that issuer in our settings.
    pub provider: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "type")]
    kind: String,
    data: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Person {
    id: String,
    /// Milliseconds since 1970.
    updated_at: Option<i64>,
    first_name: Option<String>,
    last_name: Option<String>,
    username: Option<String>,
    primary_email_address_id: Option<String>,
    #[serde(default)]
    email_addresses: Vec<Address>,
    #[serde(default)]
    banned: bool,
    // `locked` is no matter of ours: who tried too many passwords there gets in nowhere by it, and what they had goes on.
}

#[derive(Deserialize)]
struct Address {
    id: String,
    #[serde(rename = "email_address")]
    text: String,
    verification: Option<Verification>,
}

#[derive(Deserialize)]
struct Verification {
    status: Option<String>,
}

impl Person {
    fn name(&self) -> Option<String> {
        let parts = [&self.first_name, &self.last_name].into_iter().flatten().map(|part| part.trim());
        let whole = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        if whole.is_empty() { self.username.clone() } else { Some(whole) }
    }

    /// Their first address, and whether it is known to be theirs.
    fn email(&self) -> (Option<Email>, bool) {
        let first = self.email_addresses.iter().find(|one| Some(&one.id) == self.primary_email_address_id.as_ref());
        let Some(first) = first else { return (None, false) };
        let status = first.verification.as_ref().and_then(|verification| verification.status.as_deref());
        match Email::parse(&first.text) {
            Ok(email) => (Some(email), status == Some("verified")),
            Err(_) => (None, false),
        }
    }
}

fn unreadable() -> Error {
    Error::Unprocessable("The body is not one that Clerk sends".to_owned())
}

#[async_trait]
impl HookHandler for Clerk {
    async fn handle(
        &self,
        shop: &Shop,
        tx: &mut dyn Tx,
        _: &HookEvent,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Handled> {
        let Body { kind, data } = serde_json::from_slice(body).map_err(|_| unreadable())?;
        if !matches!(kind.as_str(), "user.created" | "user.updated" | "user.deleted") {
            return Ok(Handled::ignored("not_of_people"));
        }
        let person: Person = serde_json::from_value(data.ok_or_else(unreadable)?).map_err(|_| unreadable())?;
        if person.id.is_empty() || person.id.len() > 255 {
            return Err(unreadable());
        }
        let id = ForeignId { issuer: self.issuer.clone(), subject: person.id.clone() };
        let news = if kind == "user.deleted" {
            News::Gone
        } else {
            let at = person.updated_at.and_then(Timestamp::from_timestamp_millis).ok_or_else(unreadable)?;
            let ((email, email_verified), name) = (person.email(), person.name());
            let provider = self.provider.clone();
            News::Is {
                stranger: Stranger { id: id.clone(), provider, email, email_verified, name },
                at,
                barred: person.banned,
            }
        };
        let (followed, user) = follow(shop, tx, &id, news, now).await?;
        Ok(Handled { user, forget: followed == Followed::Gone, ..Handled::done(followed.name()) })
    }
}
