//! Keeping vectors in step with the catalogue, one stored step after the other.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use sha2::{Digest as _, Sha256};

use super::{
    Index, Passage, TextVectors, Vector,
    ports::{Progress, StoredVector, VectorStore},
};
use crate::{
    catalog::{
        Product, ProductStatus, Statuses,
        export::ProductExport,
        policy::Scope,
        ports::{CategoryQueries, ProductQueries},
        queries::ProductFilter,
    },
    error::{Error, Result},
    event::Fact,
    id::{CategoryId, ProductId},
    realtime::EventFeed,
};

/// Products or events looked at in one step.
const PAGE: u32 = 200;
/// Vectors read at a time.
const READ: u32 = 2_000;
/// Which products have vectors.
const KEPT: [ProductStatus; 2] = [ProductStatus::Draft, ProductStatus::Published];

/// The digest of what has no vector any more.
const GONE: i64 = 0;

/// What keeps vectors.
#[derive(Clone)]
pub struct Keeping {
    /// Where they are stored.
    pub vectors: Arc<dyn VectorStore>,
    /// The log that says what changed.
    pub feed: Arc<dyn EventFeed>,
    /// Reads products.
    pub products: Arc<dyn ProductQueries>,
    /// Walks them.
    pub export: Arc<dyn ProductExport>,
    /// The words of categories.
    pub categories: Arc<dyn CategoryQueries>,
    /// What makes vectors.
    pub embedder: Arc<dyn TextVectors>,
}

impl fmt::Debug for Keeping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeping").field("model", &self.embedder.model()).finish_non_exhaustive()
    }
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Vectors that were made or taken away.
    pub vectors: usize,
    /// Whether more is likely to be done.
    pub more: bool,
}

/// Takes the next step: a page of the walk while the catalogue is walked, else a page of the log. How far one got is stored with
/// the vectors, so a kill loses nothing and nothing is done twice.
///
/// # Errors
/// Those of the ports; those of the embedder leave everything as it is.
pub async fn keep_vectors(with: &Keeping) -> Result<Kept> {
    let from = with.vectors.progress().await?;
    let head = from.head + 1;
    let model = with.embedder.model();
    if from.model != model {
        let seq = with.feed.reach().await?.last;
        let to = Progress { head, began: head, model: model.to_owned(), walking: true, after: None, seq };
        with.vectors.keep(&from, &to, &[]).await?;
        return Ok(Kept { vectors: 0, more: true });
    }
    let (to, vectors) = if from.walking {
        let page = with.export.next(None, from.after, PAGE).await?;
        let after = page.last().map(|product| product.id);
        let ids: Vec<ProductId> = page.iter().map(|product| product.id).collect();
        let vectors = made(with, from.began, &ids, page).await?;
        (Progress { head, walking: after.is_some(), after, ..from.clone() }, vectors)
    } else {
        let page = with.feed.after(from.seq, PAGE).await?;
        let (Some(first), Some(last)) = (page.first(), page.last()) else {
            return Ok(Kept { vectors: 0, more: false });
        };
        let mut news = Heard { all: first.seq > from.seq + 1, ..Heard::default() };
        for numbered in &page {
            news.event(Fact::of(&numbered.event).ok());
        }
        let ids: Vec<ProductId> = news.products.into_iter().collect();
        let filter = ProductFilter { statuses: Statuses::from_iter(KEPT), ..ProductFilter::published(Scope::All) };
        let found = with.products.among(&ids, &filter).await?.into_iter().map(|one| one.product).collect();
        let vectors = made(with, from.began, &ids, found).await?;
        (Progress { head, walking: news.all, after: None, seq: last.seq, ..from.clone() }, vectors)
    };
    let stored = with.vectors.keep(&from, &to, &vectors).await?;
    Ok(Kept { vectors: if stored { vectors.len() } else { 0 }, more: true })
}

/// What a page of the log says.
#[derive(Debug, Default)]
struct Heard {
    /// These products changed.
    products: BTreeSet<ProductId>,
    /// Any product may have: events were purged before they were heeded, or categories have other names.
    all: bool,
}

impl Heard {
    fn event(&mut self, fact: Option<Fact>) {
        match fact {
            Some(Fact::Product(fact)) => {
                self.products.insert(fact.product_id);
            }
            Some(Fact::Category(_)) => self.all = true,
            _ => {}
        }
    }
}

/// The vectors of these products that are not as they should be; of those that are not among `found` any vector goes.
async fn made(with: &Keeping, began: u64, ids: &[ProductId], found: Vec<Product>) -> Result<Vec<StoredVector>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let names: HashMap<CategoryId, String> =
        with.categories.tree().await?.into_iter().map(|node| (node.category.id, node.category.name)).collect();
    let stored: HashMap<ProductId, i64> = with.vectors.sources(ids, began).await?.into_iter().collect();
    let mut found: HashMap<ProductId, Product> =
        found.into_iter().filter(|product| KEPT.contains(&product.status)).map(|one| (one.id, one)).collect();
    let (mut wanted, mut gone) = (Vec::new(), Vec::new());
    for id in ids {
        let Some(product) = found.remove(id) else {
            if stored.get(id).is_some_and(|source| *source != GONE) {
                gone.push(StoredVector { product: *id, source: GONE, vector: None });
            }
            continue;
        };
        let name = product.category.and_then(|category| names.get(&category)).map(String::as_str);
        let passage = Passage::of(&product, name);
        let source = digest(with.embedder.model(), &passage);
        if stored.get(id) != Some(&source) {
            wanted.push((*id, source, passage));
        }
    }
    let passages: Vec<Passage> = wanted.iter().map(|(_, _, passage)| passage.clone()).collect();
    let vectors = if passages.is_empty() { Vec::new() } else { with.embedder.embed(&passages).await? };
    if vectors.len() != wanted.len() {
        return Err(Error::internal("an embedder gave fewer or more vectors than texts it was given"));
    }
    let made = wanted.iter().zip(&vectors).map(|((product, source, _), numbers)| StoredVector {
        product: *product,
        source: *source,
        vector: Vector::of(numbers).map(|vector| vector.bytes().to_vec()),
    });
    Ok(gone.into_iter().chain(made).collect())
}

/// What a vector is made of and by, in few bytes.
fn digest(model: &str, passage: &Passage) -> i64 {
    let mut hash = Sha256::new();
    for part in [model, &passage.title, &passage.body] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    hash.iter().take(8).fold(0, |number, byte| number << 8 | i64::from(*byte))
}

/// Brings the index of this node to where the database is, and gives how many vectors it read.
///
/// # Errors
/// Those of the port; what was read until then stays.
pub async fn follow(index: &Index, vectors: &dyn VectorStore) -> Result<usize> {
    index.begin(&vectors.progress().await?);
    let mut read = 0;
    loop {
        let place = index.place();
        let page = vectors.changed(place.head, place.product, READ).await?;
        let full = u32::try_from(page.len()).is_ok_and(|read| read >= READ);
        read += page.len();
        index.apply(page);
        if !full {
            return Ok(read);
        }
    }
}
