//! Finding products by words and by meaning together, and products like another.

use std::{collections::HashMap, fmt, sync::Arc};

use super::{Index, Passage, TextVectors, Vector};
use crate::{
    catalog::{
        policy::Scope,
        ports::ProductQueries,
        queries::{Order, ProductFilter, ProductSort, ProductSummary, SortBy},
    },
    error::{Error, Result},
    id::ProductId,
    page::Limit,
    text::{self, Search},
};

/// The most products that are looked at for their meaning.
pub const NEAREST: usize = 400;
/// The most products that are looked at for their words.
const WORDED: u32 = 100;
/// What is less near than this is not like it at all.
pub const LEAST: f32 = 0.14;
/// How much the first places of a ranking count more than the later ones.
const EVEN: f32 = 60.0;

/// How products are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By words alone, as the lists do.
    Text,
    /// By words and by meaning.
    Hybrid,
}

impl Mode {
    /// The name shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Hybrid => "hybrid",
        }
    }

    /// The mode of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Text, Self::Hybrid].into_iter().find(|mode| mode.name() == name)
    }
}

/// A product that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The product.
    pub summary: ProductSummary,
    /// Whether it has the words.
    pub worded: bool,
    /// How near its meaning is; `None` when it was not looked at.
    pub score: Option<f32>,
}

/// What was found, the best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// How it was searched: by words alone, too, while meaning cannot be told.
    pub mode: Mode,
    /// The products.
    pub found: Vec<Found>,
}

/// Finds products.
#[derive(Clone)]
pub struct Finder {
    /// The vectors this node knows.
    pub index: Arc<Index>,
    /// What makes vectors of questions.
    pub embedder: Arc<dyn TextVectors>,
    /// Reads products.
    pub products: Arc<dyn ProductQueries>,
}

impl fmt::Debug for Finder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finder").field("model", &self.embedder.model()).finish_non_exhaustive()
    }
}

impl Finder {
    /// The best products of a filter for a text. While the embedder is away they are found by words alone.
    ///
    /// # Errors
    /// Those of reading products.
    pub async fn search(&self, filter: &ProductFilter, text: &str, mode: Mode, limit: Limit) -> Result<Findings> {
        let asked = match mode {
            Mode::Text => None,
            Mode::Hybrid => self.asked(text).await?,
        };
        let search = Search::new(text);
        let sort = ProductSort { by: SortBy::CreatedAt, order: Order::Descending };
        let worded = ProductFilter { search: Some(search.clone()), ..filter.clone() };
        let Some(vector) = asked else {
            let slice = self.products.slice(&worded, sort, None, limit).await?;
            let found = slice.items.into_iter().map(|summary| Found { summary, worded: true, score: None });
            return Ok(Findings { mode: Mode::Text, found: found.collect() });
        };
        let near = self.index.nearest(&vector, NEAREST).await;
        let near: Vec<_> = near.into_iter().filter(|near| near.score >= LEAST).collect();
        let ids: Vec<ProductId> = near.iter().map(|near| near.product).collect();
        let meant = if ids.is_empty() { Vec::new() } else { self.products.among(&ids, filter).await? };
        let words = self.products.slice(&worded, sort, None, Limit::new(WORDED).unwrap_or_default()).await?.items;
        let mut found: HashMap<ProductId, Found> = HashMap::new();
        for summary in meant.into_iter().chain(words) {
            let product = &summary.product;
            let worded = search.matches(&text::search_text(&[&product.name, &product.description]));
            found.entry(product.id).or_insert(Found { summary, worded, score: None });
        }
        let ids: Vec<ProductId> = found.keys().copied().collect();
        for (id, score) in self.index.scores(&vector, &ids) {
            if let Some(found) = found.get_mut(&id) {
                found.score = Some(score);
            }
        }
        let mut found = fused(found.into_values().collect());
        found.truncate(usize::try_from(limit.get()).unwrap_or(usize::MAX));
        Ok(Findings { mode: Mode::Hybrid, found })
    }

    /// Published products like this one, the likest first; `None` when the caller may not know of it.
    ///
    /// # Errors
    /// Those of reading products.
    pub async fn similar(&self, id: ProductId, scope: Scope, limit: Limit) -> Result<Option<Vec<ProductSummary>>> {
        if self.products.get(id, scope).await?.is_none() {
            return Ok(None);
        }
        let Some(vector) = self.index.vector(id) else { return Ok(Some(Vec::new())) };
        let near = self.index.nearest(&vector, NEAREST).await;
        let ids: Vec<ProductId> =
            near.iter().filter(|near| near.product != id && near.score >= LEAST).map(|near| near.product).collect();
        if ids.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let mut found = self.products.among(&ids, &ProductFilter::published(Scope::Published)).await?;
        let places: HashMap<ProductId, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
        found.sort_by_key(|one| places.get(&one.product.id).copied());
        found.truncate(usize::try_from(limit.get()).unwrap_or(usize::MAX));
        Ok(Some(found))
    }

    /// The direction of a question; nothing while that cannot be told.
    async fn asked(&self, text: &str) -> Result<Option<Vector>> {
        match self.embedder.embed(&[Passage::question(text)]).await {
            Ok(vectors) => Ok(vectors.first().and_then(|numbers| Vector::of(numbers))),
            Err(error @ (Error::Unavailable { .. } | Error::Limited(_))) => {
                tracing::warn!(%error, "search by words alone");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Puts in order by the places in both rankings: that of meaning, and that of those with all words, which is by meaning as well.
fn fused(mut found: Vec<Found>) -> Vec<Found> {
    let nearer = |a: &Found, b: &Found| {
        let score = |one: &Found| one.score.unwrap_or(-1.0);
        score(b).total_cmp(&score(a)).then(a.summary.product.id.cmp(&b.summary.product.id))
    };
    found.sort_by(nearer);
    let (mut place, mut worded) = (0.0, 0.0);
    let mut ranked: Vec<(f32, Found)> = Vec::with_capacity(found.len());
    for one in found {
        let mut rank = 0.0;
        if one.score.is_some() {
            place += 1.0;
            rank += 1.0 / (EVEN + place);
        }
        if one.worded {
            worded += 1.0;
            rank += 1.0 / (EVEN + worded);
        }
        ranked.push((rank, one));
    }
    // In the order of nearness still, where ranks are equal.
    ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    ranked.into_iter().map(|(_, one)| one).collect()
}
