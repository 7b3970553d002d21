//! The codes of authenticator apps: HOTP of RFC 4226, ten lines over the HMAC that is here anyway.

use domain::{
    error::{Error, Result},
    identity::factors::ports::OneTimeCodes,
};
use hmac::{Hmac, KeyInit, Mac as _};
use sha1::Sha1;

/// HMAC-SHA-1 with dynamic truncation to six digits: the one form that every app knows. What makes SHA-1 weak elsewhere does not
/// touch an HMAC.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hotp;

impl OneTimeCodes for Hotp {
    fn code(&self, secret: &[u8], counter: u64) -> Result<u32> {
        let mac = Hmac::<Sha1>::new_from_slice(secret).map_err(Error::internal)?;
        let digest: [u8; 20] = mac.chain_update(counter.to_be_bytes()).finalize().into_bytes().into();
        let [.., last] = digest;
        let four = digest.get(usize::from(last & 0xf)..).and_then(|rest| rest.first_chunk::<4>());
        let four = four.ok_or_else(|| Error::internal("a digest has another length"))?;
        Ok((u32::from_be_bytes(*four) & 0x7fff_ffff) % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_standards() {
        let secret = b"12345678901234567890";
        // RFC 4226, appendix D.
        let expected = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
        for (counter, code) in (0..).zip(expected) {
            assert_eq!(Hotp.code(secret, counter).unwrap(), code, "{counter}");
        }
        // RFC 6238, appendix B: the last six of its eight digits.
        for (seconds, code) in
            [(59, 287_082), (1_111_111_109, 81_804), (1_234_567_890, 5_924), (20_000_000_000, 353_130)]
        {
            assert_eq!(Hotp.code(secret, seconds / 30).unwrap(), code, "{seconds}");
        }
    }
}
