//! Ceremonies of passkeys, by `webauthn-rs`.

use domain::{
    error::{Error, Result},
    id::UserId,
    identity::{
        User,
        passkeys::{
            CEREMONY,
            ports::{Ceremonies, Credential, Opened},
        },
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential,
    Webauthn, WebauthnBuilder,
};

/// Carries ceremonies out for one domain. The challenges are drawn by the library, from the system.
#[derive(Debug)]
pub struct WebAuthn(Webauthn);

impl WebAuthn {
    /// Passkeys of this domain, for pages of these origins; the shop is called so where people choose a passkey.
    ///
    /// # Errors
    /// When there is no origin, one is no address, or the first is not of the domain; the message says which.
    pub fn new(domain: &str, origins: &[String], shop: &str) -> Result<Self, String> {
        let urls = origins.iter().map(|origin| Url::parse(origin).map_err(|fault| format!("{origin:?}: {fault}")));
        let urls = urls.collect::<Result<Vec<_>, _>>()?;
        let (first, others) = urls.split_first().ok_or("no page may use passkeys")?;
        let builder = WebauthnBuilder::new(domain, first);
        let builder = builder.map_err(|_| format!("{:?} is not of the domain {domain:?}", first.as_str()))?;
        let builder =
            others.iter().fold(builder.rp_name(shop).timeout(CEREMONY), WebauthnBuilder::append_allowed_origin);
        builder.build().map(Self).map_err(|fault| fault.to_string())
    }
}

impl Ceremonies for WebAuthn {
    fn begin_registration(&self, user: &User, have: &[Vec<u8>]) -> Result<Opened> {
        let have = have.to_vec();
        let begun = self.0.start_passkey_registration(user.id.0, user.email.as_str(), &user.name, Some(have));
        let (options, state) = begun.map_err(Error::internal)?;
        let mut options = inner(&options)?;
        // Without it a passkey could not be found by a sign-in that names nobody.
        if let Some(Value::Object(selection)) = options.get_mut("authenticatorSelection") {
            selection.insert("residentKey".to_owned(), json!("required"));
            selection.insert("requireResidentKey".to_owned(), json!(true));
        }
        Ok(Opened { options, state: written(&state)? })
    }

    fn end_registration(&self, state: &[u8], answer: &Value) -> Result<Option<Credential>> {
        let state: PasskeyRegistration = read(state)?;
        let Some(given) = parsed::<RegisterPublicKeyCredential>(answer) else { return Ok(None) };
        if answer.pointer("/clientExtensionResults/credProps/rk") == Some(&Value::Bool(false)) {
            return Ok(None);
        }
        let Ok(passkey) = self.0.finish_passkey_registration(&given, &state) else { return Ok(None) };
        Ok(Some(Credential { id: passkey.cred_id().clone(), key: written(&passkey)? }))
    }

    fn begin_sign_in(&self) -> Result<Opened> {
        let (options, state) = self.0.start_discoverable_authentication().map_err(Error::internal)?;
        Ok(Opened { options: inner(&options)?, state: written(&state)? })
    }

    fn claimed(&self, answer: &Value) -> Option<Vec<u8>> {
        parsed::<PublicKeyCredential>(answer).map(|given| given.get_credential_id().to_vec())
    }

    fn end_sign_in(
        &self,
        state: &[u8],
        answer: &Value,
        user: UserId,
        known: &Credential,
    ) -> Result<Option<Credential>> {
        let state: DiscoverableAuthentication = read(state)?;
        let mut passkey: Passkey = read(&known.key)?;
        let Some(given) = parsed::<PublicKeyCredential>(answer) else { return Ok(None) };
        let named = self.0.identify_discoverable_authentication(&given);
        if !named.is_ok_and(|(named, id)| named == user.0 && id == known.id) {
            return Ok(None);
        }
        let Ok(proven) = self.0.finish_discoverable_authentication_v2(&given, state, &passkey) else { return Ok(None) };
        if !proven.user_verified() {
            return Ok(None);
        }
        Ok(match passkey.update_credential(&proven) {
            Some(_) => Some(Credential { id: known.id.clone(), key: written(&passkey)? }),
            None => None,
        })
    }
}

/// What stands under `publicKey`, which is what `navigator.credentials` takes.
fn inner(options: &impl Serialize) -> Result<Value> {
    let mut options = serde_json::to_value(options).map_err(Error::internal)?;
    options.get_mut("publicKey").map(Value::take).ok_or_else(|| Error::internal("options without publicKey"))
}

fn parsed<T: DeserializeOwned>(answer: &Value) -> Option<T> {
    serde_json::from_value(answer.clone()).ok()
}

fn written(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(Error::internal)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use domain::{
        identity::Email,
        permission::{Role, Roles},
    };

    use super::*;

    fn person() -> User {
        User {
            id: UserId(uuid::Uuid::from_u128(7)),
            email: Email::stored("ada@shop.example".to_owned()),
            name: "Ada".to_owned(),
            email_verified_at: None,
            roles: Roles::new([Role::User]),
            created_at: chrono::DateTime::UNIX_EPOCH,
            updated_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    fn shop(domain: &str, origins: &[&str]) -> Result<WebAuthn, String> {
        let origins: Vec<_> = origins.iter().map(|one| (*one).to_owned()).collect();
        WebAuthn::new(domain, &origins, "Souk")
    }

    #[test]
    fn a_domain_and_its_pages_fit_together() {
        shop("shop.example", &["https://www.shop.example/eu", "https://app.shop.example"]).unwrap();
        for (domain, origins) in
            [("shop.example", &["https://evilshop.example"][..]), ("shop.example", &["nowhere"]), ("shop.example", &[])]
        {
            assert!(shop(domain, origins).is_err(), "{origins:?}");
        }
    }

    #[test]
    fn passkeys_must_know_their_person_and_be_found_without_a_name() {
        let shop = shop("shop.example", &["https://shop.example"]).unwrap();
        let opened = shop.begin_registration(&person(), &[b"known".to_vec()]).unwrap();
        let (options, selection) = (&opened.options, &opened.options["authenticatorSelection"]);
        assert_eq!(
            (&selection["userVerification"], &selection["residentKey"]),
            (&json!("required"), &json!("required"))
        );
        assert_eq!((&options["attestation"], &options["rp"]["name"]), (&json!("none"), &json!("Souk")));
        assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 1);
        let opened = shop.begin_sign_in().unwrap();
        assert_eq!(
            (&opened.options["userVerification"], &opened.options["rpId"]),
            (&json!("required"), &json!("shop.example"))
        );
        assert_eq!(opened.options["allowCredentials"].as_array().map_or(0, Vec::len), 0);
        assert_ne!(opened.options["challenge"], shop.begin_sign_in().unwrap().options["challenge"]);
    }

    #[test]
    fn what_is_no_answer_proves_nothing() {
        let shop = shop("shop.example", &["https://shop.example"]).unwrap();
        let state = shop.begin_registration(&person(), &[]).unwrap().state;
        let response = json!({ "clientDataJSON": "e30", "attestationObject": "oA" });
        let odd = json!({ "id": "AQID", "rawId": "AQID", "type": "public-key", "response": response });
        for answer in [json!({}), json!(null), odd] {
            assert_eq!(shop.end_registration(&state, &answer).unwrap(), None);
            assert_eq!(shop.claimed(&answer), None);
        }
    }
}
