//! A provider that people sign in with: the code flow with PKCE (RFC 6749, RFC 7636), and who it says they are.

use domain::{
    Error, Result,
    identity::{
        Email, ForeignId, Stranger,
        outside::ports::{Ask, Brought, Declined, Provider as Choice},
    },
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    ALGORITHMS, Calls, Endpoints, Preset,
    authority::{Authority, TENANT},
    cached::Away,
    claims::Claims,
    providers::challenge,
    token::{self, Expected, Fault},
};
use crate::{
    client::{Answer, Method, Request, StatusCode, Target, Url, header},
    resilience::{Dependency, Kind},
};

/// How long a secret lasts that we sign for Apple.
const SECRET_LIFE: i64 = 300;

/// What makes the secret that Apple asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct AppleKey {
    /// The team.
    pub team: String,
    /// The name of the key.
    pub id: String,
    /// The key itself, in PEM.
    pub pem: String,
}

impl AppleKey {
    /// Whether it is a key that can sign.
    pub fn is_sound(&self) -> bool {
        EncodingKey::from_ec_pem(self.pem.as_bytes()).is_ok()
    }
}

impl std::fmt::Debug for AppleKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppleKey").field("team", &self.team).field("id", &self.id).finish_non_exhaustive()
    }
}

/// A provider as the operator set it up.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderSettings {
    /// Its name in addresses.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Which it is.
    pub preset: Preset,
    /// Who we are there.
    pub client_id: String,
    /// The secret that goes with it.
    pub client_secret: String,
    /// In its place, at Apple.
    pub apple: Option<AppleKey>,
    /// Where it is.
    pub endpoints: Endpoints,
    /// What is asked for.
    pub scopes: String,
}

impl std::fmt::Debug for ProviderSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderSettings")
            .field("name", &self.name)
            .field("preset", &self.preset)
            .field("client_id", &self.client_id)
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

/// A provider.
pub(super) struct Provider {
    calls: Calls,
    at: Dependency,
    settings: ProviderSettings,
    authority: Authority,
    /// Whom its identity tokens are for: us.
    audience: [String; 1],
    algorithms: Vec<Algorithm>,
    key: Option<EncodingKey>,
}

/// What a code is redeemed for.
#[derive(Deserialize)]
struct Given {
    access_token: Option<String>,
    id_token: Option<String>,
    error: Option<String>,
}

impl Provider {
    pub(super) fn new(calls: &Calls, settings: ProviderSettings) -> Result<Self> {
        let missing = || Error::internal(format!("the provider {} has no issuer", settings.name));
        let issuer = settings.endpoints.issuer.as_deref().ok_or_else(missing)?;
        let at = calls.dependencies.named(Kind::Providers, &settings.name);
        let authority = Authority::new(calls, &at, &settings.name, issuer, settings.endpoints.keys.as_deref())?;
        let authority = match tenants(settings.preset, issuer) {
            Some(pattern) => authority.of_tenants(&pattern),
            None => authority,
        };
        let key = settings.apple.as_ref().map(|apple| EncodingKey::from_ec_pem(apple.pem.as_bytes()));
        let key = key.transpose().map_err(Error::internal)?;
        let algorithms = ALGORITHMS.iter().filter_map(|name| name.parse().ok()).collect();
        Ok(Self {
            calls: calls.clone(),
            at,
            audience: [settings.client_id.clone()],
            authority,
            algorithms,
            key,
            settings,
        })
    }

    pub(super) fn choice(&self) -> Choice {
        let ProviderSettings { name, title, preset, .. } = &self.settings;
        Choice { name: name.clone(), title: title.clone(), posts: preset.posts() }
    }

    /// Where a browser is sent.
    pub(super) async fn address(&self, ask: Ask<'_>) -> Result<String> {
        let away = |_: Away| {
            let source = format!("the provider {} does not say where it is", self.settings.name).into();
            Error::Unavailable { what: "The provider", source }
        };
        let mut url: Url = match &self.settings.endpoints.authorize {
            Some(address) => address.parse().map_err(Error::internal)?,
            None => self.authority.metadata().await.map_err(away)?.authorize.clone().ok_or(Away).map_err(away)?,
        };
        let challenge = challenge(ask.verifier);
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", ask.redirect),
            ("scope", &self.settings.scopes),
            ("state", ask.state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        if self.settings.preset.signs() {
            url.query_pairs_mut().append_pair("nonce", ask.nonce);
        }
        if self.settings.preset.posts() {
            url.query_pairs_mut().append_pair("response_mode", "form_post");
        }
        Ok(url.into())
    }

    /// Who signed in there.
    pub(super) async fn identify(&self, brought: Brought<'_>) -> Result<Stranger, Declined> {
        let issuer = &self.authority.issuer;
        if brought.issuer.is_some_and(|said| said != issuer && !issuer.contains(TENANT)) {
            return Err(self.refuse("it is another issuer"));
        }
        let given = self.redeem(brought).await?;
        match (self.settings.preset, given) {
            (Preset::Github, Given { access_token: Some(access), .. }) => self.at_github(&access).await,
            (Preset::Discord, Given { access_token: Some(access), .. }) => self.at_discord(&access).await,
            (_, Given { id_token: Some(token), access_token, .. }) => {
                self.signed(&token, access_token.as_deref(), brought).await
            }
            _ => Err(self.refuse("it gave no token for the code")),
        }
    }

    /// Redeems the code.
    async fn redeem(&self, brought: Brought<'_>) -> Result<Given, Declined> {
        let posted = self.settings.preset != Preset::Oidc;
        let (at, posted) = if let Some(address) = &self.settings.endpoints.token {
            (super::of_operator(address).map_err(|_| Declined::Refused)?, posted)
        } else {
            let metadata = self.authority.metadata().await.map_err(|Away| Declined::Away)?;
            let at = metadata.token.clone().ok_or_else(|| self.refuse("it names no place for codes"))?;
            (at, posted || metadata.takes_posted_secret)
        };
        let secret = self.secret()?;
        let form = self.form(brought, posted.then_some(&secret));
        let mut request = self.calls.client.request(Method::POST, &at).header(header::ACCEPT, "application/json");
        if !posted {
            request = request.header(header::AUTHORIZATION, &basic(&self.settings.client_id, &secret));
        }
        let request = request.body("application/x-www-form-urlencoded", form.into_bytes());
        let answer = self.send(request).await?;
        // GitHub says 200 to what is wrong.
        let given: Given = answer.json().map_err(|_| self.refuse("it did not answer with JSON"))?;
        if answer.status != StatusCode::OK || given.error.is_some() {
            return Err(self.refuse("it does not redeem the code"));
        }
        Ok(given)
    }

    fn form(&self, brought: Brought<'_>, secret: Option<&String>) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([
            ("grant_type", "authorization_code"),
            ("code", brought.code),
            ("redirect_uri", brought.redirect),
            ("code_verifier", brought.verifier),
            ("client_id", &self.settings.client_id),
        ]);
        if let Some(secret) = secret {
            form.append_pair("client_secret", secret);
        }
        form.finish()
    }

    /// Our secret there.
    fn secret(&self) -> Result<String, Declined> {
        let (Some(apple), Some(key)) = (&self.settings.apple, &self.key) else {
            return Ok(self.settings.client_secret.clone());
        };
        let now = self.calls.clock.now().timestamp();
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(apple.id.clone());
        let claims = json!({
            "iss": apple.team,
            "iat": now,
            "exp": now + SECRET_LIFE,
            "aud": self.authority.issuer,
            "sub": self.settings.client_id,
        });
        jsonwebtoken::encode(&header, &claims, key).map_err(|_| self.refuse("our secret cannot be signed"))
    }

    /// Who an identity token is about.
    async fn signed(&self, token: &str, access: Option<&str>, brought: Brought<'_>) -> Result<Stranger, Declined> {
        let expected = Expected {
            audiences: &self.audience,
            parties: &[],
            algorithms: &self.algorithms,
            nonce: Some(brought.nonce),
        };
        let now = self.calls.clock.now();
        let (mut claims, _) =
            token::verify(&self.authority, token, &expected, now).await.map_err(|fault| match fault {
                Fault::Bad(what) => self.refuse(what),
                Fault::Away => Declined::Away,
            })?;
        let (Some(issuer), Some(subject)) =
            (claims.text("iss").map(str::to_owned), claims.subject().map(str::to_owned))
        else {
            return Err(self.refuse("iss"));
        };
        if self.settings.preset == Preset::Oidc && !claims.0.contains_key("email") {
            self.add_userinfo(&mut claims, &subject, access).await?;
        }
        let verified = match self.settings.preset {
            // Whoever administers a tenant writes any address into its accounts; this says that the domain is the tenant's.
            Preset::Microsoft => claims.says("xms_edov"),
            _ => claims.says("email_verified"),
        };
        let name = claims.name("name").or_else(|| brought.name.map(str::to_owned));
        Ok(self.stranger(issuer, subject, claims.email("email"), verified, name))
    }

    /// What a provider says of somebody where their identity token is short.
    async fn add_userinfo(&self, claims: &mut Claims, subject: &str, access: Option<&str>) -> Result<(), Declined> {
        let at = match &self.settings.endpoints.userinfo {
            Some(address) => super::of_operator(address).ok(),
            None => self.authority.metadata().await.ok().and_then(|metadata| metadata.userinfo.clone()),
        };
        let (Some(at), Some(access)) = (at, access) else { return Ok(()) };
        let said = Claims(self.ask(&at, access).await?);
        // Of somebody else it is not ours to hear (OpenID Connect Core 5.3.2).
        if said.subject() != Some(subject) {
            return Err(self.refuse("it speaks of somebody else"));
        }
        for name in ["email", "email_verified", "name", "given_name", "family_name"] {
            if let Some(value) = said.0.get(name) {
                claims.0.entry(name).or_insert_with(|| value.clone());
            }
        }
        Ok(())
    }

    async fn at_github(&self, access: &str) -> Result<Stranger, Declined> {
        #[derive(Deserialize)]
        struct Address {
            email: String,
            primary: bool,
            verified: bool,
        }
        let said = Claims(self.ask(&self.userinfo()?, access).await?);
        let id = said.0.get("id").and_then(Value::as_u64).ok_or_else(|| self.refuse("it does not say who it is"))?;
        let at = self.settings.endpoints.emails.as_deref().ok_or(Declined::Refused)?;
        let at = super::of_operator(at).map_err(|_| Declined::Refused)?;
        let answer = self.send(self.asking(&at, access)).await?;
        // Somebody may have granted no look at them; what their profile shows is not proven.
        let addresses: Vec<Address> = if answer.status == StatusCode::OK {
            answer.json().map_err(|_| self.refuse("it does not say which addresses there are"))?
        } else {
            Vec::new()
        };
        let primary = addresses.into_iter().find(|address| address.primary);
        let verified = primary.as_ref().is_some_and(|address| address.verified);
        let email = primary.and_then(|address| Email::parse(&address.email).ok());
        let name = said.name("name").or_else(|| said.name("login"));
        Ok(self.stranger(self.authority.issuer.clone(), id.to_string(), email, verified, name))
    }

    async fn at_discord(&self, access: &str) -> Result<Stranger, Declined> {
        let said = Claims(self.ask(&self.userinfo()?, access).await?);
        let id = said.text("id").filter(|id| !id.is_empty()).ok_or_else(|| self.refuse("it does not say who it is"))?;
        let name = said.name("global_name").or_else(|| said.name("username"));
        let (email, verified) = (said.email("email"), said.says("verified"));
        Ok(self.stranger(self.authority.issuer.clone(), id.to_owned(), email, verified, name))
    }

    fn userinfo(&self) -> Result<Target, Declined> {
        let address = self.settings.endpoints.userinfo.as_deref().ok_or(Declined::Refused)?;
        super::of_operator(address).map_err(|_| Declined::Refused)
    }

    fn asking(&self, at: &Target, access: &str) -> Request {
        let request = self.calls.client.request(Method::GET, at).header(header::ACCEPT, "application/json");
        request.header(header::AUTHORIZATION, &format!("Bearer {access}"))
    }

    async fn ask(&self, at: &Target, access: &str) -> Result<Map<String, Value>, Declined> {
        let answer = self.send(self.asking(at, access)).await?;
        if answer.status != StatusCode::OK {
            return Err(self.refuse("it does not say who it is"));
        }
        answer.json().map_err(|_| self.refuse("it did not answer with JSON"))
    }

    async fn send(&self, request: Request) -> Result<Answer, Declined> {
        let answer = request.send_through(&self.at).await.map_err(|fault| {
            tracing::warn!(provider = self.settings.name, %fault, "a provider is away");
            Declined::Away
        })?;
        if answer.status.is_server_error() {
            tracing::warn!(provider = self.settings.name, status = answer.status.as_u16(), "a provider is away");
            return Err(Declined::Away);
        }
        Ok(answer)
    }

    fn stranger(
        &self,
        issuer: String,
        subject: String,
        email: Option<Email>,
        email_verified: bool,
        name: Option<String>,
    ) -> Stranger {
        let provider = self.settings.name.clone();
        Stranger { id: ForeignId { issuer, subject }, provider, email, email_verified, name }
    }

    /// Says in the log why somebody does not come in; what the provider wrote may be anything, and is not repeated.
    fn refuse(&self, why: &'static str) -> Declined {
        tracing::warn!(provider = self.settings.name, why, "a provider vouches for nobody");
        Declined::Refused
    }
}

/// How an issuer with tenants calls itself in their tokens.
fn tenants(preset: Preset, issuer: &str) -> Option<String> {
    let all = ["/common/", "/organizations/", "/consumers/"].into_iter().filter(|_| preset == Preset::Microsoft);
    let mut found = all.filter(|all| issuer.contains(all));
    found.next().map(|all| issuer.replace(all, &format!("/{TENANT}/")))
}

/// A secret in a header, each part encoded as RFC 6749, 2.3.1 says.
fn basic(client: &str, secret: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client), encoded(secret))))
}
