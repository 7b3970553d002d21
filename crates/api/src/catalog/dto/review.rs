//! What reviews look like in JSON.

use chrono::{DateTime, Utc};
use domain::catalog::{Review, ReviewInput, ReviewPatch};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::Fields;

/// A new review.
#[derive(Debug, ToSchema)]
#[schema(as = NewReview)]
pub struct NewReviewBody {
    /// 1 to 5 stars.
    #[schema(example = 5, minimum = 1, maximum = 5)]
    pub stars: i32,
    /// What there is to say.
    #[schema(example = "Warm light", max_length = 2000, format = "paragraph")]
    pub comment: Option<String>,
}

/// Reads a [`NewReviewBody`].
pub fn new_review(fields: &mut Fields<'_>) -> ReviewInput {
    ReviewInput { stars: fields.small("stars"), comment: fields.text("comment") }
}

/// A change of a review: what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(as = ReviewPatch)]
pub struct ReviewPatchBody {
    /// Other stars.
    #[schema(example = 4, minimum = 1, maximum = 5, nullable = false)]
    pub stars: Option<i32>,
    /// Other words.
    #[schema(max_length = 2000, format = "paragraph", nullable = false)]
    pub comment: Option<String>,
}

/// Reads a [`ReviewPatchBody`].
pub fn review_patch(fields: &mut Fields<'_>) -> ReviewPatch {
    fields.of_a_change();
    let mut patch = ReviewPatch::default();
    if let Some(stars) = fields.small("stars") {
        patch.stars(stars, &mut fields.violations);
    }
    if let Some(comment) = fields.text("comment") {
        patch.comment(&comment, &mut fields.violations);
    }
    patch
}

/// Whether a review is out of sight.
#[derive(Debug, ToSchema)]
#[schema(as = ReviewModeration)]
pub struct ModerationBody {
    /// True takes it out of sight, false brings it back.
    #[schema(example = true)]
    pub hidden: bool,
}

/// A review.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Review)]
#[serde(rename_all = "camelCase")]
pub struct ReviewView<'a> {
    /// Its id.
    pub id: Uuid,
    /// What it is about.
    pub product_id: Uuid,
    /// Who wrote it.
    pub user_id: Uuid,
    /// 1 to 5 stars.
    #[schema(example = 5, minimum = 1, maximum = 5)]
    pub stars: i32,
    /// What they say.
    #[schema(example = "Warm light")]
    pub comment: &'a str,
    /// A moderator took it out of sight.
    pub hidden: bool,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl<'a> From<&'a Review> for ReviewView<'a> {
    fn from(review: &'a Review) -> Self {
        Self {
            id: review.id.0,
            product_id: review.product.0,
            user_id: review.author.0,
            stars: review.stars,
            comment: &review.comment,
            hidden: review.hidden,
            created_at: review.created_at,
            updated_at: review.updated_at,
        }
    }
}
