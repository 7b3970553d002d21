//! An upload in portions.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    assets::{Holder, Kept},
    clock::Timestamp,
    id::{ModelId, ProductId, SellerId, UploadId, UserId},
};

/// What an upload is to become, as it was said when it began and checked then. It is stored in this form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Purpose {
    /// A file of a product.
    File {
        /// The product.
        product: ProductId,
        /// What the file is called.
        name: String,
        /// What it is said to be.
        media_type: String,
        /// Under which terms it is given.
        licence: Option<String>,
        /// Whether it is for whoever may see the product.
        public: bool,
    },
    /// A 3D model of a product, with its first version.
    Model {
        /// The product.
        product: ProductId,
        /// Its name; that of the file when absent.
        name: Option<String>,
        /// What the file is called.
        file_name: String,
    },
    /// A further version of a 3D model.
    ModelVersion {
        /// The model.
        model: ModelId,
        /// What the file is called.
        file_name: String,
    },
}

impl Purpose {
    /// Its name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Model { .. } => "model",
            Self::ModelVersion { .. } => "model_version",
        }
    }
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UploadState {
    /// Bytes are missing.
    Receiving,
    /// All are there, and are being handed over.
    Finishing,
    /// It became what it was to become.
    Done,
    /// It became nothing; why is told.
    Failed,
}

impl UploadState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Receiving, Self::Finishing, Self::Done, Self::Failed];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Finishing => "finishing",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What an upload became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// A file of a product, or a 3D model; by its id.
    Made {
        /// The file, or the model.
        id: Uuid,
        /// Which version of the model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<u32>,
    },
    /// Nothing, for this reason.
    Refused {
        /// What was wrong, for people.
        message: String,
    },
}

/// An upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumable {
    /// Its id.
    pub id: UploadId,
    /// Who brings it, and for whom it counts.
    pub by: UserId,
    /// The seller account it is brought for, and for which it counts.
    pub seller: SellerId,
    /// What it is to become.
    pub purpose: Purpose,
    /// How many bytes it has when it is whole.
    pub length: u64,
    /// How many of them are there for good.
    pub offset: u64,
    /// How far it is.
    pub state: UploadState,
    /// What became of it.
    pub outcome: Option<Outcome>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it is forgotten; each portion puts that off.
    pub expires_at: Timestamp,
}

impl Resumable {
    /// For whom its bytes count, from its beginning to its end.
    pub fn holders(&self) -> [Holder; 2] {
        [Holder::Person(self.by), Holder::Seller(self.seller)]
    }

    /// Whether its bytes are counted and held.
    pub fn is_open(&self) -> bool {
        matches!(self.state, UploadState::Receiving | UploadState::Finishing)
    }
}

/// A portion that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Where it begins.
    pub offset: u64,
    /// Where its bytes lie, and how many they are.
    pub kept: Kept,
}
