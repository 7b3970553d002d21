//! 3D models and their versions.

use super::{Harness, begin, fixtures, page};
use crate::{
    assets::{
        Digest, Edition, Kept, Place, Stored,
        models::{
            Fault, Findings, Model, ModelFormat, Rendition, RenditionKind, Severity, Shape, Version, VersionNumber,
            VersionState, Warning,
        },
        ports::Reach,
    },
    catalog::{Product, ProductStatus, policy::Scope},
    id::ModelId,
    testing::Fixtures,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_version_reads_back_as_it_was_stored(harness).await;
    who_may_see_a_product_may_see_its_models(harness).await;
    the_latest_that_is_ready_is_found_and_pages_go_backwards(harness).await;
    what_waits_to_be_examined_is_found(harness).await;
    a_model_changes_its_name_and_its_product(harness).await;
    a_model_outlives_its_product_until_it_is_removed(harness).await;
}

/// Bytes that somebody holds.
async fn bytes(harness: &impl Harness, given: &Fixtures, reach: Reach) -> Digest {
    let digest = Digest::of(format!("model {} {}", given.serial(), given.shop.now()).as_bytes());
    let mut tx = begin(harness).await;
    let edition = tx.blobs().claim(&Stored { digest, size: 9 }, Edition(1), given.shop.now()).await.unwrap();
    tx.blobs().hold(&Kept { place: Place { digest, edition }, size: 9 }, reach).await.unwrap();
    tx.commit().await.unwrap();
    digest
}

async fn model(harness: &impl Harness, given: &Fixtures, product: &Product) -> Model {
    let now = given.shop.now();
    let model = Model {
        id: given.shop.id(),
        product: Some(product.id),
        seller: product.seller,
        name: "Knob \u{1f600}".to_owned(),
        latest: VersionNumber(1),
        created_at: now,
        updated_at: now,
    };
    let mut tx = begin(harness).await;
    tx.models().insert(&model).await.unwrap();
    tx.commit().await.unwrap();
    model
}

async fn version(harness: &impl Harness, given: &Fixtures, of: &Model, number: u32) -> Version {
    let by = given.seller().await.user;
    let source = Some(bytes(harness, given, Reach::Private).await);
    let now = given.shop.now();
    let version = Version {
        model: of.id,
        number: VersionNumber(number),
        by,
        file_name: "kn\u{f6}b.stl".to_owned(),
        format: ModelFormat::StlBinary,
        source,
        size: 1 << 40,
        state: VersionState::Processing,
        findings: None,
        fault: None,
        renditions: Vec::new(),
        created_at: now,
        updated_at: now,
    };
    let mut tx = begin(harness).await;
    tx.models().insert_version(&version).await.unwrap();
    tx.commit().await.unwrap();
    version
}

async fn update(harness: &impl Harness, version: &Version) {
    let mut tx = begin(harness).await;
    tx.models().update_version(version).await.unwrap();
    tx.commit().await.unwrap();
}

async fn find(harness: &impl Harness, of: ModelId, number: u32) -> Option<Version> {
    let mut tx = begin(harness).await;
    let found = tx.models().find_version(of, VersionNumber(number)).await.unwrap();
    tx.rollback().await.unwrap();
    found
}

fn findings() -> Findings {
    let shape = Shape {
        watertight: true,
        vertices: 8,
        edges: 18,
        boundary_edges: 0,
        non_manifold_edges: 1,
        inconsistent_edges: 2,
        shells: 3,
        inverted_shells: 0,
        collapsed: 4,
        duplicate: 5,
    };
    let warning = Warning { code: "NON_MANIFOLD_EDGES".to_owned(), severity: Severity::Error, count: 1 };
    Findings {
        triangles: 12,
        low: [-0.1, 0.2, f64::from(f32::MAX)],
        high: [1.0, 2.0, 1e300],
        area: 0.1 + 0.2,
        volume: -1.0 / 3.0,
        solids: 1,
        unit: Some(25.4),
        shape: Some(shape),
        warnings: vec![warning],
        overhang: None,
    }
}

async fn a_version_reads_back_as_it_was_stored(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let product = given.stored_product(seller, |_| ()).await;
    let mut stored = model(harness, &given, &product).await;
    let mut first = version(harness, &given, &stored, 1).await;
    assert_eq!(find(harness, stored.id, 1).await.as_ref(), Some(&first));
    assert_eq!(find(harness, stored.id, 2).await, None);

    first.findings = Some(findings());
    update(harness, &first).await;
    assert_eq!(find(harness, stored.id, 1).await.as_ref(), Some(&first), "numbers keep every bit");
    first.state = VersionState::Ready;
    for kind in RenditionKind::ALL {
        let digest = bytes(harness, &given, Reach::Public).await;
        first.renditions.push(Rendition { kind, digest, size: 9 });
    }
    first.updated_at += std::time::Duration::from_secs(1);
    update(harness, &first).await;
    update(harness, &first).await;
    assert_eq!(harness.models().version(stored.id, Some(VersionNumber(1))).await.unwrap().as_ref(), Some(&first));

    let mut second = version(harness, &given, &stored, 2).await;
    second.state = VersionState::Failed;
    second.source = None;
    second.fault = Some(Fault { code: "NOT_FINITE".to_owned(), message: "Facet 7 is not finite".to_owned() });
    update(harness, &second).await;
    stored.latest = VersionNumber(2);
    let mut tx = begin(harness).await;
    tx.models().update(&stored).await.unwrap();
    assert_eq!(tx.models().versions_of(stored.id).await.unwrap(), [first.clone(), second]);
    assert_eq!(tx.models().find(stored.id).await.unwrap(), Some(stored.clone()));
    tx.models().delete_version(stored.id, VersionNumber(2)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(find(harness, stored.id, 2).await, None);
    let mut tx = begin(harness).await;
    tx.models().delete(stored.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(find(harness, stored.id, 1).await, None);
    assert_eq!(harness.models().get(stored.id, Scope::All).await.unwrap(), None);
}

async fn who_may_see_a_product_may_see_its_models(harness: &impl Harness) {
    let given = fixtures(harness);
    let (own, other) = (given.seller().await.seller.unwrap(), given.seller().await.seller.unwrap());
    let shown = given.stored_product(own, |_| ()).await;
    let draft = given.stored_product(own, |product| product.status = ProductStatus::Draft).await;
    let (of_shown, of_draft) = (model(harness, &given, &shown).await, model(harness, &given, &draft).await);
    for (scope, draft_too) in
        [(Scope::Published, false), (Scope::seller(other), false), (Scope::seller(own), true), (Scope::All, true)]
    {
        assert_eq!(harness.models().get(of_shown.id, scope).await.unwrap().as_ref(), Some(&of_shown));
        assert_eq!(harness.models().get(of_draft.id, scope).await.unwrap().is_some(), draft_too);
        let listed = harness.models().list(scope, Some(draft.id), page(1, 10)).await.unwrap();
        assert_eq!((listed.total, listed.items.len()), (u64::from(draft_too), usize::from(draft_too)));
        let listed = harness.models().list(scope, None, page(1, 100)).await.unwrap();
        assert_eq!(listed.items.iter().any(|model| model.id == of_draft.id), draft_too);
        assert!(listed.items.windows(2).all(|two| two[0].id > two[1].id), "the newest first");
    }
}

async fn the_latest_that_is_ready_is_found_and_pages_go_backwards(harness: &impl Harness) {
    let given = fixtures(harness);
    let product = given.stored_product(given.seller().await.seller.unwrap(), |_| ()).await;
    let stored = model(harness, &given, &product).await;
    assert_eq!(harness.models().version(stored.id, None).await.unwrap(), None);
    let mut all = Vec::new();
    for number in 1..=4 {
        let mut one = version(harness, &given, &stored, number).await;
        if number <= 3 {
            one.state = VersionState::Ready;
            let digest = bytes(harness, &given, Reach::Public).await;
            one.renditions.push(Rendition { kind: RenditionKind::Copy, digest, size: 9 });
            update(harness, &one).await;
        }
        all.push(one);
    }
    assert_eq!(harness.models().version(stored.id, None).await.unwrap().as_ref(), Some(&all[2]));
    let listed = harness.models().versions(stored.id, page(1, 2)).await.unwrap();
    assert_eq!((listed.total, listed.items), (4, vec![all[3].clone(), all[2].clone()]));
    let listed = harness.models().versions(stored.id, page(2, 2)).await.unwrap();
    assert_eq!(listed.items, vec![all[1].clone(), all[0].clone()]);
}

async fn what_waits_to_be_examined_is_found(harness: &impl Harness) {
    let given = fixtures(harness);
    let product = given.stored_product(given.seller().await.seller.unwrap(), |_| ()).await;
    let stored = model(harness, &given, &product).await;
    let mut one = version(harness, &given, &stored, 1).await;
    let waits = (stored.id, VersionNumber(1));
    assert!(harness.models().processing(100_000).await.unwrap().contains(&waits));
    assert_eq!(harness.models().processing(1).await.unwrap().len(), 1);
    one.state = VersionState::Ready;
    update(harness, &one).await;
    assert!(!harness.models().processing(100_000).await.unwrap().contains(&waits));
}

async fn a_model_changes_its_name_and_its_product(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await.seller.unwrap();
    let (from, to) = (given.stored_product(seller, |_| ()).await, given.stored_product(seller, |_| ()).await);
    let mut stored = model(harness, &given, &from).await;
    (stored.product, stored.name) = (Some(to.id), "Gr\u{fc}n".to_owned());
    stored.latest = VersionNumber(7);
    let mut tx = begin(harness).await;
    tx.models().update(&stored).await.unwrap();
    assert_eq!(tx.models().find(stored.id).await.unwrap().as_ref(), Some(&stored));
    tx.commit().await.unwrap();
    assert_eq!(harness.models().list(Scope::All, Some(from.id), page(1, 10)).await.unwrap().total, 0);
    assert_eq!(harness.models().list(Scope::All, Some(to.id), page(1, 10)).await.unwrap().items, [stored]);
}

async fn a_model_outlives_its_product_until_it_is_removed(harness: &impl Harness) {
    let given = fixtures(harness);
    let seller = given.seller().await;
    let product = given.stored_product(seller.seller.unwrap(), |_| ()).await;
    let stored = model(harness, &given, &product).await;
    version(harness, &given, &stored, 1).await;
    let (now, mut gone) = (given.shop.now(), product.clone());
    gone.deleted = Some(crate::catalog::Deleted { at: now - std::time::Duration::from_hours(1), by: seller.user });
    gone.version = gone.version.next();
    let mut tx = begin(harness).await;
    tx.products().update(&gone, &product).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(harness.models().get(stored.id, Scope::All).await.unwrap(), None, "seen with its product alone");
    let mut tx = begin(harness).await;
    while !tx.products().purge(now, 100).await.unwrap().is_empty() {}
    let orphans = tx.models().orphans(100).await.unwrap();
    let found = orphans.iter().find(|model| model.id == stored.id);
    assert_eq!(found, Some(&Model { product: None, ..stored.clone() }));
    assert_eq!(tx.models().versions_of(stored.id).await.unwrap().len(), 1, "what it holds is still known");
    tx.models().delete(stored.id).await.unwrap();
    assert!(tx.models().orphans(100).await.unwrap().iter().all(|model| model.id != stored.id));
    tx.commit().await.unwrap();
}
