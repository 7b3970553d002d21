//! Which of what was said elsewhere means the like of a question, though it may say it in other words.

use std::cmp::Ordering;

use super::{Memory, recall::excerpt};
use crate::{
    catalog::similar::{LEAST, Passage, TextVectors, Vector},
    error::Result,
};

/// What has not the words of the question must be as near as this part of what is nearest: who is reminded of everything is reminded of
/// nothing, and models differ in how near they take what has nothing in common.
const PART: f32 = 0.5;
/// How much the first places of a ranking count more than the later ones.
const EVEN: f32 = 60.0;

/// Something that was said, and how it is like the question.
struct Candidate {
    memory: Memory,
    /// Its place among those that have words of the question.
    worded: Option<f32>,
    near: Option<f32>,
}

/// What was said that is like a question, the likest first: by the places in both rankings, that of words, in which `worded` comes, and
/// that of meaning. Of `others` only what is near is there.
///
/// # Errors
/// Those of what makes the vectors.
pub(super) async fn likest(
    embedder: &dyn TextVectors,
    question: &str,
    worded: &[Memory],
    others: Vec<Memory>,
) -> Result<Vec<Memory>> {
    let mut place = 0.0;
    let worded = worded.iter().map(|memory| {
        place += 1.0;
        Candidate { memory: memory.clone(), worded: Some(place), near: None }
    });
    let mut all: Vec<Candidate> = worded.collect();
    for memory in others {
        if !all.iter().any(|known| known.memory == memory) {
            all.push(Candidate { memory, worded: None, near: None });
        }
    }
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let said = |one: &Candidate| Passage { title: one.memory.excerpt(), body: String::new(), asked: false };
    let passages = [Passage::question(&excerpt(question))].into_iter().chain(all.iter().map(said));
    let vectors = embedder.embed(&passages.collect::<Vec<_>>()).await?;
    let mut vectors = vectors.iter().map(|numbers| Vector::of(numbers));
    if let Some(asked) = vectors.next().flatten() {
        for (one, vector) in all.iter_mut().zip(vectors) {
            one.near = vector.map(|vector| asked.nearness(&vector));
        }
    }
    let nearest = all.iter().filter_map(|one| one.near).fold(0.0, f32::max);
    let least = LEAST.max(nearest * PART);
    all.retain(|one| one.worded.is_some() || one.near.is_some_and(|near| near >= least));
    Ok(fused(all))
}

fn fused(mut all: Vec<Candidate>) -> Vec<Memory> {
    // What is as near stays as it came.
    all.sort_by(|a, b| b.near.partial_cmp(&a.near).unwrap_or(Ordering::Equal));
    let mut place = 0.0;
    let ranked = all.into_iter().map(|one| {
        let rank = |place: f32| 1.0 / (EVEN + place);
        let near = one.near.map_or(0.0, |_| {
            place += 1.0;
            rank(place)
        });
        (near + one.worded.map_or(0.0, rank), one.memory)
    });
    let mut ranked: Vec<(f32, Memory)> = ranked.collect();
    ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    ranked.into_iter().map(|(_, memory)| memory).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Timestamp, id::ConversationId, testing::PlainEmbedder};

    fn said(text: &str) -> Memory {
        Memory { conversation: ConversationId(uuid::Uuid::nil()), text: text.to_owned(), at: Timestamp::UNIX_EPOCH }
    }

    async fn found(question: &str, worded: &[&str], others: &[&str]) -> Vec<String> {
        let all = |texts: &[&str]| texts.iter().map(|text| said(text)).collect::<Vec<_>>();
        let found = likest(&PlainEmbedder::default(), question, &all(worded), all(others)).await.unwrap();
        found.into_iter().map(|memory| memory.text).collect()
    }

    #[tokio::test]
    async fn what_means_the_like_is_found_and_what_is_far_is_not() {
        let others = ["our ship is green", "the lamp was dear", "my boat is green"];
        assert_eq!(found("my ship is green", &[], &others).await, ["my boat is green", "our ship is green"]);
        assert_eq!(found("sorrow", &[], &others[..1]).await, [""; 0]);
        assert_eq!(found("anything", &[], &[]).await, [""; 0]);
    }

    #[tokio::test]
    async fn what_has_the_words_stays_and_comes_by_both_rankings() {
        let worded = ["green paint for a house in town", "a green ship"];
        assert_eq!(found("a green boat", &worded, &["a green ship", "grief"]).await, [worded[1], worded[0]]);
        assert_eq!(found("\u{2014}", &worded, &["a green boat"]).await, worded, "without a meaning words are left");
    }
}
