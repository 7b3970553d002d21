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
pub struct KnownCategories(Arc<HashMap<Place, Category>>);

impl KnownCategories {
    async fn load(tx: &mut dyn Tx) -> Result<Self> {
        let all = tx.categories().all().await?;
        Ok(Self(Arc::new(all.into_iter().map(|category| (place(category.parent, &category.name), category)).collect())))
    }

    /// The category at the end of a path, when every step of it is known.
    pub(super) fn find(&self, path: &[String]) -> Option<CategoryId> {
        path.iter().try_fold(None, |parent, name| Some(Some(self.0.get(&place(parent, name))?.id))).flatten()
    }

    /// Finds or makes every category on these paths, in their order; what is made is told of in `changes`. The tree is
    /// read only when a path is not known, or when somebody deleted one since.
    pub(super) async fn know(
        &mut self,
        shop: &Shop,
        tx: &mut dyn Tx,
        paths: impl Iterator<Item = &[String]> + Clone + Send,
        changes: &mut Vec<Change>,
    ) -> Result<()> {
        let distinct: HashSet<&[String]> = paths.clone().filter(|path| !path.is_empty()).collect();
        let used: Option<Vec<CategoryId>> = distinct.iter().map(|path| self.find(path)).collect();
        if let Some(used) = used
            && (used.is_empty() || tx.categories().existing(&used).await?.len() == used.len())
        {
            return Ok(());
        }
        tx.categories().lock_tree().await?;
        *self = Self::load(tx).await?;
        for path in paths {
            self.find_or_make(shop, tx, path, changes).await?;
        }
        Ok(())
    }

    /// The category at the end of a path; the steps that are missing are made, and told of in `changes`.
    async fn find_or_make(
        &mut self,
        shop: &Shop,
        tx: &mut dyn Tx,
        path: &[String],
        changes: &mut Vec<Change>,
    ) -> Result<Option<CategoryId>> {
        let mut above: Option<Category> = None;
        for name in path {
            let place = place(above.as_ref().map(|parent| parent.id), name);
            let category = if let Some(known) = self.0.get(&place) {
                known.clone()
            } else {
                let made = make(shop, tx, above.as_ref(), name).await?;
                changes.push(events::category::created(&made));
                Arc::make_mut(&mut self.0).insert(place, made.clone());
                made
            };
            above = Some(category);
        }
        Ok(above.map(|category| category.id))
    }
}

async fn make(shop: &Shop, tx: &mut dyn Tx, parent: Option<&Category>, name: &str) -> Result<Category> {
    let (id, now, base) = (shop.id::<CategoryId>(), shop.now(), Slug::of(name));
    let mut category = Category {
        id,
        parent: parent.map(|parent| parent.id),
        name: name.to_owned(),
        slug: base.to_string(),
        path: Category::path_below(parent, id),
        rank: 0,
        created_at: now,
        updated_at: now,
    };
    if !tx.categories().insert(&category).await? {
        category.slug = base.with_suffix(id.0).to_string();
        if !tx.categories().insert(&category).await? {
            return Err(Error::Transient("two categories got one slug at once".into()));
        }
    }
    Ok(category)
}

fn place(parent: Option<CategoryId>, name: &str) -> Place {
    (parent, name.to_lowercase())
}
