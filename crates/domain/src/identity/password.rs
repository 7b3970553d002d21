//! Passwords as people type them, and the rules for new ones.

use std::sync::LazyLock;

use crate::error::Breach;

/// Passwords that are tried first, since many people chose them: the most frequent of those that became public, from eight
/// characters on, in lower case, sorted.
static COMMON: LazyLock<Vec<&'static str>> = LazyLock::new(|| include_str!("password/common.txt").lines().collect());

/// A password as typed: 8 to 1024 characters of any kind. `Debug` does not show it.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Checks a new password. Which characters it is made of is the person's own affair; what many others chose too is
    /// refused, whatever its capitals.
    pub fn parse(text: &str) -> Result<Self, Breach> {
        let length = text.chars().count();
        if !(8..=1024).contains(&length) {
            return Err(Breach::new("length", "must have 8 to 1024 characters"));
        }
        if text.contains('\0') {
            return Err(Breach::new("control_character", "must not contain the character U+0000"));
        }
        if COMMON.binary_search(&text.to_lowercase().as_str()).is_ok() {
            return Err(Breach::new(
                "common",
                "is among the passwords that are tried first; choose one of your own, such as several words",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// A password given at sign-in; rules for new ones do not apply.
    pub fn given(text: String) -> Self {
        Self(text)
    }

    /// The characters.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> &'static str {
        Password::parse(text).map_or_else(|breach| breach.rule, |_| "")
    }

    #[test]
    fn a_password_is_not_shown() {
        let password = Password::parse("correct horse").unwrap();
        assert_eq!(format!("{password:?}"), "Password(..)");
    }

    #[test]
    fn its_length_counts_and_its_characters_do_not() {
        assert_eq!(
            (rule("short 7"), rule(&"x".repeat(1025)), rule("a\0bcdefgh")),
            ("length", "length", "control_character")
        );
        for fine in [
            "eight ch",
            "        x",
            "\u{1F98A}\u{1F98A}\u{1F98A}\u{1F98A}\u{1F98A}\u{1F98A}\u{1F98A}\u{1F98A}",
            &"x".repeat(1024),
        ] {
            assert_eq!(rule(fine), "", "{fine}");
        }
    }

    #[test]
    fn what_many_chose_is_refused() {
        for common in ["password", "PassWord1", "12345678", "qwertyuiop", "00000000", "iloveyou1", "!QAZ2wsx"] {
            assert_eq!(rule(common), "common", "{common}");
        }
        assert_eq!(rule("password of mine"), "");
    }

    #[test]
    fn the_list_is_sorted_and_holds_nothing_in_vain() {
        assert!(COMMON.len() > 5_000, "{}", COMMON.len());
        assert!(COMMON.is_sorted_by(|a, b| a < b), "sorted, each once");
        for word in COMMON.iter() {
            assert!(word.chars().count() >= 8 && word.to_lowercase() == *word, "{word} could never be found");
        }
    }
}
