//! Uploads from their beginning to what they became.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

use super::*;
use crate::{
    Error, Principal, Result,
    assets::{
        Chunks, Digest, Holder, ScannedBlobs, Storeroom, Whole,
        files::ports::FileQueries,
        models::{Workshop, ports::ModelQueries},
        ports::{BlobQueries, Blobs},
        scan::tests::Words,
    },
    catalog::{Product, delete_product, policy::Scope},
    id::{FileId, ModelId, UploadId},
    job::{
        cancel_job,
        ports::{JobFilter, JobQueries},
    },
    page::{Limit, PageRequest},
    permission::Role,
    testing::{Fixtures, MemoryBlobs, PlainAnalysis, memory::MemoryStore},
};

struct World {
    given: Fixtures,
    store: MemoryStore,
    with: Finisher,
    owner: Principal,
    product: Product,
}

/// Pieces, and maybe a fault behind them.
struct Pieces(Vec<&'static str>, bool);

#[async_trait]
impl Chunks for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        match self.0.is_empty() {
            false => Ok(Some(Bytes::from_static(self.0.remove(0).as_bytes()))),
            true if self.1 => Err(Error::internal("broke off")),
            true => Ok(None),
        }
    }
}

impl World {
    async fn new() -> Self {
        Self::over(Arc::new(MemoryBlobs::default())).await
    }

    async fn over(blobs: Arc<dyn Blobs>) -> Self {
        let (given, store) = Fixtures::in_memory();
        let room = Storeroom { blobs, index: Arc::new(store.clone()) };
        let workshop = Workshop { room, analysis: Arc::new(PlainAnalysis), most: 1000 };
        let with = Finisher { workshop, uploads: Arc::new(store.clone()), users: Arc::new(store.clone()) };
        let owner = given.seller().await;
        let product = given.stored_product(owner.seller.unwrap(), |_| ()).await;
        Self { given, store, with, owner, product }
    }

    fn file(&self) -> Purpose {
        Purpose::File {
            product: self.product.id,
            name: "plan.txt".to_owned(),
            media_type: "text/plain".to_owned(),
            licence: None,
            public: true,
        }
    }

    async fn begin(&self, purpose: Purpose, length: u64) -> Result<Resumable> {
        let new = NewUpload { purpose, length };
        create_upload(&self.given.shop, &self.with, &self.given.authorized(&self.owner), &new).await
    }

    async fn add(&self, id: UploadId, offset: u64, source: &mut dyn Chunks, progress: Progress) -> Result<u64> {
        let by = self.given.authorized(&self.owner);
        let upload = append(&self.given.shop, &self.with, &by, id, offset, source, progress).await?;
        Ok(upload.offset)
    }

    async fn bring(&self, id: UploadId, offset: u64, text: &'static str) -> Result<u64> {
        self.add(id, offset, &mut Whole::new(text), Progress::Steady).await
    }

    async fn finish(&self, id: UploadId) -> Resumable {
        // Twice, as a job may be done.
        for _ in 0..2 {
            finish_upload(&self.given.shop, &self.with, FinishUpload { upload: id }).await.unwrap();
        }
        self.find(id).await.unwrap()
    }

    async fn find(&self, id: UploadId) -> Result<Resumable> {
        find_upload(&self.given.shop, &self.with, &self.given.authorized(&self.owner), id).await
    }

    async fn usage(&self) -> [u64; 2] {
        let of = async |holder| self.store.usage(holder).await.unwrap();
        [of(Holder::Person(self.owner.user)).await, of(Holder::Seller(self.owner.seller.unwrap())).await]
    }

    async fn held(&self, text: &str) -> u64 {
        self.store.find(&Digest::of(text.as_bytes())).await.unwrap().map_or(0, |held| held.references)
    }
}

#[tokio::test]
async fn portions_become_one_file() {
    let world = World::new().await;
    let upload = world.begin(world.file(), 9).await.unwrap();
    assert_eq!(world.usage().await, [9, 9], "all of it is counted from the beginning");
    assert_eq!(world.bring(upload.id, 0, "abcd").await.unwrap(), 4);
    assert_eq!(world.find(upload.id).await.unwrap().state, UploadState::Receiving);
    assert_eq!(world.bring(upload.id, 4, "efg").await.unwrap(), 7);
    assert_eq!(world.bring(upload.id, 7, "hi").await.unwrap(), 9);
    assert_eq!(world.find(upload.id).await.unwrap().state, UploadState::Finishing);
    let done = world.finish(upload.id).await;
    let Some(Outcome::Made { id, version: None }) = done.outcome else { panic!("{done:?}") };
    assert_eq!(done.state, UploadState::Done);
    let file = FileQueries::get(&world.store, FileId(id)).await.unwrap().unwrap().file;
    assert_eq!((file.digest, file.size, file.told.name.as_str()), (Digest::of(b"abcdefghi"), 9, "plan.txt"));
    assert_eq!(world.usage().await, [9, 9], "counted once");
    assert_eq!((world.held("abcdefghi").await, world.held("abcd").await), (1, 0));
    let page = PageRequest { page: 1, limit: Limit::default() };
    assert_eq!(FileQueries::list(&world.store, world.product.id, true, page).await.unwrap().total, 1);
    let traces: Vec<_> = world.store.traces().into_iter().map(|(action, _)| action).collect();
    assert!(traces.ends_with(&["upload.create".into(), "upload.finish".into(), "file.create".into()]), "{traces:?}");
}

#[tokio::test]
async fn portions_become_a_model_and_a_version_of_it() {
    let world = World::new().await;
    let purpose = Purpose::Model { product: world.product.id, name: None, file_name: "knob.stl".to_owned() };
    let upload = world.begin(purpose, 5).await.unwrap();
    world.bring(upload.id, 0, "a cub").await.unwrap();
    let Some(Outcome::Made { id, version: Some(1) }) = world.finish(upload.id).await.outcome else { panic!() };
    let model = ModelQueries::get(&world.store, ModelId(id), Scope::All).await.unwrap().unwrap();
    assert_eq!(model.name, "knob.stl");
    let purpose = Purpose::ModelVersion { model: model.id, file_name: "knob.obj".to_owned() };
    let upload = world.begin(purpose, 4).await.unwrap();
    world.bring(upload.id, 0, "cube").await.unwrap();
    assert_eq!(world.finish(upload.id).await.outcome, Some(Outcome::Made { id, version: Some(2) }));
    assert_eq!(world.usage().await, [9, 9]);
}

#[tokio::test]
async fn an_upload_of_nothing_is_whole_at_once() {
    let world = World::new().await;
    let upload = world.begin(world.file(), 0).await.unwrap();
    assert_eq!(upload.state, UploadState::Finishing);
    assert!(matches!(world.finish(upload.id).await.outcome, Some(Outcome::Made { .. })));
}

#[tokio::test]
async fn only_what_follows_is_taken() {
    let world = World::new().await;
    let upload = world.begin(world.file(), 6).await.unwrap();
    world.bring(upload.id, 0, "abc").await.unwrap();
    for offset in [0, 2, 4, 6] {
        assert!(matches!(world.bring(upload.id, offset, "x").await, Err(Error::Conflict(_))), "{offset}");
    }
    assert!(matches!(world.bring(upload.id, 3, "defg").await, Err(Error::TooLarge(_))));
    assert_eq!(world.find(upload.id).await.unwrap().offset, 3);
    assert_eq!(world.bring(UploadId(world.given.shop.id()), 0, "a").await.unwrap_err().to_string(), "Upload not found");
    let stranger = world.given.seller().await;
    let by = world.given.authorized(&stranger);
    assert!(matches!(
        find_upload(&world.given.shop, &world.with, &by, upload.id).await,
        Err(Error::NotFound("Upload"))
    ));
    assert!(matches!(delete_upload(&world.given.shop, &by, upload.id).await, Err(Error::NotFound("Upload"))));
}

#[tokio::test]
async fn what_is_checked_at_its_end_counts_then_or_not_at_all() {
    let world = World::new().await;
    let upload = world.begin(world.file(), 6).await.unwrap();
    let mut broken = Pieces(vec!["ab", "cd"], true);
    assert!(world.add(upload.id, 0, &mut broken, Progress::AtEnd).await.is_err());
    assert_eq!(world.find(upload.id).await.unwrap().offset, 0);
    let mut whole = Pieces(vec!["ab", "cdef"], false);
    assert_eq!(world.add(upload.id, 0, &mut whole, Progress::AtEnd).await.unwrap(), 6);
}

#[tokio::test]
async fn what_is_refused_at_the_end_leaves_nothing_but_the_reason() {
    let world = World::new().await;
    let purpose = Purpose::Model { product: world.product.id, name: None, file_name: "knob.stl".to_owned() };
    let bad = world.begin(purpose, 3).await.unwrap();
    world.bring(bad.id, 0, "bad").await.unwrap();
    let refused = world.finish(bad.id).await;
    let Some(Outcome::Refused { message }) = &refused.outcome else { panic!("{refused:?}") };
    assert!(refused.state == UploadState::Failed && message.contains("BAD"), "{message}");
    assert_eq!((world.usage().await, world.held("bad").await), ([0, 0], 0));

    let late = world.begin(world.file(), 2).await.unwrap();
    world.bring(late.id, 0, "ab").await.unwrap();
    delete_product(&world.given.shop, world.given.authorized(&world.owner), world.product.id, None).await.unwrap();
    let refused = world.finish(late.id).await;
    assert_eq!(refused.outcome, Some(Outcome::Refused { message: "Product not found".to_owned() }));
    assert_eq!(world.usage().await, [0, 0]);
}

#[tokio::test]
async fn what_is_said_is_checked_before_a_byte_comes() {
    let world = World::new().await;
    let faults = [
        Purpose::File {
            product: world.product.id,
            name: "../x".to_owned(),
            media_type: "nonsense".to_owned(),
            licence: Some("\0".to_owned()),
            public: false,
        },
        Purpose::Model { product: world.product.id, name: Some(String::new()), file_name: "a.exe".to_owned() },
    ];
    for (purpose, fields) in
        faults.into_iter().zip([["filetype", "licence", "filename"].as_slice(), &["name", "filename"]])
    {
        let Err(Error::Invalid(violations)) = world.begin(purpose, 1).await else { panic!() };
        assert_eq!(violations.iter().map(|one| &*one.field).collect::<Vec<_>>(), fields);
    }
    let model = Purpose::Model { product: world.product.id, name: None, file_name: "a.stl".to_owned() };
    assert!(matches!(world.begin(model, 1001).await, Err(Error::TooLarge(_))));
    assert!(matches!(world.begin(world.file(), u64::MAX).await, Err(Error::TooLarge(_))));
    assert_eq!(world.usage().await, [0, 0]);
}

#[tokio::test]
async fn few_are_open_at_once_and_what_is_ended_counts_no_more() {
    let world = World::new().await;
    let mut last = None;
    for _ in 0..100 {
        last = Some(world.begin(world.file(), 1).await.unwrap());
    }
    assert!(matches!(world.begin(world.file(), 1).await, Err(Error::Conflict(_))));
    let by = world.given.authorized(&world.owner);
    delete_upload(&world.given.shop, &by, last.unwrap().id).await.unwrap();
    assert_eq!(world.usage().await, [99, 99]);
    let upload = world.begin(world.file(), 1).await.unwrap();
    world.given.clock.advance(Duration::from_hours(24));
    assert!(matches!(world.find(upload.id).await, Err(Error::NotFound("Upload"))), "forgotten before it is swept");
    assert!(matches!(world.bring(upload.id, 0, "a").await, Err(Error::NotFound("Upload"))));
    world.given.clock.advance(Duration::from_secs(1));
    assert_eq!(expire_uploads(&world.given.shop).await.unwrap(), 100);
    assert_eq!(world.usage().await, [0, 0]);
}

#[tokio::test]
async fn an_upload_whose_job_was_given_up_fails() {
    let world = World::new().await;
    let shop = &world.given.shop;
    let upload = world.begin(world.file(), 4).await.unwrap();
    world.bring(upload.id, 0, "abcd").await.unwrap();
    assert_eq!(fail_lost_uploads(shop, &world.with).await.unwrap(), 0, "its job waits");
    let admin = world.given.person(Role::Admin).await;
    let page = PageRequest { page: 1, limit: Limit::default() };
    let jobs = JobQueries::list(&world.store, &JobFilter::default(), page).await.unwrap().items;
    cancel_job(shop, world.given.authorized(&admin), jobs[0].id).await.unwrap();
    assert_eq!(fail_lost_uploads(shop, &world.with).await.unwrap(), 1);
    let failed = world.find(upload.id).await.unwrap();
    assert_eq!(failed.state, UploadState::Failed);
    assert!(matches!(failed.outcome, Some(Outcome::Refused { .. })), "{failed:?}");
    assert_eq!((world.usage().await, world.held("abcd").await), ([0, 0], 0), "its bytes are let go");
    assert_eq!(fail_lost_uploads(shop, &world.with).await.unwrap(), 0);
}

#[tokio::test]
async fn the_whole_is_looked_at_for_malware_once_and_no_portion_is() {
    let scanner = Arc::<Words>::default();
    let blobs = Arc::new(ScannedBlobs { blobs: Arc::new(MemoryBlobs::default()), scanner: scanner.clone() });
    let world = World::over(blobs).await;
    for (portions, looks) in [(["a b", "ad ", "one"], 1), (["no ", "evi", "l! "], 2), (["bad", "bad", "bad"], 3)] {
        let upload = world.begin(world.file(), 9).await.unwrap();
        for (portion, offset) in portions.into_iter().zip([0, 3, 6]) {
            world.bring(upload.id, offset, portion).await.unwrap();
        }
        assert_eq!(scanner.looks(), looks - 1, "nobody looks at portions");
        let outcome = world.finish(upload.id).await.outcome;
        if portions.concat().contains("bad") {
            let refused = matches!(&outcome, Some(Outcome::Refused { message }) if message.contains("A.Bad.Word"));
            assert!(refused, "{outcome:?}");
        } else {
            assert!(matches!(outcome, Some(Outcome::Made { .. })), "{outcome:?}");
        }
        assert_eq!(scanner.looks(), looks, "{portions:?}");
    }
}
