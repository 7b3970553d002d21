//! The category tree as an import knows it: categories are found by the names on the way to them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Category, Slug, events};
use crate::{
    error::{Error, Result},
    event::Change,
    id::CategoryId,
    shop::Shop,
    store::Tx,
};

/// Siblings whose names differ only in case are one, as in the rule for new categories.
type Place = (Option<CategoryId>, String);

/// What was seen of the tree. Cheap to clone; what a transaction adds counts only after its commit.
#[derive(Debug, Clone, Default)]
pub struct KnownCategories {
    places: Arc<HashMap<Place, Category>>,
    slugs: Arc<HashSet<String>>,
    /// The tree's version when it was so; `None` when nothing was seen of it.
    version: Option<u64>,
}

impl KnownCategories {
    /// Whether the tree still is as it was seen.
    async fn holds(&self, tx: &mut dyn Tx) -> Result<bool> {
        Ok(self.version == Some(tx.categories().version().await?))
    }

    /// Reads the tree, unless it still is as it was seen.
    async fn refresh(&mut self, tx: &mut dyn Tx) -> Result<()> {
        if self.holds(tx).await? {
            return Ok(());
        }
        let all = tx.categories().all().await?;
        self.slugs = Arc::new(all.iter().map(|category| category.slug.clone()).collect());
        let places = all.into_iter().map(|category| (place(category.parent, &category.name), category));
        self.places = Arc::new(places.collect());
        self.version = Some(tx.categories().version().await?);
        Ok(())
    }

    /// The category at the end of a path, when every step of it is known.
    pub(super) fn find(&self, path: &[String]) -> Option<CategoryId> {
        path.iter().try_fold(None, |parent, name| Some(Some(self.places.get(&place(parent, name))?.id))).flatten()
    }

    /// Finds or makes every category on these paths, in their order; what is made is told of in `changes`. The tree is
    /// read only when a path is not known, or when somebody changed it since.
    pub(super) async fn know(
        &mut self,
        shop: &Shop,
        tx: &mut dyn Tx,
        paths: impl Iterator<Item = &[String]> + Send,
        changes: &mut Vec<Change>,
    ) -> Result<()> {
        let paths: Vec<_> = paths.filter(|path| !path.is_empty()).collect();
        let all_known = paths.iter().all(|path| self.find(path).is_some());
        if paths.is_empty() || all_known && self.holds(tx).await? {
            return Ok(());
        }
        self.make_missing(shop, tx, &paths, changes).await
    }

    /// Makes the steps of these paths that are missing, in the order of the paths, and tells of them in `changes`.
    async fn make_missing(
        &mut self,
        shop: &Shop,
        tx: &mut dyn Tx,
        paths: &[&[String]],
        changes: &mut Vec<Change>,
    ) -> Result<()> {
        tx.categories().lock_tree().await?;
        self.refresh(tx).await?;
        let mut made = Vec::new();
        for path in paths {
            if self.find(path).is_none() {
                self.make(shop, path, &mut made);
            }
        }
        if made.is_empty() {
            return Ok(());
        }
        // The slugs of a tree that is held are all known; another kind of store may only tell at the commit.
        tx.categories().insert_many(&made).await.map_err(|error| match error {
            Error::Conflict(message) => Error::Transient(message.into()),
            other => other,
        })?;
        self.version = Some(tx.categories().version().await?);
        changes.extend(made.iter().map(events::category::created));
        Ok(())
    }

    fn make(&mut self, shop: &Shop, path: &[String], made: &mut Vec<Category>) {
        let (places, slugs) = (Arc::make_mut(&mut self.places), Arc::make_mut(&mut self.slugs));
        let mut above: Option<Category> = None;
        for name in path {
            let step = places.entry(place(above.as_ref().map(|parent| parent.id), name)).or_insert_with(|| {
                let new = new(shop, above.as_ref(), name, slugs);
                made.push(new.clone());
                new
            });
            above = Some(step.clone());
        }
    }
}

fn new(shop: &Shop, parent: Option<&Category>, name: &str, slugs: &mut HashSet<String>) -> Category {
    let (id, now, base) = (shop.id::<CategoryId>(), shop.now(), Slug::of(name));
    let mut slug = base.to_string();
    if slugs.contains(&slug) {
        slug = base.with_suffix(id.0).to_string();
    }
    slugs.insert(slug.clone());
    Category {
        id,
        parent: parent.map(|parent| parent.id),
        name: name.to_owned(),
        slug,
        path: Category::path_below(parent, id),
        rank: 0,
        created_at: now,
        updated_at: now,
    }
}

fn place(parent: Option<CategoryId>, name: &str) -> Place {
    (parent, name.to_lowercase())
}
