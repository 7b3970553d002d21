//! The words that come with the program, and what they mean.

use std::{collections::HashMap, fmt};

/// How many numbers a word has.
pub(super) const MEANING: usize = 64;
/// As `scripts/words.py` writes it.
static WORDS: &[u8] = include_bytes!("words.bin");

/// Words by how often they are used, the most frequent first.
pub(super) struct Table {
    places: HashMap<&'static str, usize>,
    words: Vec<&'static str>,
    vectors: &'static [u8],
    /// One by the logarithm of how many words there are.
    rare: f32,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("words", &self.places.len()).finish_non_exhaustive()
    }
}

impl Table {
    /// Reads them. Of a file that is not as it should be nothing is known, which a test would tell.
    pub(super) fn read() -> Self {
        let number = WORDS.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes));
        let number = number.and_then(|number| usize::try_from(number).ok()).unwrap_or_default();
        let text = WORDS.len().saturating_sub(number * MEANING);
        let list = WORDS.get(8..text).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        let words: Vec<_> = list.lines().collect();
        let places: HashMap<_, _> = words.iter().enumerate().map(|(place, word)| (*word, place)).collect();
        let rare = 1.0 / logarithm(words.len().max(2));
        Self { places, words, vectors: WORDS.get(text..).unwrap_or_default(), rare }
    }

    /// The place of a word.
    pub(super) fn find(&self, word: &str) -> Option<usize> {
        self.places.get(word).copied()
    }

    /// The place of the word that this one is a form of.
    pub(super) fn inflected(&self, word: &str) -> Option<usize> {
        ["s", "es", "ing", "ed", "er", "ly"].iter().find_map(|end| self.find(word.strip_suffix(end)?))
    }

    /// The word of a place.
    pub(super) fn word(&self, place: usize) -> Option<&'static str> {
        self.words.get(place).copied()
    }

    /// The place of the word that this one is most likely meant as: one with few other letters, the most frequent of several.
    pub(super) fn misspelled(&self, word: &str) -> Option<usize> {
        let length = word.len();
        if !(5..=24).contains(&length) || !word.is_ascii() {
            return None;
        }
        let most = if length < 8 { 1 } else { 2 };
        let first = word.as_bytes().first();
        let alike = self.words.iter().enumerate().filter(|(_, other)| {
            other.len() >= 4 && other.len().abs_diff(length) <= most && other.as_bytes().first() == first
        });
        let near = alike.filter_map(|(place, other)| {
            let steps = steps(word.as_bytes(), other.as_bytes());
            (steps <= most).then_some((steps, place))
        });
        near.min().map(|(_, place)| place)
    }

    /// How much a word says: next to nothing for the most frequent, 1 for the rarest.
    pub(super) fn weight(&self, place: usize) -> f32 {
        let part = logarithm(place + 1) * self.rare;
        part * part
    }

    /// What a word means, with the length 1.
    pub(super) fn vector(&self, place: usize) -> impl Iterator<Item = f32> + '_ {
        let row = self.vectors.get(place * MEANING..(place + 1) * MEANING).unwrap_or_default();
        let number = |byte: &u8| f32::from(byte.cast_signed());
        let square: f32 = row.iter().map(|byte| number(byte) * number(byte)).sum();
        let by = if square > 0.0 { 1.0 / square.sqrt() } else { 0.0 };
        row.iter().map(move |byte| number(byte) * by)
    }
}

fn logarithm(number: usize) -> f32 {
    f32::from(u16::try_from(number).unwrap_or(u16::MAX)).ln()
}

/// How many letters are to be put in, taken out, changed, or swapped with the next one, to make one word the other.
fn steps(one: &[u8], other: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX / 2);
            let mut fewest = (at(&last, j + 1) + 1).min(at(&row, j) + 1).min(at(&last, j) + usize::from(a != b));
            let swapped = i > 0 && j > 0 && one.get(i - 1) == Some(b) && other.get(j - 1) == Some(a);
            if swapped {
                fewest = fewest.min(at(&before, j - 1) + 1);
            }
            row.push(fewest);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_vector() {
        let table = Table::read();
        assert!(table.places.len() > 20_000);
        assert_eq!(table.vectors.len(), table.places.len() * MEANING);
        let boat = table.find("boat").unwrap();
        assert!((table.vector(boat).map(|number| number * number).sum::<f32>() - 1.0).abs() < 1e-4);
        assert!(table.weight(table.find("the").unwrap()) < 0.1 && table.weight(boat) > 0.4);
        assert_eq!(table.find("xyzzyq"), None);
        for (wrong, right) in [("cathederal", "cathedral"), ("soldeir", "soldier"), ("watterfall", "waterfall")] {
            assert_eq!(table.misspelled(wrong).and_then(|place| table.word(place)), Some(right));
        }
        assert_eq!((table.misspelled("xyzzyq"), table.misspelled("oat")), (None, None));
        assert_eq!((steps(b"brigde", b"bridge"), steps(b"", b"abc"), steps(b"boat", b"boat")), (1, 3, 0));
        assert!(table.inflected("ferryboats").is_none() || table.find("ferryboat").is_some());
    }
}
