//! Password hashes: Argon2id for new ones, bcrypt and older parameters still verified (ruling R15).

use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use domain::{
    clock::Entropy,
    error::{Error, Result},
    identity::{
        NO_PASSWORD, Password,
        ports::{PasswordHasher, Verified},
    },
};
use tokio::sync::Semaphore;

/// What one Argon2id hash costs. The default is what OWASP recommends for servers: 19 MiB, two
/// passes, one lane; about 30 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Argon2Cost {
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

/// Blocks reserved for every hash, 33 MiB; what is not used is never touched. The C library takes a block of memory
/// above 32 MiB from the system each time and gives it back at once; smaller ones it keeps, one for each thread that
/// ever hashed, and a few sign-ins would hold hundreds of MiB for good.
const RESERVED: usize = 33 * 1024;
/// Bytes of a hash.
const OUTPUT: usize = 32;

/// Hashes passwords on blocking threads, never more at once than it was told: each takes a core and 19 MiB.
pub struct Passwords {
    argon2: Argon2<'static>,
    /// A hash no password fits, verified when there is no account, so that both take the same time.
    nobody: String,
    places: Arc<Semaphore>,
    /// Who may stand in line for a place, or have one.
    line: Arc<Semaphore>,
    wait: Duration,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").field("params", self.argon2.params()).finish_non_exhaustive()
    }
}

impl Passwords {
    /// Hashes at this cost, `at_once` at the same time. `waiting` more may stand in line for their turn, each for `wait`;
    /// whoever comes besides is sent away at once, and memory stays bounded by `at_once` however many come.
    ///
    /// # Errors
    /// [`Error::Internal`] for a cost that Argon2 does not allow.
    pub fn new(
        cost: Argon2Cost,
        at_once: usize,
        waiting: usize,
        wait: Duration,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(OUTPUT)).map_err(Error::internal)?;
        let mut random = [0; 48];
        entropy.fill(&mut random);
        let (salt, output) = random.split_at(16);
        let nobody = format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            cost.memory_kib,
            cost.passes,
            cost.lanes,
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(output)
        );
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let at_once = at_once.max(1);
        let (places, line) = (Arc::new(Semaphore::new(at_once)), Arc::new(Semaphore::new(at_once + waiting)));
        Ok(Self { argon2, nobody, places, line, wait, entropy })
    }

    /// Runs `work` on a blocking thread. The place is given back when the work ends, also if nobody waits for it
    /// any more.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let in_line = Arc::clone(&self.line).try_acquire_owned().map_err(busy)?;
        let place = tokio::time::timeout(self.wait, Arc::clone(&self.places).acquire_owned());
        let place = place.await.map_err(busy)?.map_err(busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop((place, in_line));
            result
        });
        done.await.map_err(Error::internal)?
    }
}

fn busy(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Unavailable { what: "Sign-in", source: Box::new(source) }
}

#[async_trait]
impl PasswordHasher for Passwords {
    async fn hash(&self, password: &Password) -> Result<String> {
        let mut salt = [0; 16];
        self.entropy.fill(&mut salt);
        let (argon2, password) = (self.argon2.clone(), password.clone());
        self.run(move || {
            let hash = PasswordHash {
                algorithm: Algorithm::Argon2id.ident(),
                version: Some(Version::V0x13.into()),
                params: ParamsString::try_from(argon2.params()).map_err(Error::internal)?,
                salt: Some(Salt::new(&salt).map_err(Error::internal)?),
                hash: Some(digest(&argon2, &password, &salt)?),
            };
            Ok(hash.to_string())
        })
        .await
    }

    async fn verify(&self, password: &Password, hash: Option<&str>) -> Result<Verified> {
        let hash = hash.filter(|hash| *hash != NO_PASSWORD);
        let known = hash.is_some();
        let (argon2, password) = (self.argon2.clone(), password.clone());
        let hash = hash.unwrap_or(&self.nobody).to_owned();
        let verified = self.run(move || verify(&argon2, &password, &hash)).await?;
        Ok(if known { verified } else { Verified::No })
    }
}

fn digest(argon2: &Argon2<'_>, password: &Password, salt: &[u8]) -> Result<Output> {
    let count = argon2.params().block_count();
    let mut memory: Vec<Block> = Vec::with_capacity(count.max(RESERVED));
    memory.resize(count, Block::new());
    let mut output = [0; Output::MAX_LENGTH];
    let length = argon2.params().output_len().unwrap_or(OUTPUT);
    let output = output.get_mut(..length).ok_or_else(|| Error::internal("a password hash is too long"))?;
    let password = password.expose().as_bytes();
    argon2.hash_password_into_with_memory(password, salt, output, &mut memory).map_err(Error::internal)?;
    Output::new(output).map_err(Error::internal)
}

fn verify(argon2: &Argon2<'_>, password: &Password, hash: &str) -> Result<Verified> {
    if hash.starts_with("$2") {
        let fits = bcrypt::verify(password.expose().as_bytes(), hash).map_err(Error::internal)?;
        return Ok(if fits { Verified::YesButOld } else { Verified::No });
    }
    let hash = PasswordHash::new(hash).map_err(Error::internal)?;
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else {
        return Err(Error::internal("a stored password hash lacks its salt or its output"));
    };
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(Error::internal)?;
    let version = hash.version.map(Version::try_from).transpose().map_err(Error::internal)?.unwrap_or_default();
    let params = Params::try_from(&hash).map_err(Error::internal)?;
    // Outputs compare in constant time.
    if digest(&Argon2::new(algorithm, version, params), password, salt)? != *expected {
        return Ok(Verified::No);
    }
    Ok(if is_current(argon2.params(), &hash)? { Verified::Yes } else { Verified::YesButOld })
}

fn is_current(today: &Params, hash: &PasswordHash) -> Result<bool> {
    let then = Params::try_from(hash).map_err(Error::internal)?;
    Ok(hash.algorithm.as_str() == "argon2id"
        && hash.version == Some(19)
        && (then.m_cost(), then.t_cost(), then.p_cost()) == (today.m_cost(), today.t_cost(), today.p_cost()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mac::tests::Counting;

    const CHEAP: Argon2Cost = Argon2Cost { memory_kib: 64, passes: 1, lanes: 1 };

    fn passwords(cost: Argon2Cost) -> Passwords {
        Passwords::new(cost, 2, 4, Duration::from_secs(5), Arc::new(Counting::default())).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::given(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = passwords(CHEAP);
        let hash = passwords.hash(&password("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash(&password("correct horse")).await.unwrap());
        assert_eq!(passwords.verify(&password("correct horse"), Some(&hash)).await.unwrap(), Verified::Yes);
        assert_eq!(passwords.verify(&password("correct mare"), Some(&hash)).await.unwrap(), Verified::No);
    }

    #[tokio::test]
    async fn other_parameters_and_bcrypt_fit_but_are_old() {
        let word = password("correct horse");
        let cheaper = passwords(Argon2Cost { memory_kib: 32, ..CHEAP }).hash(&word).await.unwrap();
        let bcrypt = bcrypt::hash("correct horse", 4).unwrap();
        for hash in [&cheaper, &bcrypt, &bcrypt.replacen("$2b$", "$2y$", 1)] {
            let passwords = passwords(CHEAP);
            assert_eq!(passwords.verify(&word, Some(hash)).await.unwrap(), Verified::YesButOld, "{hash}");
            assert_eq!(passwords.verify(&password("wrong"), Some(hash)).await.unwrap(), Verified::No, "{hash}");
        }
    }

    #[tokio::test]
    async fn hashes_of_others_are_understood() {
        // From the reference implementation: argon2 command line, password "password", salt "somesalt".
        let hash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let passwords = passwords(CHEAP);
        assert_eq!(passwords.verify(&password("password"), Some(hash)).await.unwrap(), Verified::YesButOld);
        assert_eq!(passwords.verify(&password("Password"), Some(hash)).await.unwrap(), Verified::No);
    }

    #[tokio::test]
    async fn nobody_costs_a_real_verification_and_never_fits() {
        let passwords = passwords(CHEAP);
        let nobody = PasswordHash::new(&passwords.nobody).unwrap();
        assert!(is_current(passwords.argon2.params(), &nobody).unwrap());
        assert_eq!(nobody.salt.unwrap().len(), 16);
        assert_eq!(nobody.hash.unwrap().len(), 32);
        assert_eq!(passwords.verify(&password("anything"), None).await.unwrap(), Verified::No);
    }

    #[tokio::test]
    async fn no_password_fits_the_hash_that_is_none() {
        let passwords = passwords(CHEAP);
        for guess in ["", "anything", "00000000", NO_PASSWORD, "\0", &"x".repeat(1024)] {
            assert_eq!(passwords.verify(&password(guess), Some(NO_PASSWORD)).await.unwrap(), Verified::No, "{guess}");
        }
    }

    #[tokio::test]
    async fn a_damaged_hash_is_a_fault_not_a_refusal() {
        let verified = passwords(CHEAP).verify(&password("x"), Some("plain text")).await;
        assert!(matches!(verified, Err(Error::Internal(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_place_is_sent_away() {
        let passwords = passwords(CHEAP);
        let _all = Arc::clone(&passwords.places).acquire_many_owned(2).await.unwrap();
        let refused = passwords.hash(&password("correct horse")).await;
        assert!(matches!(refused, Err(Error::Unavailable { what: "Sign-in", .. })));
    }

    /// Two hundred sign-ins at once hash two at a time, and take the memory of two.
    #[tokio::test]
    async fn however_many_come_few_are_hashed_at_once_and_few_wait() {
        let passwords = Arc::new(passwords(CHEAP));
        let hash = passwords.hash(&password("correct horse")).await.unwrap();
        let held = Arc::clone(&passwords.places).acquire_many_owned(2).await.unwrap();
        let mut tries: Vec<_> = (0..200)
            .map(|_| {
                let (passwords, hash) = (Arc::clone(&passwords), hash.clone());
                Box::pin(async move { passwords.verify(&password("correct horse"), Some(&hash)).await })
            })
            .collect();
        let mut refused = 0;
        // While both places are taken six stand in line: two for the places, four that may wait.
        tries.retain_mut(|one| match futures_util::FutureExt::now_or_never(one) {
            Some(answer) => {
                assert!(matches!(answer, Err(Error::Unavailable { what: "Sign-in", .. })), "{answer:?}");
                refused += 1;
                false
            }
            None => true,
        });
        assert_eq!((refused, tries.len()), (194, 6));
        drop(held);
        for one in tries {
            assert_eq!(one.await.unwrap(), Verified::Yes);
        }
        assert_eq!(
            (passwords.places.available_permits(), passwords.line.available_permits()),
            (2, 6),
            "all is given back"
        );
    }
}
