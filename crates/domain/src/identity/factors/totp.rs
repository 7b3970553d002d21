//! The codes of authenticator apps (RFC 6238): six digits, another every half minute.

use super::ports::OneTimeCodes;
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::UserId,
    identity::Email,
};

/// Bytes of a secret, as RFC 4226 wants them.
pub(super) const SECRET: usize = 20;
/// Seconds of a step.
const STEP: i64 = 30;
/// Steps before and after the present one whose codes count too: clocks differ, and people type.
const SLACK: i64 = 1;

/// A person's authenticator app as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredTotp {
    /// Whose it is.
    pub user: UserId,
    /// The secret, sealed: who reads the database has no codes.
    pub sealed: Vec<u8>,
    /// When they proved that they have it; none before.
    pub confirmed_at: Option<Timestamp>,
    /// The step whose code was used last: no code is good twice, whichever node it is sent to.
    pub last_step: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for StoredTotp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredTotp").field("user", &self.user).finish_non_exhaustive()
    }
}

/// The step of a moment.
pub(super) fn step(now: Timestamp) -> i64 {
    now.timestamp().div_euclid(STEP)
}

/// The step after `last` whose code this is, of those that count now. Every code is compared, whole, so that the time tells
/// nothing.
pub(super) fn fitting(
    codes: &dyn OneTimeCodes,
    secret: &[u8],
    code: u32,
    last: i64,
    now: Timestamp,
) -> Result<Option<i64>> {
    let present = step(now);
    let mut fits = None;
    for step in present - SLACK..=present + SLACK {
        let counter = u64::try_from(step).map_err(Error::internal)?;
        if codes.code(secret, counter)? ^ code == 0 && step > last {
            fits = Some(step);
        }
    }
    Ok(fits)
}

/// The six digits of a code as somebody typed it.
pub(super) fn digits(text: &str) -> Option<u32> {
    if text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A secret as people type it into an app: Base32 of RFC 4648, without padding.
pub(super) fn base32(bytes: &[u8]) -> String {
    const LETTERS: [char; 32] = [
        'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V',
        'W', 'X', 'Y', 'Z', '2', '3', '4', '5', '6', '7',
    ];
    let (mut text, mut held, mut bits) = (String::new(), 0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            let index = usize::try_from(held >> bits & 31).unwrap_or_default();
            text.extend(LETTERS.get(index));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.extend(LETTERS.get(usize::try_from(held << (5 - bits) & 31).unwrap_or_default()));
    }
    text
}

/// The address that apps read from a picture.
pub(super) fn otpauth(issuer: &str, email: &Email, secret: &str) -> String {
    let (issuer, email) = (escaped(issuer), escaped(email.as_str()));
    format!("otpauth://totp/{issuer}:{email}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period={STEP}")
}

/// A text as a part of an address (RFC 3986).
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::PlainCodes;

    #[test]
    fn secrets_are_base32() {
        // RFC 4648, section 10.
        for (bytes, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert_eq!(base32(&[0xff; 20]).len(), 32);
    }

    #[test]
    fn an_address_names_shop_and_person() {
        let address = otpauth("Ada's Lamps", &Email::stored("ada+1@example.com".to_owned()), "MZXW6");
        assert_eq!(
            address,
            "otpauth://totp/Ada%27s%20Lamps:ada%2B1%40example.com?secret=MZXW6&issuer=Ada%27s%20Lamps&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn the_codes_of_three_steps_count_and_none_of_those_before_the_last() {
        let now = Timestamp::UNIX_EPOCH + Duration::from_secs(1_800_000_015);
        let present = step(now);
        let counter = |step: i64| u64::try_from(step).unwrap();
        for (off, counts) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let code = PlainCodes.code(b"secret", counter(present + off)).unwrap();
            let found = fitting(&PlainCodes, b"secret", code, 0, now).unwrap();
            assert_eq!(found, counts.then_some(present + off), "{off}");
            let used = fitting(&PlainCodes, b"secret", code, present + off, now).unwrap();
            assert_eq!(used, None, "{off} a second time");
        }
        let other = PlainCodes.code(b"another", counter(present)).unwrap();
        assert_eq!(fitting(&PlainCodes, b"secret", other, 0, now).unwrap(), None);
        assert_eq!(
            (digits("012345"), digits("12345"), digits("12345a"), digits("+12345")),
            (Some(12345), None, None, None)
        );
    }
}
