//! A buyer's review of a product.

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    id::{ProductId, ReviewId, UserId},
};

/// A review. A person has at most one per product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// What it is about.
    pub product: ProductId,
    /// Who wrote it.
    pub author: UserId,
    /// 1 to 5 stars.
    pub stars: i32,
    /// At most 2000 characters.
    pub comment: String,
    /// A moderator took it out of sight; it does not count then.
    pub hidden: bool,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
