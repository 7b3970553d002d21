//! What a buyer sends to write or change a review, and the rules it must keep.

use crate::{
    error::{Breach, Violations},
    text,
};

/// Most characters of a comment.
const COMMENT_MAX: usize = 2000;

/// A review as sent, unchecked.
#[derive(Debug, Clone, Default)]
pub struct ReviewInput {
    /// Required, 1 to 5.
    pub stars: Option<i32>,
    /// At most 2000 characters; empty when absent.
    pub comment: Option<String>,
}

/// A checked [`ReviewInput`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReview {
    pub(super) stars: i32,
    pub(super) comment: String,
}

impl ReviewInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(self, violations: &mut Violations) -> Option<NewReview> {
        let stars = match self.stars {
            Some(stars) => violations.check("/stars", stars_rule(stars)),
            None => violations.missing("/stars"),
        };
        let comment = violations.check("/comment", comment_rule(&self.comment.unwrap_or_default()));
        Some(NewReview { stars: stars?, comment: comment? })
    }
}

/// A change of a review: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewPatch {
    pub(super) stars: Option<i32>,
    pub(super) comment: Option<String>,
}

impl ReviewPatch {
    /// Takes another number of stars.
    pub fn stars(&mut self, stars: i32, violations: &mut Violations) {
        self.stars = violations.check("/stars", stars_rule(stars));
    }

    /// Takes another comment.
    pub fn comment(&mut self, comment: &str, violations: &mut Violations) {
        self.comment = violations.check("/comment", comment_rule(comment));
    }
}

fn stars_rule(stars: i32) -> Result<i32, Breach> {
    if (1..=5).contains(&stars) { Ok(stars) } else { Err(Breach::new("range", "must be a whole number from 1 to 5")) }
}

fn comment_rule(comment: &str) -> Result<String, Breach> {
    text::paragraph(comment, 0, COMMENT_MAX)
}
