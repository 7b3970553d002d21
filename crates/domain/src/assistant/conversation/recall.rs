//! What was said elsewhere and may matter here.

use std::collections::BTreeSet;

use super::{Message, Talks, nearness::likest};
use crate::{
    clock::Timestamp,
    error::Error,
    id::{ConversationId, UserId},
    shop::Shop,
    text,
};

/// The most words of a question that are looked for: the longest, for they are the rarest.
const WORDS_MOST: usize = 12;
/// Shorter words of the Latin alphabet say nothing.
const WORD_MIN: usize = 3;
/// Most characters of what is told again of one message.
const EXCERPT: usize = 500;
/// How many messages are looked at for their meaning: so many that have words of the question, and so many of the latest.
const LOOKED_AT: u32 = 24;

/// Something that was said in another conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct Memory {
    /// Where.
    pub conversation: ConversationId,
    /// What.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("conversation", &self.conversation).finish_non_exhaustive()
    }
}

impl Memory {
    /// The beginning of it.
    pub(super) fn excerpt(&self) -> String {
        excerpt(&self.text)
    }
}

/// The beginning of a text.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT).collect()
}

/// How much a text is like a question: how many of its words stand in it. One word in common is nothing, unless there is no other.
pub fn likeness(words: &[String], search_text: &str) -> usize {
    let there: BTreeSet<&str> = search_text.split(' ').collect();
    let common = words.iter().filter(|word| there.contains(word.as_str())).count();
    if common >= words.len().clamp(1, 2) { common } else { 0 }
}

/// By which words something alike is looked for.
pub(super) fn words(question: &Message) -> Vec<String> {
    let says_something = |word: &String| !word.is_ascii() || word.len() >= WORD_MIN;
    let words: BTreeSet<String> = text::tokens(&question.text()).filter(says_something).collect();
    let mut words: Vec<String> = words.into_iter().collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    words.truncate(WORDS_MOST);
    words
}

/// What was said elsewhere and is like a question, by its words and by what it means. While meaning cannot be told it goes by words; what
/// cannot be remembered at all is not missed: the talk goes on without it.
pub(super) async fn recalled(
    talks: &Talks,
    shop: &Shop,
    owner: UserId,
    but: Option<ConversationId>,
    question: &Message,
) -> Vec<Memory> {
    let (most, words) = (talks.rules.memories, words(question));
    if most == 0 || words.is_empty() {
        return Vec::new();
    }
    let memories = &talks.memories;
    let found = async {
        let worded = memories.related(owner, but, &words, most.max(LOOKED_AT)).await?;
        Ok::<_, Error>((worded, memories.latest(owner, but, LOOKED_AT).await?))
    };
    let (worded, latest) = match found.await {
        Ok(found) => found,
        Err(error) => {
            shop.meter.memory_recall_failed();
            tracing::warn!(%error, "memory_recall_failed");
            return Vec::new();
        }
    };
    let mut likest = match likest(&*talks.embedder, &question.text(), &worded, latest).await {
        Ok(likest) => likest,
        Err(error) => {
            shop.meter.memory_recalled_by_words();
            tracing::warn!(%error, "memory_recalled_by_words");
            worded
        }
    };
    likest.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    likest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_alike_by_their_common_words() {
        let words = ["walnut", "lamp", "desk"].map(str::to_owned);
        assert_eq!(likeness(&words, "a desk lamp of walnut"), 3);
        assert_eq!(likeness(&words, "a lamp for the desk"), 2);
        assert_eq!(likeness(&words, "a lamp"), 0, "one word is nothing");
        assert_eq!(likeness(&words[..1], "of walnut"), 1, "unless there is no other");
        assert_eq!(likeness(&words[..1], "of walnuts"), 0);
        assert_eq!(likeness(&[], "anything"), 0);
    }
}
