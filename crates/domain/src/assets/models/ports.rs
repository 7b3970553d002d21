//! What models need from outside.

use async_trait::async_trait;

use super::{Declared, Fault, Findings, Model, ModelFormat, Version, VersionNumber};
use crate::{
    assets::{Storeroom, ports::Held},
    catalog::policy::Scope,
    error::Result,
    id::{ModelId, ProductId},
    page::{Page, PageRequest},
};

/// The write side of models. Who holds which bytes, and how many count for whom, is the caller's matter.
#[async_trait]
pub trait ModelRepo: Send {
    /// Stores a new model.
    async fn insert(&mut self, model: &Model) -> Result<()>;

    /// The model of that id. Until the transaction ends nobody else changes it or its versions.
    async fn find(&mut self, id: ModelId) -> Result<Option<Model>>;

    /// Replaces product, name, latest number and the moment of the last change.
    async fn update(&mut self, model: &Model) -> Result<()>;

    /// Stores a new version.
    async fn insert_version(&mut self, version: &Version) -> Result<()>;

    /// The version of that number, with what was made of it.
    async fn find_version(&mut self, id: ModelId, number: VersionNumber) -> Result<Option<Version>>;

    /// Every version, the oldest first.
    async fn versions_of(&mut self, id: ModelId) -> Result<Vec<Version>>;

    /// Replaces how far a version is, what is known of it, its file and what was made of it.
    async fn update_version(&mut self, version: &Version) -> Result<()>;

    /// Removes a version.
    async fn delete_version(&mut self, id: ModelId, number: VersionNumber) -> Result<()>;

    /// Removes a model with its versions.
    async fn delete(&mut self, id: ModelId) -> Result<()>;

    /// Models whose product is gone for good, at most `limit`.
    async fn orphans(&mut self, limit: u32) -> Result<Vec<Model>>;
}

/// The read side of models. Who may see a product may see its models.
#[async_trait]
pub trait ModelQueries: Send + Sync {
    /// A page of them, the newest first; of one product only, if asked for.
    async fn list(&self, scope: Scope, product: Option<ProductId>, page: PageRequest) -> Result<Page<Model>>;

    /// The model of that id.
    async fn get(&self, id: ModelId, scope: Scope) -> Result<Option<Model>>;

    /// A page of its versions, the newest first. The caller has seen that the model may be seen.
    async fn versions(&self, id: ModelId, page: PageRequest) -> Result<Page<Version>>;

    /// The version of that number; without one the highest that is ready.
    async fn version(&self, id: ModelId, number: Option<VersionNumber>) -> Result<Option<Version>>;

    /// Versions that are examined or wait for it, of the oldest models first, at most `limit`.
    async fn processing(&self, limit: u32) -> Result<Vec<(ModelId, VersionNumber)>>;
}

/// A stored file that is to be examined.
#[derive(Debug, Clone)]
pub struct Source {
    /// Where it is read from.
    pub room: Storeroom,
    /// Which it is.
    pub held: Held,
    /// What it is.
    pub format: ModelFormat,
}

/// What an examination gave; what is wrong with the file itself is no error of whoever looks at it.
pub type Verdict<T> = std::result::Result<T, Fault>;

/// Pictures of a model, and a small copy of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Depiction {
    /// As many as there are kinds of renditions, in the order of [`RenditionKind::ALL`](super::RenditionKind::ALL).
    pub renditions: [Vec<u8>; 4],
    /// The room below what hangs over, in cubic millimetres.
    pub overhang: f64,
}

/// Examines models. Memory MUST NOT grow with the file beyond what the operator allows.
#[async_trait]
pub trait Analysis: Send + Sync {
    /// Something that looks at the bytes of a file while they come.
    fn gate(&self, declared: Declared) -> Box<dyn Gate>;

    /// Measures a file.
    ///
    /// # Errors
    /// When it could not be read; another attempt may succeed.
    async fn measure(&self, source: Source) -> Result<Verdict<Findings>>;

    /// Draws a file that was measured.
    ///
    /// # Errors
    /// Those of [`Analysis::measure`].
    async fn depict(&self, source: Source, findings: &Findings) -> Result<Verdict<Depiction>>;
}

/// Looks at the bytes of a file while they come. Its memory does not grow with them.
pub trait Gate: Send {
    /// The next bytes.
    fn push(&mut self, piece: &[u8]) -> Verdict<()>;

    /// What the file is, now that all of it has come.
    fn finish(&mut self) -> Verdict<ModelFormat>;
}
