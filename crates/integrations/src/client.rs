//! The one HTTP client (ruling R37).
//!
//! A call goes to a [`Target`], of which there are two kinds. An address that somebody else supplied is led nowhere inside: a
//! name is resolved by us, and what was vetted is what is connected to, so that a name which answers differently a moment
//! later gains nothing; addresses written as numbers, and every redirect, are vetted as well. A base that the operator
//! configured may be anywhere, and is not left by a redirect.

mod answer;
mod fault;
mod guard;
mod near;
mod request;
mod resolver;
mod runtime;
mod target;
mod through;

use std::{sync::Arc, time::Duration};

use domain::network::Network;
pub use reqwest::{Method, StatusCode, Url, header};

pub(crate) use self::through::{after, class_of};
pub use self::{
    answer::{Answer, Flow},
    fault::CallError,
    guard::Guard,
    request::Request,
    resolver::{Lookup, SystemLookup},
    target::Target,
};

/// How calls behave.
#[derive(Debug, Clone)]
pub struct CallSettings {
    /// How long a connection may take to be there, with its encryption.
    pub connect: Duration,
    /// How long the head of an answer may take, connection and redirects included.
    pub head: Duration,
    /// How long a call may take as a whole; of a flow, how long it may pause.
    pub whole: Duration,
    /// Most bytes of an answer.
    pub body_limit: usize,
    /// How many redirects are followed.
    pub redirects: usize,
    /// How many connections to one host are kept for later.
    pub idle: usize,
    /// Networks inside that addresses from outside may lead to all the same.
    pub allowed: Vec<Network>,
    /// Certificates that are trusted beside those of the web, in PEM.
    pub extra_roots: Vec<u8>,
    /// Whether connections to bases of the operator are driven on the runtime of whoever calls, without a way to other threads and
    /// back. For peers that do not flood who asks them.
    pub near: bool,
}

impl Default for CallSettings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            head: Duration::from_secs(10),
            whole: Duration::from_secs(30),
            body_limit: 1024 * 1024,
            redirects: 3,
            idle: 4,
            allowed: Vec::new(),
            extra_roots: Vec::new(),
            near: false,
        }
    }
}

/// The client. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct HttpClient(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// For addresses that others supplied.
    guarded: reqwest::Client,
    /// For bases that the operator configured.
    trusted: reqwest::Client,
    /// For the same, when calls are driven by whoever makes them.
    near: Option<near::Near>,
    guard: Guard,
    settings: CallSettings,
    /// What drives the connections of the first two.
    driver: runtime::Driver,
}

impl HttpClient {
    /// A client that looks names up as the system does.
    ///
    /// # Errors
    /// For certificates that cannot be read, and when no thread can be started.
    pub fn new(settings: CallSettings) -> domain::Result<Self> {
        Self::with_lookup(settings, Arc::new(SystemLookup))
    }

    /// A client that looks names up this way, before it vets what they lead to.
    ///
    /// # Errors
    /// For certificates that cannot be read, and when no thread can be started.
    pub fn with_lookup(settings: CallSettings, lookup: Arc<dyn Lookup>) -> domain::Result<Self> {
        let guard = Guard::new(settings.allowed.clone());
        let tls = tls(&settings.extra_roots)?;
        let vetting = resolver::Vetting::new(Arc::clone(&lookup), guard.clone());
        let guarded = build(&settings, tls.clone(), vetting)?;
        let anywhere = resolver::Vetting::of_nothing(lookup);
        let near = settings.near.then(|| near::Near::new(settings.clone(), tls.clone(), anywhere.clone()));
        let trusted = build(&settings, tls, anywhere)?;
        let driver = runtime::Driver::new().map_err(domain::Error::internal)?;
        Ok(Self(Arc::new(Inner { guarded, trusted, near, guard, settings, driver })))
    }

    /// Whether an address that is written as numbers may be called; names are looked at when they are.
    ///
    /// # Errors
    /// [`CallError::Host`].
    pub fn vet(&self, to: &Target) -> Result<(), CallError> {
        to.vet(&self.0.guard)
    }

    /// Sends what this makes of a client, where connections to whom it goes to are driven, and waits for the head of the answer.
    async fn send(
        &self,
        trusted: bool,
        request: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, CallError> {
        if let Some(near) = self.0.near.as_ref().filter(|_| trusted) {
            return request(&near.client()?).send().await.map_err(CallError::of);
        }
        let client = if trusted { &self.0.trusted } else { &self.0.guarded };
        let Some(sent) = self.0.driver.run(request(client).send()) else {
            return Err(CallError::Away("calls have ended".into()));
        };
        sent.await.map_err(|fault| CallError::Away(Box::new(fault)))?.map_err(CallError::of)
    }

    /// Begins a request.
    pub fn request(&self, method: Method, to: &Target) -> Request {
        Request::new(self.clone(), method, to.clone())
    }
}

/// A client for one base that the operator configured, through which bodies of any length flow both ways: a call ends when it
/// pauses, not when it is long.
///
/// # Errors
/// For certificates that cannot be read.
pub(crate) fn flowing(settings: &CallSettings) -> domain::Result<reqwest::Client> {
    let anywhere = resolver::Vetting::of_nothing(Arc::new(SystemLookup));
    let client = builder(settings, tls(&settings.extra_roots)?, anywhere);
    client.pool_max_idle_per_host(32).read_timeout(settings.whole).build().map_err(domain::Error::internal)
}

fn build(
    settings: &CallSettings,
    tls: rustls::ClientConfig,
    resolver: resolver::Vetting,
) -> domain::Result<reqwest::Client> {
    builder(settings, tls, resolver).build().map_err(domain::Error::internal)
}

fn builder(settings: &CallSettings, tls: rustls::ClientConfig, resolver: resolver::Vetting) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        // A proxy from the environment would connect in our place, to whatever it likes.
        .no_proxy()
        // Followed by `Request`, which vets each.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(settings.connect)
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(settings.idle)
        .user_agent(concat!("souk/", env!("CARGO_PKG_VERSION")))
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(resolver))
}

/// TLS by the provider that everything else here uses, trusting what browsers trust, since a container may have no list of
/// its own.
fn tls(extra: &[u8]) -> domain::Result<rustls::ClientConfig> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in CertificateDer::pem_slice_iter(extra) {
        roots.add(certificate.map_err(domain::Error::internal)?).map_err(domain::Error::internal)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(domain::Error::internal)?.with_root_certificates(roots).with_no_client_auth())
}
