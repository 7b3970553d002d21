//! The read side of products in memory: what every index of another store must agree with.

use async_trait::async_trait;

use super::{MemoryStore, page_of, state::State};
use crate::{
    catalog::{
        Product, Slug,
        policy::Scope,
        ports::ProductQueries,
        queries::{
            BySlug, CategoryRef, LATEST_REVIEWS, Order, ProductDetail, ProductFilter, ProductKey, ProductSort,
            ProductSummary,
        },
    },
    error::Result,
    id::ProductId,
    page::{Limit, Page, PageRequest, Slice},
    text,
};

impl State {
    fn matches(&self, filter: &ProductFilter, product: &Product) -> bool {
        filter.scope.shows(product.seller, product.status)
            && filter.statuses.has(product.status)
            && filter.seller.is_none_or(|seller| product.seller == seller)
            && filter.min_price.is_none_or(|least| product.price >= least)
            && filter.max_price.is_none_or(|most| product.price <= most)
            && filter
                .search
                .as_ref()
                .is_none_or(|search| search.matches(&text::search_text(&[&product.name, &product.description])))
            && filter.category.is_none_or(|root| {
                let category = product.category.and_then(|id| self.categories.get(&id));
                let root = self.categories.get(&root);
                category.zip(root).is_some_and(|(category, root)| category.is_within(root))
            })
    }

    fn sorted(&self, filter: &ProductFilter, sort: ProductSort) -> Vec<&Product> {
        let mut found: Vec<_> = self.live().filter(|product| self.matches(filter, product)).collect();
        found.sort_by_key(|product| place(ProductKey::of(product, sort.by)));
        if sort.order == Order::Descending {
            found.reverse();
        }
        found
    }

    fn detail(&self, product: &Product) -> ProductDetail {
        let category = product.category.and_then(|id| self.categories.get(&id));
        let latest = usize::try_from(LATEST_REVIEWS).unwrap_or(usize::MAX);
        ProductDetail {
            product: product.clone(),
            category: category.map(|category| CategoryRef {
                id: category.id,
                name: category.name.clone(),
                slug: category.slug.clone(),
            }),
            reviews: self.shown_reviews(product.id).into_iter().take(latest).collect(),
        }
    }
}

fn place(key: ProductKey) -> (i64, ProductId) {
    (key.value, key.id)
}

fn summary(product: &Product) -> ProductSummary {
    let mut product = product.clone();
    product.images.truncate(1);
    ProductSummary { product }
}

#[async_trait]
impl ProductQueries for MemoryStore {
    async fn get(&self, id: ProductId, scope: Scope) -> Result<Option<ProductDetail>> {
        let state = self.state();
        let found = state.products.get(&id).filter(|product| product.deleted.is_none());
        let shown = found.filter(|product| scope.shows(product.seller, product.status));
        Ok(shown.map(|product| state.detail(product)))
    }

    async fn by_slug(&self, slug: &Slug, scope: Scope) -> Result<Option<BySlug>> {
        let state = self.state();
        let shown = |product: &&Product| scope.shows(product.seller, product.status);
        if let Some(product) = state.live().find(|product| product.slug == *slug) {
            return Ok(Some(product).filter(shown).map(|product| BySlug::Here(Box::new(state.detail(product)))));
        }
        let moved = state.old_slugs.get(slug.as_str()).and_then(|id| state.products.get(id));
        let moved = moved.filter(|product| product.deleted.is_none()).filter(shown);
        Ok(moved.map(|product| BySlug::Moved(product.slug.clone())))
    }

    async fn list(&self, filter: &ProductFilter, sort: ProductSort, page: PageRequest) -> Result<Page<ProductSummary>> {
        let state = self.state();
        Ok(page_of(state.sorted(filter, sort).into_iter().map(summary), page))
    }

    async fn slice(
        &self,
        filter: &ProductFilter,
        sort: ProductSort,
        after: Option<ProductKey>,
        limit: Limit,
    ) -> Result<Slice<ProductSummary, ProductKey>> {
        let state = self.state();
        let follows = |product: &&Product| {
            after.is_none_or(|after| {
                let (place, after) = (place(ProductKey::of(product, sort.by)), place(after));
                match sort.order {
                    Order::Ascending => place > after,
                    Order::Descending => place < after,
                }
            })
        };
        let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        let rest: Vec<_> = state.sorted(filter, sort).into_iter().filter(follows).collect();
        let items: Vec<_> = rest.iter().take(limit).map(|product| summary(product)).collect();
        let last = items.last().map(|item| ProductKey::of(&item.product, sort.by));
        Ok(Slice { next: last.filter(|_| rest.len() > limit), items })
    }

    async fn among(&self, ids: &[ProductId], filter: &ProductFilter) -> Result<Vec<ProductSummary>> {
        let (state, filter) = (self.state(), ProductFilter { search: None, ..filter.clone() });
        let found = state.live().filter(|product| ids.contains(&product.id) && state.matches(&filter, product));
        Ok(found.map(summary).collect())
    }

    async fn deleted(&self, scope: Scope, page: PageRequest) -> Result<Page<ProductSummary>> {
        let state = self.state();
        let may_restore = |product: &&Product| match scope {
            Scope::All => true,
            Scope::Sellers(own) => own.has(product.seller),
            Scope::Published => false,
        };
        let mut deleted: Vec<_> = state
            .products
            .values()
            .filter(may_restore)
            .filter_map(|product| product.deleted.map(|deleted| (deleted.at, product)))
            .collect();
        deleted.sort_by_key(|(at, product)| std::cmp::Reverse((*at, product.id)));
        Ok(page_of(deleted.into_iter().map(|(_, product)| summary(product)), page))
    }
}
