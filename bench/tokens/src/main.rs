//! What verifying an access token costs beside the bare Ed25519 verification of the same library, in turn.
//!
//! Prints nanoseconds of each in several rounds: the signature alone, a token that is seen for the first time, and one that was
//! seen before, whose end is looked at each time.

use std::{
    error::Error,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credentials::{EdDsaTokens, MasterKey, Seal, TokenRules};
use domain::{
    clock::Timestamp,
    id::{SessionId, UserId},
    identity::{
        Email, Profile, User,
        ports::{SealedKey, SigningKeys, Tokens as _},
    },
    permission::{Role, Roles},
    testing::SeededEntropy,
};
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use uuid::Uuid;

const TOKENS: usize = 4_000;
const ROUNDS: usize = 7;

#[derive(Default)]
struct Kept(Mutex<Vec<SealedKey>>);

#[async_trait::async_trait]
impl SigningKeys for Kept {
    async fn all(&self) -> domain::Result<Vec<SealedKey>> {
        Ok(self.0.lock().expect("nobody panics").clone())
    }

    async fn insert_if_absent(&self, key: &SealedKey) -> domain::Result<()> {
        let mut keys = self.0.lock().expect("nobody panics");
        if keys.is_empty() {
            keys.push(key.clone());
        }
        Ok(())
    }
}

fn profile() -> Result<Profile, Box<dyn Error>> {
    let user = User {
        id: UserId(Uuid::from_u128(7)),
        email: Email::parse("ada@example.com").map_err(|_| "no address")?,
        name: "Ada".into(),
        email_verified_at: None,
        roles: Roles::new([Role::User]),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    };
    Ok(Profile { user, seller: None })
}

/// Nanoseconds per call.
fn cost(mut call: impl FnMut()) -> f64 {
    let began = Instant::now();
    call();
    began.elapsed().as_secs_f64() * 1e9 / TOKENS as f64
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let now = Timestamp::from_timestamp(1_790_000_000, 0).ok_or("no time")?;
    let entropy = Arc::new(SeededEntropy::new(1));
    let master = MasterKey::parse("5f0c9a3e7b1d4c8f2a6e0b9d3c7f1a5e8d2b6c0f4a9e3d7b1c5f8a2e6d0b4c9f");
    let master = master.map_err(|weak| format!("{weak:?}"))?;
    let sealer = Arc::new(Seal::new(master, entropy.clone()));
    let keys = Arc::new(Kept::default());
    let load = async || {
        let rules = TokenRules {
            issuer: "http://localhost:3000".into(),
            audience: "souk".into(),
            lifetime: Duration::from_mins(15),
        };
        EdDsaTokens::load(keys.clone(), sealer.clone(), entropy.clone(), now, rules).await
    };
    let maker = load().await?;
    let profile = profile()?;
    // Each of a session of its own: one that is seen twice is known.
    let tokens = (1..)
        .take(TOKENS)
        .map(|session| {
            let made = maker.issue(&profile, SessionId(Uuid::from_u128(session)), now + Duration::from_hours(1), now)?;
            Ok(made.token)
        })
        .collect::<domain::Result<Vec<_>>>()?;
    let x = maker.jwks()["keys"][0]["x"].as_str().ok_or("no key")?.to_owned();
    let key: [u8; 32] = URL_SAFE_NO_PAD.decode(x)?.try_into().map_err(|_| "no key of 32 bytes")?;
    let key = VerifyingKey::from_bytes(&key)?;
    let signed = tokens
        .iter()
        .map(|token| {
            let (said, signature) = token.rsplit_once('.').ok_or("no token")?;
            Ok((said, Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature)?)?))
        })
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    for round in 1..=ROUNDS {
        // Nothing was seen by this one yet.
        let souk = load().await?;
        let verified = || tokens.iter().for_each(|token| assert!(souk.verify(token, now).is_some()));
        let bare = cost(|| signed.iter().for_each(|(said, signature)| key.verify(said.as_bytes(), signature).expect("good")));
        let (first, again) = (cost(verified), cost(verified));
        println!(
            "round {round}  signature alone {bare:7.0} ns  first {first:7.0} ns = {:.2}  again {again:5.0} ns = {:.3}",
            first / bare,
            again / bare,
        );
    }
    Ok(())
}
