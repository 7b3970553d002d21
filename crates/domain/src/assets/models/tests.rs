use std::{sync::Arc, time::Duration};

use super::{ports::ModelQueries, *};
use crate::{
    Error, Principal,
    assets::{Holder, Quotas, Storeroom, Whole, ports::BlobQueries, uploads::Origin},
    catalog::{delete_product, policy::Scope, purge_products},
    id::{ModelId, ProductId},
    job::{
        cancel_job,
        ports::{JobFilter, JobQueries},
    },
    page::{Limit, PageRequest},
    permission::Role,
    testing::{Fixtures, MemoryBlobs, PlainAnalysis, memory::MemoryStore},
};

struct Bench {
    given: Fixtures,
    store: MemoryStore,
    with: Workshop,
    owner: Principal,
    product: ProductId,
}

impl Bench {
    async fn new() -> Self {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await;
        let product = given.stored_product(owner.seller.unwrap(), |_| ()).await.id;
        let room = Storeroom { blobs: Arc::new(MemoryBlobs::default()), index: Arc::new(store.clone()) };
        let with = Workshop { room, analysis: Arc::new(PlainAnalysis), most: 1000 };
        Self { given, store, with, owner, product }
    }

    async fn bring(&self, by: &Principal, text: &'static str, file_name: &str) -> crate::Result<(Model, Version)> {
        let (mut source, file_name) = (Whole::new(text), file_name.to_owned());
        let upload = Upload { source: &mut source, size: None, digest: None, file_name, origin: Origin::Direct };
        let new = NewModel { product: self.product, name: None };
        create_model(&self.given.shop, &self.given.authorized(by), &self.with, &new, upload).await
    }

    async fn add(&self, id: ModelId, text: &'static str) -> crate::Result<Version> {
        let mut source = Whole::new(text);
        let upload = Upload {
            source: &mut source,
            size: None,
            digest: None,
            file_name: "b.obj".to_owned(),
            origin: Origin::Direct,
        };
        add_version(&self.given.shop, &self.given.authorized(&self.owner), &self.with, id, upload).await
    }

    async fn process(&self, version: &Version) {
        let job = ProcessModel { model: version.model, version: version.number };
        process_model(&self.given.shop, &self.with, job).await.unwrap();
    }

    async fn version(&self, version: &Version) -> Version {
        self.store.version(version.model, Some(version.number)).await.unwrap().unwrap()
    }

    async fn references(&self) -> u64 {
        BlobQueries::list(&self.store, None, 100).await.unwrap().iter().map(|held| held.references).sum()
    }

    async fn used(&self) -> (u64, u64) {
        let seller = Holder::Seller(self.owner.seller.unwrap());
        let of = |holder| BlobQueries::usage(&self.store, holder);
        (of(Holder::Person(self.owner.user)).await.unwrap(), of(seller).await.unwrap())
    }

    fn kinds(&self) -> Vec<String> {
        let kinds = self.store.traces().into_iter().map(|(_, kind)| kind);
        kinds.filter(|kind| kind.starts_with("model.")).collect()
    }
}

#[tokio::test]
async fn what_is_brought_is_examined_once_and_shown() {
    let bench = Bench::new().await;
    let (model, version) = bench.bring(&bench.owner, "a cube", "a cube.STL").await.unwrap();
    assert_eq!((&*model.name, model.latest, version.progress()), ("a cube.STL", VersionNumber(1), 0));
    assert_eq!(bench.used().await, (6, 6));
    for _ in 0..2 {
        bench.process(&version).await;
    }
    let ready = bench.version(&version).await;
    assert_eq!((ready.state, ready.progress(), ready.renditions.len()), (VersionState::Ready, 100, 4));
    assert_eq!(ready.findings.as_ref().unwrap().triangles, 12);
    let copy = ready.rendition(RenditionKind::Copy).unwrap();
    let mut bytes = bench.with.room.read(&copy.digest, None).await.unwrap().unwrap();
    assert_eq!(bytes.next().await.unwrap().as_deref(), Some(b"copy of a cube".as_slice()));
    assert_eq!(bench.references().await, 5);
    assert_eq!(bench.kinds(), ["model.created", "model.version_measured", "model.version_ready"]);
}

#[tokio::test]
async fn what_is_no_model_fails_and_is_let_go() {
    let bench = Bench::new().await;
    for (text, code, steps) in [("a broken one", "BROKEN", 2), ("a shy one", "SHY", 3)] {
        let before = bench.kinds().len();
        let (_, version) = bench.bring(&bench.owner, text, "a.stl").await.unwrap();
        for _ in 0..2 {
            bench.process(&version).await;
        }
        let failed = bench.version(&version).await;
        assert_eq!((failed.state, failed.source, failed.progress()), (VersionState::Failed, None, 100));
        assert_eq!(failed.fault.unwrap().code, code);
        assert_eq!((bench.references().await, bench.used().await), (0, (0, 0)));
        assert_eq!(bench.kinds().len() - before, steps);
        assert_eq!(bench.kinds().last().unwrap(), "model.version_failed");
    }
}

#[tokio::test]
async fn what_is_refused_at_the_gate_leaves_nothing() {
    let bench = Bench::new().await;
    for (text, name, field) in [
        ("a bad one", "a.stl", "file"),
        ("", "a.stl", "file"),
        ("a cube", "a.png", "fileName"),
        ("a cube", "../a.stl", "fileName"),
        ("a cube", "a\0.stl", "fileName"),
        ("a cube", "", "fileName"),
    ] {
        let Err(Error::Invalid(violations)) = bench.bring(&bench.owner, text, name).await else { panic!("{name}") };
        let fields: Vec<_> = violations.iter().map(|violation| &*violation.field).collect();
        assert_eq!(fields, [field], "{text} {name}");
    }
    assert!(BlobQueries::list(&bench.store, None, 10).await.unwrap().is_empty());
    assert!(bench.kinds().is_empty());
}

#[tokio::test]
async fn only_who_sells_a_product_brings_models_of_it() {
    let bench = Bench::new().await;
    let stranger = bench.given.seller().await;
    let refused = bench.bring(&stranger, "a cube", "a.stl").await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    let (model, version) = bench.bring(&bench.owner, "a cube", "a.stl").await.unwrap();
    let by = bench.given.authorized(&stranger);
    let refused = delete_version(&bench.given.shop, &by, model.id, version.number).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    assert!(matches!(delete_model(&bench.given.shop, &by, model.id).await, Err(Error::Forbidden(_))));
    delete_product(&bench.given.shop, bench.given.authorized(&bench.owner), bench.product, None).await.unwrap();
    let refused = bench.add(model.id, "late").await;
    assert!(matches!(refused, Err(Error::NotFound("3D model"))));
}

#[tokio::test]
async fn versions_are_numbered_on_and_what_they_hold_goes_with_them() {
    let bench = Bench::new().await;
    let (model, first) = bench.bring(&bench.owner, "a cube", "a.stl").await.unwrap();
    let second = bench.add(model.id, "a cube").await.unwrap();
    assert_eq!((second.number, second.source), (VersionNumber(2), first.source), "the same bytes lie once");
    assert_eq!(bench.used().await, (12, 12), "and count twice");
    for version in [&first, &second] {
        bench.process(version).await;
    }
    let by = bench.given.authorized(&bench.owner);
    delete_version(&bench.given.shop, &by, model.id, second.number).await.unwrap();
    let again = delete_version(&bench.given.shop, &by, model.id, second.number).await;
    assert!(matches!(again, Err(Error::NotFound("Version"))));
    let third = bench.add(model.id, "a cube").await.unwrap();
    assert_eq!(third.number, VersionNumber(3), "a number is not given twice");
    assert_eq!((bench.references().await, bench.used().await), (6, (12, 12)));
    delete_model(&bench.given.shop, &by, model.id).await.unwrap();
    bench.process(&third).await;
    assert_eq!((bench.references().await, bench.used().await), (0, (0, 0)));
}

#[tokio::test]
async fn models_go_with_a_purged_product() {
    let bench = Bench::new().await;
    let (model, version) = bench.bring(&bench.owner, "a cube", "a.stl").await.unwrap();
    bench.process(&version).await;
    delete_product(&bench.given.shop, bench.given.authorized(&bench.owner), bench.product, None).await.unwrap();
    assert_eq!(bench.references().await, 5, "the product may come back");
    bench.given.clock.advance(Duration::from_secs(2));
    assert_eq!(purge_products(&bench.given.shop, Duration::from_secs(1)).await.unwrap(), 1);
    assert_eq!((bench.references().await, bench.used().await), (0, (0, 0)));
    let page = PageRequest { page: 1, limit: Limit::default() };
    assert_eq!(ModelQueries::list(&bench.store, Scope::All, None, page).await.unwrap().total, 0);
    assert!(bench.kinds().contains(&"model.purged".to_owned()), "{}", model.id);
}

#[tokio::test]
async fn who_has_no_room_left_keeps_nothing_new() {
    let mut bench = Bench::new().await;
    bench.given.shop.rules.assets.quotas = Quotas { person: 8, seller: 100 };
    bench.bring(&bench.owner, "a cube", "a.stl").await.unwrap();
    let refused = bench.bring(&bench.owner, "a cube", "a.stl").await;
    assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
    assert_eq!((bench.references().await, bench.used().await), (1, (6, 6)));
}

#[tokio::test]
async fn a_version_whose_job_was_given_up_fails() {
    let bench = Bench::new().await;
    let (_, waiting) = bench.bring(&bench.owner, "solid a", "a.stl").await.unwrap();
    assert_eq!(fail_lost_models(&bench.given.shop, &bench.store).await.unwrap(), 0);
    assert_eq!(bench.version(&waiting).await.state, VersionState::Processing, "its job waits");
    let admin = bench.given.person(Role::Admin).await;
    let page = PageRequest { page: 1, limit: Limit::default() };
    let jobs = JobQueries::list(&bench.store, &JobFilter::default(), page).await.unwrap().items;
    cancel_job(&bench.given.shop, bench.given.authorized(&admin), jobs[0].id).await.unwrap();
    assert_eq!(fail_lost_models(&bench.given.shop, &bench.store).await.unwrap(), 1);
    let failed = bench.version(&waiting).await;
    assert_eq!((failed.state, failed.source), (VersionState::Failed, None));
    assert_eq!(failed.fault.unwrap().code, "NOT_EXAMINED");
    assert_eq!((bench.used().await, bench.references().await), ((0, 0), 0), "its bytes are let go");
    assert_eq!(fail_lost_models(&bench.given.shop, &bench.store).await.unwrap(), 0);
}

#[tokio::test]
async fn a_model_is_renamed_and_moves_within_its_account() {
    let bench = Bench::new().await;
    let (shop, by) = (&bench.given.shop, &bench.given.authorized(&bench.owner));
    let (model, version) = bench.bring(&bench.owner, "solid a", "a.stl").await.unwrap();
    let patch = |name: Option<&str>, product: Option<ProductId>| {
        let (mut patch, mut violations) = (ModelPatch::default(), crate::Violations::default());
        if let Some(name) = name {
            patch.name(name, &mut violations);
        }
        if let Some(product) = product {
            patch.product(product);
        }
        violations.into_result().map(|()| patch)
    };
    assert!(patch(Some("two\nlines"), None).is_err());
    let named = patch(Some("Round knob"), Some(bench.product)).unwrap();
    let renamed = update_model(shop, by, model.id, &named, Some(&[model.updated_at])).await.unwrap();
    assert_eq!((&*renamed.name, renamed.product), ("Round knob", Some(bench.product)));
    let stale = update_model(shop, by, model.id, &named, Some(&[model.updated_at])).await;
    assert!(matches!(stale, Err(Error::Stale(_))), "{stale:?}");

    let mine = bench.given.stored_product(bench.owner.seller.unwrap(), |_| ()).await.id;
    let moved = update_model(shop, by, model.id, &patch(None, Some(mine)).unwrap(), None).await.unwrap();
    assert_eq!((&*moved.name, moved.product), ("Round knob", Some(mine)));
    let stranger = bench.given.seller().await;
    let theirs = bench.given.stored_product(stranger.seller.unwrap(), |_| ()).await.id;
    for target in [theirs, bench.given.shop.id()] {
        let refused = update_model(shop, by, model.id, &patch(None, Some(target)).unwrap(), None).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
    let refused = update_model(shop, &bench.given.authorized(&stranger), model.id, &named, None).await;
    assert!(matches!(refused, Err(Error::Forbidden(_) | Error::NotFound(_))), "{refused:?}");
    bench.process(&version).await;
    assert_eq!(
        bench.kinds(),
        [
            "model.created",
            "model.renamed",
            "model.detached",
            "model.attached",
            "model.version_measured",
            "model.version_ready"
        ]
    );
}
