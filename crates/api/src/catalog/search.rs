//! Finding products by words and by meaning, and products like another.

use actix_web::get;
use domain::{
    Violations,
    cache::Tag,
    catalog::{
        policy::Scope,
        queries::ProductFilter,
        similar::{Findings, Mode},
    },
    id::{CategoryId, ProductId, SellerId},
    money::Currency,
    page::Limit,
    shop::Rules,
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::dto::product::ProductItem;
use crate::{
    Answer, Shared,
    auth::MaybeAuth,
    etag::{self, IfNoneMatch},
    kept::{self, Made, Question},
    path::Id,
    problem::{In, Problem},
    query::{Params, Query, Read, number},
};

/// The most characters of a question.
pub const QUESTION_MAX: usize = 200;
/// The most products that are like one.
const SIMILAR_MAX: u32 = 50;

/// What to find; every part given must match.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct SearchParams {
    /// What is looked for, in any words.
    #[param(example = "sailing ship in a storm", pattern = r"^[^\x00]*$", min_length = 1, max_length = 200)]
    q: String,
    /// By words and by meaning, or by words alone.
    #[param(required = false, value_type = SearchModeView)]
    mode: Mode,
    /// In this category or below it.
    category_id: Option<Uuid>,
    /// Of this seller.
    seller_id: Option<Uuid>,
    /// Costs at least this, in major units.
    #[param(value_type = Option<f64>, example = 10, format = "price-bound")]
    min_price: Option<String>,
    /// Costs at most this, in major units.
    #[param(value_type = Option<f64>, example = 5000, format = "price-bound")]
    max_price: Option<String>,
    /// The most products that are given.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u32,
}

/// How products are searched.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchMode)]
#[serde(rename_all = "lowercase")]
pub enum SearchModeView {
    /// By words alone, as lists do.
    Text,
    /// By words and by meaning.
    Hybrid,
}

impl From<Mode> for SearchModeView {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Text => Self::Text,
            Mode::Hybrid => Self::Hybrid,
        }
    }
}

impl Read for SearchParams {
    fn read(query: &mut Query) -> Option<Self> {
        let q = query.one("q");
        match &q {
            None => query.violations.add("q", "required", "is missing: say what to look for"),
            Some(text) if text.is_empty() => {
                query.violations.add("q", "min_length", "must have at least 1 character");
            }
            Some(text) if text.chars().count() > QUESTION_MAX => {
                let message = format!("must have at most {QUESTION_MAX} characters");
                query.violations.add("q", "max_length", message);
            }
            Some(_) => {}
        }
        let mode = query.parsed("mode", "enum", "must be one of text, hybrid", Mode::named);
        Some(Self {
            mode: mode.unwrap_or(Mode::Hybrid),
            category_id: query.uuid("categoryId"),
            seller_id: query.uuid("sellerId"),
            min_price: query.one("minPrice"),
            max_price: query.one("maxPrice"),
            limit: query.limit().get(),
            q: q?,
        })
    }
}

impl SearchParams {
    fn filter(&self, scope: Scope, currency: Currency) -> Result<ProductFilter, Problem> {
        let mut violations = Violations::default();
        let mut price = |name: &str, text: &Option<String>| {
            text.as_ref().and_then(|text| violations.check(name, currency.parse(text)))
        };
        let (min_price, max_price) = (price("minPrice", &self.min_price), price("maxPrice", &self.max_price));
        if min_price.zip(max_price).is_some_and(|(min, max)| min > max) {
            violations.add("minPrice", "range", "must be at most maxPrice");
        }
        if !violations.is_empty() {
            return Err(Problem::invalid(In::Query, &violations));
        }
        Ok(ProductFilter {
            category: self.category_id.map(CategoryId),
            seller: self.seller_id.map(SellerId),
            min_price,
            max_price,
            ..ProductFilter::published(scope)
        })
    }
}

/// A product that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FoundProduct)]
#[serde(rename_all = "camelCase")]
pub struct FoundView<'a> {
    /// The product.
    product: ProductItem<'a>,
    /// Whether name or description have all words that were asked for.
    has_words: bool,
    /// How near its meaning is, at most 1; null when it was not looked at.
    #[schema(required, example = 0.64, minimum = -1, maximum = 1)]
    score: Option<f32>,
}

/// What was found, the best first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SearchResult)]
#[serde(rename_all = "camelCase")]
pub struct SearchView<'a> {
    /// How it was searched: by words alone, too, while meaning cannot be told.
    mode: SearchModeView,
    /// The products.
    items: Vec<FoundView<'a>>,
}

impl<'a> SearchView<'a> {
    /// What was found, as it is shown.
    pub fn new(findings: &'a Findings, rules: &Rules) -> Self {
        let items = findings.found.iter().map(|one| FoundView {
            product: ProductItem::new(&one.summary.product, rules),
            has_words: one.worded,
            // More digits would say nothing.
            score: one.score.map(|score| (score.clamp(-1.0, 1.0) * 10_000.0).round() / 10_000.0),
        });
        Self { mode: findings.mode.into(), items: items.collect() }
    }
}

/// Finds published products by words and by meaning, the best first: other words for the same, other forms of words and
/// misspelled ones find them, too. What was changed a moment ago is found by its new words at once, and by its new meaning soon.
#[utoipa::path(
    tag = "products",
    params(SearchParams),
    responses((status = 200, description = "The products", body = SearchView)),
    security((), ("bearer" = []))
)]
#[get("/api/v1/products/search")]
pub async fn search_products(caller: MaybeAuth, services: Shared, params: Params<SearchParams>) -> Answer {
    let (Params(asked), rules) = (params, &services.shop.rules);
    let filter = asked.filter(Scope::of(&caller.0), rules.currency)?;
    let limit = Limit::new(asked.limit).unwrap_or_default();
    let found = services.finder.search(&filter, &asked.q, asked.mode, limit).await?;
    Ok(actix_web::HttpResponse::Ok().json(SearchView::new(&found, rules)))
}

/// How many.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SimilarParams {
    /// The most products that are given.
    #[param(required = false, minimum = 1, maximum = 50, default = 10, example = 10)]
    limit: u32,
}

impl Read for SimilarParams {
    fn read(query: &mut Query) -> Option<Self> {
        let within = |text: &str| number(text).filter(|limit| (1..=SIMILAR_MAX).contains(limit));
        let limit = query.parsed("limit", "range", "must be a whole number from 1 to 50", within);
        Some(Self { limit: limit.unwrap_or(10) })
    }
}

/// Products like another, the likest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SimilarProducts)]
pub struct SimilarView<'a> {
    /// The products.
    items: Vec<ProductItem<'a>>,
}

/// What it depends on: any product may be one of those found.
const SIMILAR: [Tag; 1] = [Tag::Products];

/// Lists published products like another, the likest first.
#[utoipa::path(
    tag = "products",
    params(Id<ProductId>, SimilarParams, IfNoneMatch),
    responses(
        (status = 200, description = "The products", body = SimilarView),
        (status = 404, description = "No such product, or not for you to see"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/products/{id}/similar")]
pub async fn list_similar_products(
    caller: MaybeAuth,
    services: Shared,
    id: Id<ProductId>,
    params: Params<SimilarParams>,
    known: IfNoneMatch,
) -> Answer {
    let (scope, rules) = (Scope::of(&caller.0), &services.shop.rules);
    let limit = Limit::new(params.0.limit).unwrap_or_default();
    let question = Question {
        // What is near is another when vectors are others, which no event tells.
        text: format_args!("similar|{scope:?}|{}|{}|{}", id.0, limit.get(), services.finder.index.head()),
        tags: SIMILAR.to_vec(),
        policy: services.settings.cache.lists,
        open: false,
        seen: None,
        lasting: false,
    };
    let answer = kept::answered(&services, &caller.0, &known, question, async || {
        let Some(found) = services.finder.similar(id.0, scope, limit).await? else { return Ok(None) };
        let items = found.iter().map(|one| ProductItem::new(&one.product, rules)).collect();
        let body = etag::json(&SimilarView { items })?;
        Ok(Some(Made { tag: etag::tag(None, &body), body }))
    })
    .await?;
    Ok(answer.ok_or(domain::Error::NotFound("Product"))?)
}
