//! Providers of models, and by which keys they know us.

use actix_web::{HttpResponse, delete, get, put, web::Path};
use chrono::{DateTime, Utc};
use domain::{
    assistant::terms::{Provider, ProviderKey, ProviderKeyText, remove_provider_key, set_provider_key},
    permission::ManageAssistant,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Answer, Shared,
    auth::Auth,
    body::{Fields, JsonBody},
    done::Done,
    fresh::FreshAuth,
};

/// A provider of models. Its key is never shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantProvider)]
#[serde(rename_all = "camelCase")]
pub struct ProviderView {
    /// Its name.
    #[schema(example = "openai")]
    pub name: String,
    /// Which protocol it speaks.
    #[schema(example = "compatible")]
    pub protocol: &'static str,
    /// Where it is.
    #[schema(example = "https://api.openai.com/v1")]
    pub url: String,
    /// Where the key comes from by which it knows us: `set` here, the `settings`, or `none`.
    #[schema(example = "set", pattern = "^(set|settings|none)$")]
    pub key: &'static str,
    /// The last four characters of a key that was set and is long enough to show them.
    #[schema(example = "x3qd")]
    pub key_hint: Option<String>,
    /// When it was set.
    pub key_set_at: Option<DateTime<Utc>>,
}

impl ProviderView {
    fn of(provider: &Provider, key: Option<&ProviderKey>) -> Self {
        let source = match key {
            Some(_) => "set",
            None if provider.has_key => "settings",
            None => "none",
        };
        Self {
            name: provider.name.clone(),
            protocol: provider.protocol,
            url: provider.url.clone(),
            key: source,
            key_hint: key.map(|key| key.hint.clone()).filter(|hint| !hint.is_empty()),
            key_set_at: key.map(|key| key.set_at),
        }
    }
}

/// Every provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantProviders)]
pub struct ProvidersView {
    /// The providers, by name.
    pub items: Vec<ProviderView>,
}

/// The key of a provider.
#[derive(Debug, ToSchema)]
#[schema(as = AssistantProviderKey)]
pub struct ProviderKeyBody {
    /// By which key the provider knows us. It is sealed, and never shown again.
    #[schema(
        example = "sk-0123456789abcdef",
        min_length = 8,
        max_length = 1000,
        pattern = r"^[\x21-\x7e]*$",
        format = "password",
        write_only
    )]
    pub key: String,
}

fn key_text(fields: &mut Fields<'_>) -> Option<ProviderKeyText> {
    let text = match fields.text("key") {
        None if fields.violations.is_empty() => fields.violations.missing("/key"),
        text => text,
    };
    fields.violations.check("/key", ProviderKeyText::read(text?))
}

/// Lists the providers of models that the settings name.
#[utoipa::path(
    tag = "assistant",
    responses((status = 200, description = "The providers", body = ProvidersView)),
    security(("bearer" = ["assistant:manage"]))
)]
#[get("/api/v1/assistant/providers")]
pub async fn list_assistant_providers(_auth: Auth<ManageAssistant>, services: Shared) -> Answer {
    let terms = &services.assistant.terms;
    let stored = terms.queries.terms().await?;
    let view = |one: &Provider| ProviderView::of(one, stored.keys.iter().find(|key| key.provider == one.name));
    Ok(HttpResponse::Ok().json(ProvidersView { items: terms.settings.providers.iter().map(view).collect() }))
}

/// Sets by which key a provider knows us, in place of that of the settings. Asks for a fresh proof of who one is. Every node uses it from
/// now on.
#[utoipa::path(
    tag = "assistant",
    request_body = ProviderKeyBody,
    params(("name" = String, Path, description = "The name of the provider", example = "near")),
    responses(
        (status = 200, description = "The provider", body = ProviderView),
        (status = 404, description = "No such provider"),
    ),
    security(("bearer" = ["assistant:manage"]))
)]
#[put("/api/v1/assistant/providers/{name}/key")]
pub async fn set_assistant_provider_key(
    auth: FreshAuth<ManageAssistant>,
    services: Shared,
    name: Path<String>,
    body: JsonBody,
) -> Answer {
    let text = body.read(key_text)?;
    let terms = &services.assistant.terms;
    let key = set_provider_key(&services.shop, terms, auth.0, &name, &text).await?;
    services.heed_terms().await;
    Ok(HttpResponse::Ok().json(ProviderView::of(terms.provider(&name)?, Some(&key))))
}

/// Removes the key that was set; that of the settings counts again.
#[utoipa::path(
    tag = "assistant",
    params(("name" = String, Path, description = "The name of the provider", example = "near")),
    responses(
        (status = 200, description = "It is removed", body = Done),
        (status = 404, description = "No key was set for such a provider"),
    ),
    security(("bearer" = ["assistant:manage"]))
)]
#[delete("/api/v1/assistant/providers/{name}/key")]
pub async fn remove_assistant_provider_key(
    auth: Auth<ManageAssistant>,
    services: Shared,
    name: Path<String>,
) -> Answer {
    remove_provider_key(&services.shop, auth.0, &name).await?;
    services.heed_terms().await;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
