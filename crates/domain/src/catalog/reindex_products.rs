//! Finding the words of all products anew: after an upgrade that cuts or folds text in another way, what is stored of
//! older products no longer fits what is asked.

use serde::{Deserialize, Serialize};

use super::export::ProductExport;
use crate::{
    error::Result,
    id::{JobId, ProductId},
    job::{Job, Policy, Priority, Request, reindexed},
    shop::Shop,
};

/// Products whose words are found anew in one transaction.
const PAGE: usize = 100;
/// Products that one step of the walk gives to pages.
const STEP: u32 = 1_000;

/// A step of the walk over all products: it stores jobs for the next pages, and one for the next step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReindexProducts {
    /// Behind this product; from the first one on when there is none.
    pub after: Option<ProductId>,
}

impl Job for ReindexProducts {
    const NAME: &'static str = "reindex_products";

    fn policy() -> Policy {
        Policy { priority: Priority::Low, at_once: 1, ..Policy::default() }
    }
}

/// A page of products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReindexPage {
    /// Which products; those that are gone or deleted by then are left out.
    pub products: Vec<ProductId>,
}

impl Job for ReindexPage {
    const NAME: &'static str = "reindex_page";

    fn policy() -> Policy {
        Policy { priority: Priority::Low, ..Policy::default() }
    }
}

/// One step of the walk, once for each job.
pub async fn reindex_products(
    shop: &Shop,
    products: &dyn ProductExport,
    step: &ReindexProducts,
    job: JobId,
) -> Result<()> {
    let found = products.next(None, step.after, STEP).await?;
    let ids: Vec<ProductId> = found.iter().map(|product| product.id).collect();
    let ids = &ids;
    shop.write(ReindexProducts::NAME, |mut tx| async move {
        let now = tx.now();
        if !tx.inbox().claim(ReindexProducts::NAME, job.0, now).await? {
            return tx.commit(()).await;
        }
        for page in ids.chunks(PAGE) {
            shop.enqueue(&mut *tx, Request::of(&ReindexPage { products: page.to_vec() })).await?;
        }
        if let Some(last) = ids.last() {
            shop.enqueue(&mut *tx, Request::of(&ReindexProducts { after: Some(*last) })).await?;
        }
        tx.commit(()).await
    })
    .await
}

/// One page, once for each job. It leaves an entry also when nothing had to be changed, so that one sees how far the walk
/// got.
pub async fn reindex_page(shop: &Shop, page: &ReindexPage, job: JobId) -> Result<()> {
    shop.write(ReindexPage::NAME, |mut tx| async move {
        let now = tx.now();
        if !tx.inbox().claim(ReindexPage::NAME, job.0, now).await? {
            return tx.commit(()).await;
        }
        let changed = tx.products().reindex(&page.products).await?;
        shop.record(&mut *tx, None, reindexed(job, ReindexPage::NAME, page.products.len(), changed)).await?;
        tx.commit(()).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        job::{StoredJob, ports::JobFilter, ports::JobQueries},
        page::{Limit, PageRequest},
        testing::Fixtures,
    };

    async fn jobs(store: &crate::testing::memory::MemoryStore, kind: &str) -> Vec<StoredJob> {
        let filter = JobFilter { state: None, kind: Some(kind.to_owned()) };
        let page = PageRequest { page: 1, limit: Limit::new(100).unwrap() };
        JobQueries::list(store, &filter, page).await.unwrap().items
    }

    #[tokio::test]
    async fn every_product_is_in_one_page_and_a_step_taken_twice_stores_nothing_twice() {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await;
        let mut made = Vec::new();
        for _ in 0..250 {
            made.push(given.stored_product(owner.seller.unwrap(), |_| ()).await.id);
        }
        let first: JobId = given.shop.id();
        for _ in 0..2 {
            reindex_products(&given.shop, &store, &ReindexProducts::default(), first).await.unwrap();
        }
        let pages = jobs(&store, "reindex_page").await;
        let mut found: Vec<ProductId> = Vec::new();
        for page in &pages {
            found.extend(serde_json::from_value::<ReindexPage>(page.payload.clone()).unwrap().products);
        }
        found.sort_unstable();
        made.sort_unstable();
        assert_eq!((pages.len(), found), (3, made.clone()));
        let [next] = <[StoredJob; 1]>::try_from(jobs(&store, "reindex_products").await).unwrap();
        let next: ReindexProducts = serde_json::from_value(next.payload).unwrap();
        assert_eq!(next.after, made.last().copied());
        reindex_products(&given.shop, &store, &next, given.shop.id()).await.unwrap();
        assert_eq!(jobs(&store, "reindex_products").await.len(), 1, "behind the last product the walk ends");
    }

    #[tokio::test]
    async fn a_page_that_is_done_twice_leaves_one_trace() {
        let (given, store) = Fixtures::in_memory();
        let page = ReindexPage { products: vec![given.shop.id()] };
        let job = given.shop.id();
        for _ in 0..3 {
            reindex_page(&given.shop, &page, job).await.unwrap();
        }
        assert_eq!(store.traces(), [("job.reindex".to_owned(), "job.reindexed".to_owned())]);
    }
}
