//! Tools that only read, each with the scope of whoever asks.

use serde_json::{Value, json};

use super::{Toolbox, arguments::Given, view};
use crate::{
    actor::Actor,
    catalog::{
        ProductStatus, Statuses,
        policy::{Scope, which_seller},
        queries::{Order, ProductFilter, ProductSort, SortBy},
        similar::Mode,
    },
    error::{Error, Result, Violations},
    id::{ProductId, SellerId},
    page::{Limit, PageRequest},
    permission::WriteProducts,
};

/// How many products are given when nobody says.
const FEW: u32 = 10;

impl Toolbox {
    pub(super) async fn search(&self, actor: &Actor, given: &Given) -> Result<Value> {
        let (rules, mut violations) = (&self.shop.rules, Violations::default());
        let mut price = |name: &str| {
            given.text(name).and_then(|text| violations.check(format!("/{name}"), rules.currency.parse(text)))
        };
        let (min_price, max_price) = (price("minPrice"), price("maxPrice"));
        if min_price.zip(max_price).is_some_and(|(min, max)| min > max) {
            violations.add("/minPrice", "range", "must be at most maxPrice");
        }
        violations.into_result()?;
        let filter = ProductFilter {
            category: given.id("categoryId"),
            min_price,
            max_price,
            ..ProductFilter::published(Scope::of(actor))
        };
        let mode = given.text("mode").and_then(Mode::named).unwrap_or(Mode::Hybrid);
        let findings = self.finder.search(&filter, given.text("query").unwrap_or_default(), mode, limit(given)).await?;
        let found: Vec<Value> = findings.found.iter().map(|one| view::short(&one.summary.product, rules)).collect();
        Ok(json!({ "mode": findings.mode.name(), "products": found }))
    }

    pub(super) async fn read(&self, actor: &Actor, given: &Given) -> Result<Value> {
        let found = self.finder.products.get(product(given)?, Scope::of(actor)).await?;
        Ok(view::detail(&found.ok_or(Error::NotFound("Product"))?, &self.shop.rules))
    }

    pub(super) async fn similar(&self, actor: &Actor, given: &Given) -> Result<Value> {
        let found = self.finder.similar(product(given)?, Scope::of(actor), limit(given)).await?;
        let found = found.ok_or(Error::NotFound("Product"))?;
        let found: Vec<Value> = found.iter().map(|one| view::short(&one.product, &self.shop.rules)).collect();
        Ok(json!({ "products": found }))
    }

    pub(super) async fn own(&self, actor: &Actor, given: &Given) -> Result<Value> {
        let by = actor.authorize::<WriteProducts>()?;
        let who = match given.id::<SellerId>("sellerId") {
            Some(seller) => by.principal().clone().acting_for(seller)?,
            None => by.principal().clone(),
        };
        let seller = who.seller.ok_or_else(|| which_seller(&who))?;
        let statuses = match given.text("status").and_then(ProductStatus::named) {
            Some(status) => Statuses::from(status),
            None => Statuses::from_iter(ProductStatus::ALL),
        };
        let filter =
            ProductFilter { statuses, seller: Some(seller), ..ProductFilter::published(Scope::of_principal(&who)) };
        let sort = ProductSort { by: SortBy::CreatedAt, order: Order::Descending };
        let page = given.whole("page").and_then(|page| u32::try_from(page).ok()).unwrap_or(1);
        let page = self.finder.products.list(&filter, sort, PageRequest { page, limit: limit(given) }).await?;
        let found: Vec<Value> = page.items.iter().map(|one| view::short(&one.product, &self.shop.rules)).collect();
        Ok(json!({ "products": found, "total": page.total, "page": page.page, "pages": page.pages }))
    }
}

fn product(given: &Given) -> Result<ProductId> {
    given.id("productId").ok_or(Error::NotFound("Product"))
}

fn limit(given: &Given) -> Limit {
    let asked = given.whole("limit").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(FEW);
    Limit::new(asked).unwrap_or_default()
}
