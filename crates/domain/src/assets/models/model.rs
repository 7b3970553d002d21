//! A model, its versions, and what was made of them.

use serde::{Deserialize, Serialize};

use super::Findings;
use crate::{
    assets::Digest,
    clock::Timestamp,
    id::{ModelId, ProductId, SellerId, UserId},
};

/// The number of a version among those of its model, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionNumber(pub u32);

/// A model of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its id.
    pub id: ModelId,
    /// The product it belongs to; `None` once that is gone for good, until the model follows it.
    pub product: Option<ProductId>,
    /// The account that sells the product.
    pub seller: SellerId,
    /// Its name.
    pub name: String,
    /// The highest number that a version of it ever had.
    pub latest: VersionNumber,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it or a version of it last changed.
    pub updated_at: Timestamp,
}

/// A version of a model: one file, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// The model.
    pub model: ModelId,
    /// Its number.
    pub number: VersionNumber,
    /// Who brought it.
    pub by: UserId,
    /// What its file was called; only a label.
    pub file_name: String,
    /// What it is.
    pub format: ModelFormat,
    /// Its file; `None` once that was found to be no model and let go.
    pub source: Option<Digest>,
    /// How long its file is or was, in bytes.
    pub size: u64,
    /// How far it is.
    pub state: VersionState,
    /// What was measured, as soon as it was.
    pub findings: Option<Findings>,
    /// Why it is no model.
    pub fault: Option<Fault>,
    /// What was made of it.
    pub renditions: Vec<Rendition>,
    /// When it was brought.
    pub created_at: Timestamp,
    /// When it last got further.
    pub updated_at: Timestamp,
}

impl Version {
    /// How much of what is to be done is done, of 100.
    pub fn progress(&self) -> u8 {
        match (self.state, &self.findings) {
            (VersionState::Processing, None) => 0,
            (VersionState::Processing, Some(_)) => 50,
            _ => 100,
        }
    }

    /// What was made of it of this kind.
    pub fn rendition(&self, kind: RenditionKind) -> Option<&Rendition> {
        self.renditions.iter().find(|rendition| rendition.kind == kind)
    }
}

/// How far a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionState {
    /// A job looks at it.
    Processing,
    /// All is known of it.
    Ready,
    /// Its file was no model, and is let go.
    Failed,
}

impl VersionState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Processing, Self::Ready, Self::Failed];

    /// The name shown and stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What a file is said to be, by the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declared {
    /// STL, of either kind.
    Stl,
    /// Wavefront OBJ.
    Obj,
    /// 3MF.
    ThreeMf,
}

impl Declared {
    /// What a file of that name is said to be.
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        let ending = ending.to_ascii_lowercase();
        match &*ending {
            "stl" => Some(Self::Stl),
            "obj" => Some(Self::Obj),
            "3mf" => Some(Self::ThreeMf),
            _ => None,
        }
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelFormat {
    /// STL of fixed records.
    StlBinary,
    /// STL as text.
    StlAscii,
    /// Wavefront OBJ.
    Obj,
    /// 3MF.
    ThreeMf,
}

impl ModelFormat {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::StlBinary, Self::StlAscii, Self::Obj, Self::ThreeMf];

    /// The name shown and stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::StlBinary => "stl-binary",
            Self::StlAscii => "stl-ascii",
            Self::Obj => "obj",
            Self::ThreeMf => "3mf",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::StlBinary | Self::StlAscii => "model/stl",
            Self::Obj => "model/obj",
            Self::ThreeMf => "model/3mf",
        }
    }
}

/// Why a file is no model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// A name for programs, such as `NOT_FINITE`.
    pub code: String,
    /// The reason, for people; nothing of the file but numbers.
    pub message: String,
}

/// Something made of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rendition {
    /// What it is.
    pub kind: RenditionKind,
    /// Its bytes.
    pub digest: Digest,
    /// How many.
    pub size: u64,
}

/// What can be made of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RenditionKind {
    /// A picture of 160 pixels.
    Small,
    /// A picture of 480 pixels.
    Medium,
    /// A picture of 960 pixels.
    Large,
    /// A small copy to turn around, as glTF.
    Copy,
}

impl RenditionKind {
    /// Every kind, as they are made.
    pub const ALL: [Self; 4] = [Self::Large, Self::Medium, Self::Small, Self::Copy];

    /// The name stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "preview-160",
            Self::Medium => "preview-480",
            Self::Large => "preview-960",
            Self::Copy => "glb",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The length of a side in pixels; `None` for what is no picture.
    pub fn side(self) -> Option<u32> {
        match self {
            Self::Small => Some(160),
            Self::Medium => Some(480),
            Self::Large => Some(960),
            Self::Copy => None,
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Copy => "model/gltf-binary",
            _ => "image/png",
        }
    }
}
