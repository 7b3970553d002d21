//! Two who move categories at once cannot make a ring of them.

use domain::{
    Actor, Error, Principal,
    catalog::{Category, CategoryPatch, update_category},
    permission::{ManageCatalog, Role},
    testing::Fixtures,
};
use souk_persistence::Engine;

use crate::harness::migrated;

crate::on_both!(of_two_moves_into_each_other_one_is_refused);

async fn of_two_moves_into_each_other_one_is_refused(engine: Engine) {
    let fresh = migrated(engine).await;
    let given = Fixtures::new(fresh.database.store(), std::sync::Arc::default());
    let admin = given.person(Role::Admin).await;
    for _ in 0..10 {
        let (one, two) = (given.stored_category(None).await, given.stored_category(None).await);
        let (first, second) = tokio::join!(below(&given, &admin, &one, &two), below(&given, &admin, &two, &one));
        let refused = match (first, second) {
            (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
            both => panic!("one of the two comes first: {both:?}"),
        };
        assert!(matches!(&refused, Error::Invalid(faults) if faults.to_string().contains("itself")), "{refused:?}");
        // The tree is walked from its tops: what is in a ring would be missing, or come without its parent before it.
        let tree = fresh.database.categories().tree().await.unwrap();
        let place = |id| tree.iter().position(|node| node.category.id == id).unwrap();
        for node in &tree {
            assert!(node.category.parent.is_none_or(|parent| place(parent) < place(node.category.id)), "{tree:?}");
        }
    }
}

/// Moves a category below another, with a connection and a transaction of its own.
async fn below(given: &Fixtures, admin: &Principal, moved: &Category, under: &Category) -> domain::Result<Category> {
    let by = Actor::Signed(admin.clone()).authorize::<ManageCatalog>()?;
    let mut patch = CategoryPatch::default();
    patch.parent(Some(under.id));
    update_category(&given.shop, by, moved.id, patch, None).await
}
