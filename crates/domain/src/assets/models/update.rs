//! Renaming a model, and moving it to another product of the account that sells it.

use super::{Model, NAME_MAX, events, upload};
use crate::{
    clock::{Timestamp, later},
    error::{Error, Result, Violations},
    id::{ModelId, ProductId},
    permission::{Authorized, WriteProducts},
    shop::Shop,
    text,
};

/// What of a model changes; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelPatch {
    name: Option<String>,
    product: Option<ProductId>,
}

impl ModelPatch {
    /// Another name.
    pub fn name(&mut self, name: &str, violations: &mut Violations) {
        self.name = violations.check("/name", text::line(name, 1, NAME_MAX));
    }

    /// Another product.
    pub fn product(&mut self, product: ProductId) {
        self.product = Some(product);
    }
}

/// Changes a model; with `expected`, only if it was last changed at one of those moments. On another product it is seen by those
/// who see that one, and its files are for those who have a grant of it.
///
/// # Errors
/// [`Error::NotFound`] and [`Error::Forbidden`] for the model; [`Error::Stale`]; [`Error::Invalid`] for a product that is none of
/// the account that sells the model.
pub async fn update_model(
    shop: &Shop,
    by: &Authorized<WriteProducts>,
    id: ModelId,
    patch: &ModelPatch,
    expected: Option<&[Timestamp]>,
) -> Result<Model> {
    let user = by.principal().user;
    shop.write("update_model", |mut tx| async move {
        let (before, product) = upload::model(&mut *tx, by, id).await?;
        if expected.is_some_and(|any| !any.contains(&before.updated_at)) {
            return Err(Error::Stale("3D model"));
        }
        let mut after = before.clone();
        after.updated_at = later(tx.now(), before.updated_at);
        if let Some(name) = &patch.name {
            after.name.clone_from(name);
        }
        let target = match patch.product.filter(|to| *to != product.id) {
            Some(to) => {
                let found = tx.products().find(to).await?.filter(|found| found.deleted.is_none());
                Some(found.filter(|found| found.seller == before.seller).ok_or_else(not_its_own)?)
            }
            None => None,
        };
        after.product = Some(target.as_ref().map_or(product.id, |target| target.id));
        if (&after.name, after.product) == (&before.name, before.product) {
            return tx.commit(before).await;
        }
        tx.models().update(&after).await?;
        if let Some(target) = &target {
            // For those who look at the product it leaves this is a deletion, whether or not they see the other one.
            shop.record(&mut *tx, Some(user), events::detached(&before, &product)).await?;
            shop.record(&mut *tx, Some(user), events::attached(&after, target, &before)).await?;
        } else {
            shop.record(&mut *tx, Some(user), events::renamed(&after, &product, &before)).await?;
        }
        tx.commit(after).await
    })
    .await
}

fn not_its_own() -> Error {
    Error::invalid("/productId", "own_product", "must be a product of the account that sells the model")
}
