//! Text from outside: what may be stored, and how it is cut and folded for search.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

use crate::error::Breach;

/// The most characters of a search token; the rest is cut, in what is stored and in what is asked alike.
const TOKEN_MAX: usize = 64;
/// The most tokens of one query; more would only make it slower, the first ones narrow it enough.
const QUERY_TOKENS_MAX: usize = 16;

/// Text of `min..=max` characters that both databases keep byte for byte, on one line.
pub fn line(text: &str, min: usize, max: usize) -> Result<String, Breach> {
    if let Some(bad) = text.chars().find(|c| c.is_control()) {
        return Err(control_character(bad));
    }
    sized(text, min, max)
}

/// As [`line()`], with line breaks and tabs allowed.
pub fn paragraph(text: &str, min: usize, max: usize) -> Result<String, Breach> {
    if let Some(bad) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(control_character(bad));
    }
    sized(text, min, max)
}

fn control_character(bad: char) -> Breach {
    Breach::new("control_character", format!("must not contain the control character U+{:04X}", u32::from(bad)))
}

fn sized(text: &str, min: usize, max: usize) -> Result<String, Breach> {
    let length = text.chars().count();
    if length > max {
        return Err(Breach::new("max_length", format!("must have at most {max} characters, has {length}")));
    }
    if length < min || (min > 0 && text.trim().is_empty()) {
        return Err(Breach::new("min_length", format!("must have at least {min} characters that are not blank")));
    }
    Ok(text.to_owned())
}

/// The search tokens of a text (ruling R31): Unicode words, split at everything that is neither letter nor digit,
/// lower case, without diacritics. Every token holds only letters and digits, so an index that cuts at spaces keeps
/// it whole on any database.
pub fn tokens(text: &str) -> impl Iterator<Item = String> + '_ {
    text.unicode_words().flat_map(|word| {
        let folded: String = word
            .nfkd()
            .filter(|c| !is_combining_mark(*c))
            .flat_map(char::to_lowercase)
            .nfkd()
            .filter(|c| !is_combining_mark(*c))
            .collect();
        folded
            .split(|c: char| !c.is_alphanumeric())
            .filter(|token| !token.is_empty())
            .map(|token| token.chars().take(TOKEN_MAX).collect())
            .collect::<Vec<String>>()
    })
}

/// The text an index stores: the tokens of all parts, once each, joined by spaces.
pub fn search_text(parts: &[&str]) -> String {
    let mut seen = std::collections::BTreeSet::new();
    for part in parts {
        seen.extend(tokens(part));
    }
    seen.into_iter().collect::<Vec<_>>().join(" ")
}

/// A search as asked for: all tokens must be there, the last one as a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    tokens: Vec<String>,
}

impl Search {
    /// The search for a text. A text without any letter or digit matches nothing.
    pub fn new(text: &str) -> Self {
        Self { tokens: tokens(text).take(QUERY_TOKENS_MAX).collect() }
    }

    /// The tokens; the last is a prefix. Empty means: matches nothing.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// The meaning, without any index: what an adapter's index must agree with.
    pub fn matches(&self, search_text: &str) -> bool {
        let Some((prefix, whole)) = self.tokens.split_last() else { return false };
        let words: Vec<&str> = search_text.split(' ').collect();
        whole.iter().all(|token| words.contains(&token.as_str()))
            && words.iter().any(|word| word.starts_with(prefix.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_folded() {
        let cut: Vec<_> = tokens("Café-Bar L’Été, ÅNGSTRÖM 3.14 x_y").collect();
        assert_eq!(cut, ["cafe", "bar", "l", "ete", "angstrom", "3", "14", "x", "y"]);
    }

    #[test]
    fn east_asian_text_is_cut() {
        assert_eq!(tokens("東京 ﾃｽﾄ").collect::<Vec<_>>(), ["東", "京", "テスト"]);
    }

    #[test]
    fn the_last_token_is_a_prefix() {
        let text = search_text(&["The Preaching of Warning", "Graphite on paper"]);
        assert!(Search::new("preaching warn").matches(&text));
        assert!(!Search::new("preach warning").matches(&text));
        assert!(!Search::new("!!!").matches(&text));
    }

    #[test]
    fn control_characters_are_named() {
        assert!(line("a\u{0}b", 1, 9).unwrap_err().message.contains("U+0000"));
        assert!(paragraph("a\nb", 1, 9).is_ok());
        assert!(line("   ", 1, 9).is_err());
    }
}
