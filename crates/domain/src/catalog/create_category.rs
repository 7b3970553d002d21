//! Creating a category.

use super::{
    Category, NewCategory, Slug,
    category_input::{parent_in, refuse_deeper, refuse_twin},
    events,
};
use crate::{
    error::{Error, Result},
    id::CategoryId,
    idempotency::{Once, Outcome},
    permission::{Authorized, ManageCatalog},
    shop::Shop,
};

/// Creates a category, below another or at the top.
///
/// # Errors
/// [`Error::Invalid`] for an unknown parent or a tree that would be too deep, [`Error::Conflict`] when a sibling has
/// the name.
pub async fn create_category(
    shop: &Shop,
    by: Authorized<ManageCatalog>,
    new: NewCategory,
    once: &Once<'_, Category>,
) -> Result<Outcome<Category>> {
    let user = by.principal().user;
    let new = &new;
    shop.write_once("create_category", once, |mut tx| async move {
        tx.categories().lock_tree().await?;
        let tree = tx.categories().all().await?;
        let parent = parent_in(&tree, new.parent)?;
        let id = shop.id::<CategoryId>();
        let base = Slug::of(&new.name);
        let now = tx.now();
        let mut category = Category {
            id,
            parent: new.parent,
            name: new.name.clone(),
            slug: base.to_string(),
            path: Category::path_below(parent, id),
            rank: new.rank,
            created_at: now,
            updated_at: now,
        };
        refuse_deeper(category.depth())?;
        refuse_twin(&tree, &category)?;
        if !tx.categories().insert(&category).await? {
            category.slug = base.with_suffix(id.0).to_string();
            if !tx.categories().insert(&category).await? {
                return Err(slug_taken());
            }
        }
        shop.record(&mut *tx, Some(user), events::category::created(&category)).await?;
        tx.commit(category).await
    })
    .await
}

pub(super) fn slug_taken() -> Error {
    Error::conflict("Another category has this slug; retry")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Violations, catalog::CategoryInput, permission::Role, testing::Fixtures};

    fn new(name: &str, parent: Option<CategoryId>) -> NewCategory {
        let input = CategoryInput { name: Some(name.to_owned()), parent, rank: None };
        input.check(&mut Violations::default()).unwrap()
    }

    #[tokio::test]
    async fn a_category_is_made_below_another() {
        let (given, store) = Fixtures::in_memory();
        let admin = given.person(Role::Admin).await;
        let send = async |new| create_category(&given.shop, given.authorized(&admin), new, &Once::always()).await;
        let top = send(new("Prints", None)).await.unwrap().fresh().unwrap();
        let below = send(new("Prints", Some(top.id))).await.unwrap().fresh().unwrap();
        assert!(below.is_within(&top) && below.slug.starts_with("prints-"));
        assert_eq!(store.traces(), vec![("category.create".to_owned(), "category.created".to_owned()); 2]);
        assert!(matches!(send(new("PRINTS", None)).await, Err(Error::Conflict(_))));
        assert!(matches!(send(new("Maps", Some(given.shop.id()))).await, Err(Error::Invalid(_))));
        let mut deepest = below;
        while deepest.depth() < Category::DEPTH_MAX {
            deepest = given.stored_category(Some(&deepest)).await;
        }
        assert!(matches!(send(new("Deeper", Some(deepest.id))).await, Err(Error::Invalid(_))));
        assert_eq!(store.traces().len(), 2);
    }

    #[test]
    fn a_name_is_required_and_bounded() {
        for name in [None, Some(String::new()), Some("x".repeat(101)), Some("a\u{0}b".to_owned())] {
            let mut violations = Violations::default();
            assert!(CategoryInput { name, ..CategoryInput::default() }.check(&mut violations).is_none());
            assert_eq!(violations.iter().next().unwrap().field, "/name");
        }
    }
}
