//! A product as it is kept.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Slug;
use crate::{
    assets::image::Picture,
    clock::Timestamp,
    id::{CategoryId, ImageId, ProductId, SellerId, UserId},
    money::Amount,
};

/// Counts the changes of a product, from 1. Stock, rating and reviews do not change it (ruling R16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub i64);

impl Version {
    /// The version of a new product.
    pub const FIRST: Self = Self(1);

    /// The version after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Where a product stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProductStatus {
    /// Seen by its seller only.
    Draft,
    /// Seen by everybody.
    Published,
    /// Taken out of the lists by its seller.
    Archived,
}

impl ProductStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Published, Self::Archived];

    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Archived => "archived",
        }
    }

    /// The status of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What buyers think, kept in step with the reviews.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// The sum of all stars.
    pub sum: i64,
    /// How many reviews are shown.
    pub count: i64,
}

/// A picture, by its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Where it is; of an uploaded one without the origin.
    pub url: String,
    /// What it shows, for those who do not see it.
    pub alt: Option<String>,
    /// What is kept of it when it was uploaded; nothing of a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Box<Picture>>,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// The account that sells it.
    pub seller: SellerId,
    /// The category it is in.
    pub category: Option<CategoryId>,
    /// The seller's own number for it, unique within the seller.
    pub sku: Option<String>,
    /// Its name.
    pub name: String,
    /// Its name in URLs, unique in the installation.
    pub slug: Slug,
    /// At most 1000 characters.
    pub description: String,
    /// Greater than zero, in minor units of the shop's currency.
    pub price: Amount,
    /// Pieces on hand, never negative.
    pub stock: i64,
    /// Where it stands in its life.
    pub status: ProductStatus,
    /// What else the seller says of it: one JSON object.
    pub metadata: Map<String, Value>,
    /// Its pictures, in order.
    pub images: Vec<Image>,
    /// What buyers think.
    pub rating: Rating,
    /// How often it was changed.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When and by whom it was deleted.
    pub deleted: Option<Deleted>,
}

/// A soft deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: UserId,
}
