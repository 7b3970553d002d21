//! An embedder that needs nobody: it knows some thousand words by their neighbours, and every word by how it is written.
//!
//! A vector has two parts. In the first, each word and each piece of a word leaves a mark at a place that its hash gives: so
//! misspelled and inflected words are near to those they are meant as. The second is the weighted mean of what words mean: so
//! other words for the same are near. A rare word says more than a frequent one.

mod table;

use async_trait::async_trait;
use domain::{
    Result,
    catalog::similar::{Passage, TextVectors},
    text::tokens,
};
use table::{MEANING, Table};

/// Places of the first part.
const MARKS: usize = 320;
/// How much the second part counts beside the first.
const BY_MEANING: f32 = 0.75;
/// How much a word of the body counts beside one of the title.
const BODY: f32 = 0.45;
/// How much all pieces of a word count beside the word.
const PIECES: f32 = 1.0;
/// Words of a body that are looked at.
const LONGEST: usize = 200;
/// Words shorter than this are not cut into pieces.
const CUT_FROM: usize = 4;

/// Vectors by words that come with the program.
#[derive(Debug)]
pub struct LocalEmbedder(Table);

impl Default for LocalEmbedder {
    fn default() -> Self {
        Self::new()
    }
}

impl LocalEmbedder {
    /// The name of what makes the vectors. Another one for any change that makes other vectors.
    pub const MODEL: &'static str = "souk-words-1";

    /// Reads the words.
    pub fn new() -> Self {
        Self(Table::read())
    }

    /// The vector of a text.
    pub fn vector(&self, passage: &Passage) -> Vec<f32> {
        let mut marks = vec![0.0_f32; MARKS];
        let mut meaning = vec![0.0_f32; MEANING];
        let title = tokens(&passage.title).map(|word| (word, 1.0));
        let body = tokens(&passage.body).take(LONGEST).map(|word| (word, BODY));
        for (word, part) in title.chain(body) {
            let known = self.0.find(&word);
            let weight = part * known.map_or(1.0, |place| self.0.weight(place));
            mark(&mut marks, &word, weight);
            let mut meant = known.or_else(|| self.0.inflected(&word));
            if meant.is_none() && passage.asked {
                meant = self.0.misspelled(&word);
                if let Some(right) = meant.and_then(|place| self.0.word(place)) {
                    mark(&mut marks, right, weight);
                }
            }
            if let Some(place) = meant {
                for (sum, number) in meaning.iter_mut().zip(self.0.vector(place)) {
                    *sum += weight * number;
                }
            }
        }
        even(&mut marks, 1.0);
        even(&mut meaning, BY_MEANING);
        marks.append(&mut meaning);
        marks
    }
}

#[async_trait]
impl TextVectors for LocalEmbedder {
    fn model(&self) -> &str {
        Self::MODEL
    }

    async fn embed(&self, passages: &[Passage]) -> Result<Vec<Vec<f32>>> {
        Ok(passages.iter().map(|passage| self.vector(passage)).collect())
    }
}

/// Leaves the marks of a word and of its pieces.
fn mark(marks: &mut [f32], word: &str, weight: f32) {
    put(marks, word, weight);
    let letters: Vec<char> = std::iter::once('<').chain(word.chars()).chain(std::iter::once('>')).collect();
    if letters.len() < CUT_FROM + 2 {
        return;
    }
    let pieces: Vec<String> =
        [3, 4].into_iter().flat_map(|size| letters.windows(size).map(|piece| piece.iter().collect())).collect();
    let number = f32::from(u16::try_from(pieces.len()).unwrap_or(u16::MAX));
    for piece in pieces {
        put(marks, &piece, weight * PIECES / number.sqrt());
    }
}

/// Leaves one mark: up or down, so that marks that meet by chance do not add up.
fn put(marks: &mut [f32], text: &str, weight: f32) {
    // FNV-1a, mixed once more: the same on every machine and in every version.
    let mut hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let place = usize::try_from((hash >> 32) % 320).unwrap_or_default();
    if let Some(mark) = marks.get_mut(place) {
        *mark += if hash & 1 == 0 { weight } else { -weight };
    }
}

/// Makes a vector this long, unless it is nothing.
fn even(numbers: &mut [f32], length: f32) {
    let square: f32 = numbers.iter().map(|number| number * number).sum();
    if square > 0.0 {
        let by = length / square.sqrt();
        for number in numbers {
            *number *= by;
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::catalog::similar::Vector;

    use super::*;

    fn near(embedder: &LocalEmbedder, one: &str, other: &str) -> f32 {
        let vector = |text: &str| embedder.vector(&Passage::question(text));
        let (one, other) = (vector(one), vector(other));
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        dot(&one, &other) / (dot(&one, &one) * dot(&other, &other)).sqrt()
    }

    #[test]
    fn words_for_the_same_are_nearer_than_others() {
        let embedder = LocalEmbedder::new();
        for (word, alike, other) in [
            ("boat", "ship", "church"),
            ("harbour", "harbor", "portrait"),
            ("watercolour", "watercolor", "bronze"),
            ("cathedral", "cathederal", "mountain"),
            ("trees", "tree", "soldier"),
            ("grief", "sorrow", "bridge"),
        ] {
            let (alike, other) = (near(&embedder, word, alike), near(&embedder, word, other));
            assert!(alike > other + 0.15, "{word}: {alike} and {other}");
        }
    }

    #[test]
    fn the_same_text_has_the_same_vector_and_no_text_none() {
        let embedder = LocalEmbedder::new();
        assert!((near(&embedder, "Sailing boats at dawn", "sailing boats at dawn") - 1.0).abs() < 1e-5);
        assert_eq!(Vector::of(&embedder.vector(&Passage::question("!!!"))), None);
        assert!(Vector::of(&embedder.vector(&Passage::question("東京の夜"))).is_some());
        assert_eq!(embedder.vector(&Passage::question("boat")).len(), MARKS + MEANING);
    }
}
