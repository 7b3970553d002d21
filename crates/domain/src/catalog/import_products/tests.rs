use super::*;
use crate::{
    catalog::{ImportInput, ProductInput, Version},
    testing::{Fixtures, memory::MemoryStore},
};

struct Case {
    fixtures: Fixtures,
    store: MemoryStore,
    owner: Owner,
    known: KnownCategories,
}

impl Case {
    async fn new() -> Self {
        let (fixtures, store) = Fixtures::in_memory();
        let seller = fixtures.seller().await;
        let owner = Owner { seller: seller.seller.unwrap(), user: seller.user };
        Self { fixtures, store, owner, known: KnownCategories::default() }
    }

    async fn import(&mut self, inputs: Vec<ImportInput>) -> Imported {
        self.run(inputs, ImportMode::Keep).await
    }

    async fn run(&mut self, inputs: Vec<ImportInput>, mode: ImportMode) -> Imported {
        let rules = &self.fixtures.shop.rules;
        let rows: Vec<_> = inputs.into_iter().map(|input| input.check(rules).unwrap()).collect();
        import_products(&self.fixtures.shop, self.owner, &rows, mode, &mut self.known).await.unwrap()
    }

    async fn product(&self, sku: &str) -> Product {
        let mut tx = self.fixtures.tx().await;
        tx.products().by_sku(self.owner.seller, &[sku.to_owned()]).await.unwrap().remove(0)
    }

    fn told(&self, kind: &str) -> usize {
        assert_eq!(self.store.events().len(), self.store.audit_entries().len());
        self.store.events().iter().filter(|event| event.kind == kind).count()
    }
}

fn row(sku: &str, name: &str, price: &str) -> ImportInput {
    ImportInput {
        product: ProductInput {
            name: Some(name.to_owned()),
            price: Some(price.to_owned()),
            sku: Some(sku.to_owned()),
            ..ProductInput::default()
        },
        ..ImportInput::default()
    }
}

fn counts(created: u64, updated: u64, unchanged: u64) -> Imported {
    Imported { created, updated, unchanged }
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let mut case = Case::new().await;
    let mut lamp = row("1", "Brass lamp", "19.95");
    lamp.category = Some(vec!["home".into(), "light".into()]);
    lamp.metadata = serde_json::from_str(r#"{"weight": 1.50, "tags": ["a"]}"#).unwrap();
    let file = vec![lamp, row("2", "Brass lamp", "5")];
    assert_eq!(case.import(file.clone()).await, counts(2, 0, 0));
    let events = case.store.events().len();
    assert_eq!(case.import(file).await, counts(0, 0, 2));
    assert_eq!(case.store.events().len(), events);
    assert_eq!((case.told("product.created"), case.told("category.created")), (2, 2));
    assert_eq!(case.product("1").await.slug.as_str(), "brass-lamp");
    assert!(case.product("2").await.slug.as_str().starts_with("brass-lamp-"));
}

#[tokio::test]
async fn a_changed_row_is_one_version_on_and_absent_columns_stay() {
    let mut case = Case::new().await;
    let mut first = row("1", "Brass lamp", "19.95");
    first.product.stock = Some(7);
    first.product.description = Some("Shines".into());
    first.images = Some(vec!["https://a.example/1.jpg".into()]);
    case.import(vec![first]).await;
    let before = case.product("1").await;
    let mut second = row("1", "Copper lamp", "21");
    second.product.stock = Some(9);
    assert_eq!(case.import(vec![second]).await, counts(0, 1, 0));
    let after = case.product("1").await;
    assert_eq!((after.version, after.stock, after.price.0), (Version(2), 9, 2100));
    assert_eq!((after.slug.as_str(), after.description.as_str()), ("copper-lamp", "Shines"));
    assert_eq!(after.images, before.images);
    assert_eq!(case.told("product.updated"), 1);
}

#[tokio::test]
async fn the_later_of_two_rows_with_one_sku_wins() {
    let mut case = Case::new().await;
    let file = vec![row("1", "Brass lamp", "1"), row("2", "Vase", "2"), row("1", "Brass lamp", "3")];
    assert_eq!(case.import(file).await, counts(2, 1, 0));
    assert_eq!(case.product("1").await.price.0, 300);
}

#[tokio::test]
async fn a_trial_leaves_nothing() {
    let mut case = Case::new().await;
    let mut lamp = row("1", "Brass lamp", "19.95");
    lamp.category = Some(vec!["home".into()]);
    let before = case.store.events().len();
    assert_eq!(case.run(vec![lamp.clone()], ImportMode::Trial).await, counts(1, 0, 0));
    assert_eq!(case.run(vec![lamp], ImportMode::Trial).await, counts(1, 0, 0));
    assert_eq!(case.store.events().len(), before);
}

#[tokio::test]
async fn a_category_that_is_gone_is_made_again() {
    let mut case = Case::new().await;
    let mut lamp = row("1", "Brass lamp", "19.95");
    lamp.category = Some(vec!["Home".into()]);
    case.import(vec![lamp.clone()]).await;
    let old = case.product("1").await;
    let mut tx = case.fixtures.tx().await;
    let moved = tx.products().move_category(old.category.unwrap(), None, old.updated_at).await.unwrap();
    assert_eq!(moved, [old.id]);
    tx.categories().delete(old.category.unwrap()).await.unwrap();
    tx.commit().await.unwrap();
    // Names that differ in case only are one category.
    let mut vase = row("2", "Vase", "5");
    vase.category = Some(vec!["home".into()]);
    assert_eq!(case.import(vec![lamp, vase]).await, counts(1, 1, 0));
    assert_eq!(case.product("1").await.category, case.product("2").await.category);
}

#[test]
fn a_row_breaks_the_rules_of_a_created_product_and_two_more() {
    let mut bad = row("1", "ab", "0");
    bad.product.sku = None;
    bad.category = Some(vec![String::new()]);
    let violations = bad.check(&crate::Rules::default()).unwrap_err();
    let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["/category", "/sku", "/name", "/price"]);
}

#[tokio::test]
async fn a_category_that_somebody_else_made_meanwhile_is_not_made_twice() {
    let mut case = Case::new().await;
    let mut lamp = row("1", "Brass lamp", "19.95");
    lamp.category = Some(vec!["Home".into()]);
    case.import(vec![lamp]).await;
    let mut theirs = case.fixtures.category(None);
    theirs.name = "Garden".to_owned();
    let mut tx = case.fixtures.tx().await;
    assert!(tx.categories().insert(&theirs).await.unwrap());
    tx.commit().await.unwrap();
    let told = case.told("category.created");
    let mut gnome = row("2", "Gnome", "5");
    gnome.category = Some(vec!["garden".into()]);
    case.import(vec![gnome]).await;
    assert_eq!(case.product("2").await.category, Some(theirs.id));
    assert_eq!(case.told("category.created"), told);
}

#[tokio::test]
async fn siblings_and_cousins_of_one_name_get_slugs_of_their_own() {
    let mut case = Case::new().await;
    let inputs =
        [["Prints", "Misc"], ["Drawings", "Misc"], ["Drawings", "misc"]].into_iter().zip(1..).map(|(path, n)| {
            let mut input = row(&n.to_string(), "Brass lamp", "5");
            input.category = Some(path.map(str::to_owned).to_vec());
            input
        });
    case.import(inputs.collect()).await;
    assert_eq!(case.told("category.created"), 4);
    let (one, two) = (case.product("1").await.category.unwrap(), case.product("2").await.category.unwrap());
    assert_eq!(case.product("3").await.category, Some(two));
    let mut tx = case.fixtures.tx().await;
    let (one, two) =
        (tx.categories().find(one).await.unwrap().unwrap(), tx.categories().find(two).await.unwrap().unwrap());
    assert_eq!(one.slug, "misc");
    assert!(two.slug.starts_with("misc-"), "{}", two.slug);
}
