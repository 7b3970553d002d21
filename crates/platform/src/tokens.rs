//! Tokens, counted by the tokenizers of `OpenAI`, which come with the program and are unpacked when one is first needed.
//!
//! One takes some tens of megabytes from then on, and counting takes time in proportion to the text: so a text is cut into pieces, of
//! which a bounded number is counted, on a thread of those that may be held up. What is beyond is taken to be like what was counted.

use std::sync::LazyLock;

use async_trait::async_trait;
use domain::assistant::{TokenCounter, Tokenizer};
use tiktoken_rs::CoreBPE;

/// The most bytes that are given to the tokenizer at once: one run of a letter is one piece to it, and spaces without an end are more than
/// its pattern reads.
const PIECE: usize = 4 * 1024;
/// The most bytes of all texts together that are counted.
const MOST: usize = 256 * 1024;
/// About how many bytes a token has.
const BYTES: u64 = 4;

static O200K: LazyLock<Option<CoreBPE>> = LazyLock::new(|| tiktoken_rs::o200k_base().ok());
static CL100K: LazyLock<Option<CoreBPE>> = LazyLock::new(|| tiktoken_rs::cl100k_base().ok());

/// Counts as the models of `OpenAI` do.
#[derive(Debug, Clone, Copy)]
pub struct Tiktoken(Tokenizer);

impl Tiktoken {
    /// By this tokenizer.
    pub fn new(by: Tokenizer) -> Self {
        Self(by)
    }

    /// Counts here and now.
    fn counted(self, texts: &[String]) -> Vec<u64> {
        let by = match self.0 {
            Tokenizer::O200kBase => &*O200K,
            Tokenizer::Cl100kBase => &*CL100K,
        };
        let mut left = MOST;
        texts.iter().map(|text| by.as_ref().map_or_else(|| guess(text.len()), |by| one(by, text, &mut left))).collect()
    }
}

fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn guess(bytes: usize) -> u64 {
    long(bytes).div_ceil(BYTES)
}

/// The tokens of a text, of which at most `left` bytes are counted.
fn one(by: &CoreBPE, text: &str, left: &mut usize) -> u64 {
    let (mut tokens, mut rest) = (0, text);
    while !rest.is_empty() && *left > 0 {
        let end = end(rest);
        let (piece, after) = rest.split_at(end);
        tokens += long(by.count_ordinary(piece));
        *left = left.saturating_sub(piece.len());
        rest = after;
    }
    let counted = long(text.len() - rest.len());
    match (rest.len(), counted) {
        (0, _) => tokens,
        (rest, 0) => guess(rest),
        // As many to a byte as there were until here.
        (rest, counted) => tokens + (long(rest).saturating_mul(tokens)).div_ceil(counted),
    }
}

/// Where a piece ends: after a space if there is one near, for words are not parted by it.
fn end(text: &str) -> usize {
    if text.len() <= PIECE {
        return text.len();
    }
    let mut end = PIECE;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let near = text.get(..end).and_then(|piece| piece.rfind([' ', '\n']));
    near.filter(|at| *at > PIECE / 2).unwrap_or(end)
}

#[async_trait]
impl TokenCounter for Tiktoken {
    async fn count(&self, texts: Vec<String>) -> Vec<u64> {
        let by = *self;
        let lengths: Vec<usize> = texts.iter().map(String::len).collect();
        let counted = tokio::task::spawn_blocking(move || by.counted(&texts)).await;
        // A thread that ended in the middle: the process ends.
        counted.unwrap_or_else(|_| lengths.into_iter().map(guess).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn tokens(by: Tokenizer, text: &str) -> u64 {
        Tiktoken(by).counted(&[text.to_owned()])[0]
    }

    #[test]
    fn words_are_counted_as_their_models_do() {
        // As `tiktoken` of OpenAI has them.
        for (text, o200k, cl100k) in [
            ("", 0, 0),
            ("hello world", 2, 2),
            ("Hello, world!", 4, 4),
            ("tiktoken is great!", 6, 6),
            ("お誕生日おめでとう", 8, 9),
            ("<|endoftext|>", 7, 7),
        ] {
            assert_eq!(
                (tokens(Tokenizer::O200kBase, text), tokens(Tokenizer::Cl100kBase, text)),
                (o200k, cl100k),
                "{text}"
            );
        }
    }

    #[test]
    fn ten_megabytes_of_anything_are_counted_in_a_bounded_time() {
        let by = Tokenizer::O200kBase;
        tokens(by, "so that it is there");
        let whole = 10 * 1024 * 1024;
        for unit in ["a", " ", "é", "word ", "\u{1f600}"] {
            let text = unit.repeat(whole / unit.len());
            let began = Instant::now();
            let counted = tokens(by, &text);
            assert!(began.elapsed() < Duration::from_mins(2), "{unit:?}: {:?}", began.elapsed());
            assert!(counted > 0 && counted <= long(text.len()), "{unit:?}: {counted}");
        }
        let text = "word ".repeat(whole / 5);
        let expected = long(whole / 5);
        assert!(tokens(by, &text).abs_diff(expected) < expected / 50, "what is beyond is like what was counted");
    }

    #[test]
    fn a_piece_that_ends_costs_next_to_nothing() {
        let by = Tokenizer::O200kBase;
        let text = "The quick brown fox jumps over the lazy dog. ".repeat(1000);
        let exact = long(O200K.as_ref().unwrap().count_ordinary(&text));
        assert!(tokens(by, &text).abs_diff(exact) <= exact / 200);
    }
}
