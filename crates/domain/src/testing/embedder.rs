//! An embedder that anybody can follow: texts are near when they share words, or words of one meaning.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::{
    catalog::similar::{Passage, TextVectors},
    error::{Error, Result},
    text::tokens,
};

/// Words that mean the same here.
const SAME: [(&str, &str); 2] = [("boat", "ship"), ("sorrow", "grief")];

/// Knows words by their first bytes.
#[derive(Debug, Default)]
pub struct PlainEmbedder {
    /// The name of the model, if it is not `plain`.
    pub model: Option<String>,
    /// Whether it is away.
    pub away: AtomicBool,
}

impl PlainEmbedder {
    /// Goes away, or comes back.
    pub fn be_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }
}

#[async_trait]
impl TextVectors for PlainEmbedder {
    fn model(&self) -> &str {
        self.model.as_deref().unwrap_or("plain")
    }

    async fn embed(&self, passages: &[Passage]) -> Result<Vec<Vec<f32>>> {
        if self.away.load(Ordering::Relaxed) {
            return Err(Error::Unavailable { what: "The embedder", source: "it is away".into() });
        }
        Ok(passages.iter().map(|passage| vector(&format!("{} {}", passage.title, passage.body))).collect())
    }
}

fn vector(text: &str) -> Vec<f32> {
    let mut numbers = vec![0.0; 64];
    for word in tokens(text) {
        let word = SAME.iter().find(|(_, other)| *other == word).map_or(word.as_str(), |(one, _)| one);
        let place = word.bytes().fold(7_usize, |sum, byte| (sum * 31 + usize::from(byte)) % 64);
        if let Some(number) = numbers.get_mut(place) {
            *number += 1.0;
        }
    }
    numbers
}
