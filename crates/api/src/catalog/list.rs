//! Lists of products: by page with exact totals, or by cursor.

use actix_web::{HttpResponse, get};
use domain::{
    Actor, Violations,
    cache::Tag,
    catalog::{
        ProductStatus, Statuses,
        policy::Scope,
        queries::{Order, ProductFilter, ProductKey, ProductSort, ProductSummary, SortBy},
    },
    id::{CategoryId, SellerId},
    money::Currency,
    page::{Page, PageRequest},
    permission::WriteProducts,
    shop::Rules,
    text::Search,
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    cursor,
    dto::{
        product::ProductItem,
        status::{STATUS_NAMES, StatusView},
    },
};
use crate::{
    Answer, Services, Shared,
    auth::{self, Auth, MaybeAuth},
    etag::{self, IfNoneMatch},
    kept::{self, Made, Question},
    page::{PageParams, PageView},
    problem::{In, Problem},
    query::{Params, Query, Read},
};

/// Which products to list; every part given must match.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListParams {
    /// Words in name or description: all must be there, the last one as the beginning of a word.
    #[param(example = "graphite pap", pattern = r"^[^\x00]*$")]
    search: Option<String>,
    /// In this category or below it.
    category_id: Option<Uuid>,
    /// Of this seller.
    seller_id: Option<Uuid>,
    /// Those with one of these statuses, `published` by default; of other statuses sellers see their own, administrators
    /// all. Given again for each further one, as `status=draft&status=archived` or `status[]=draft&status[]=archived`.
    #[param(value_type = Option<Vec<StatusView>>)]
    status: Option<Statuses>,
    /// Costs at least this, in major units.
    #[param(value_type = Option<f64>, example = 10, format = "price-bound")]
    min_price: Option<String>,
    /// Costs at most this, in major units.
    #[param(value_type = Option<f64>, example = 5000, format = "price-bound")]
    max_price: Option<String>,
    /// What to sort by; ties are broken by id.
    #[param(value_type = Option<SortByView>)]
    sort_by: Option<SortBy>,
    /// In which direction; `desc` by default.
    #[param(value_type = Option<OrderView>)]
    sort_order: Option<Order>,
    /// The page, from 1. Not together with `cursor`.
    #[param(required = false, minimum = 1, maximum = 4_294_967_295_i64, default = 1, value_type = i64)]
    page: u32,
    /// Items per page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u32,
    /// Reads by cursor: empty at first, then the `nextCursor` of the answer before.
    #[param(pattern = "^[A-Za-z0-9_-]*$")]
    cursor: Option<String>,
}

/// What lists are sorted by.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductSortBy)]
#[serde(rename_all = "camelCase")]
pub enum SortByView {
    /// When it was made.
    CreatedAt,
    /// Its price.
    Price,
}

/// A direction.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SortOrder)]
#[serde(rename_all = "lowercase")]
pub enum OrderView {
    /// Smallest first.
    Asc,
    /// Greatest first.
    Desc,
}

impl Read for ListParams {
    fn read(query: &mut Query) -> Option<Self> {
        let paged = query.has("page");
        let page = query.page();
        let cursor = query.one("cursor");
        if paged && cursor.is_some() {
            query.violations.add("cursor", "exclusive", "cannot go together with page");
        }
        let sort_by = query.parsed("sortBy", "enum", "must be one of createdAt, price", |text| match text {
            "createdAt" => Some(SortBy::CreatedAt),
            "price" => Some(SortBy::Price),
            _ => None,
        });
        let sort_order = query.parsed("sortOrder", "enum", "must be one of asc, desc", |text| match text {
            "asc" => Some(Order::Ascending),
            "desc" => Some(Order::Descending),
            _ => None,
        });
        Some(Self {
            search: query.one("search").filter(|text| !text.trim().is_empty()),
            category_id: query.uuid("categoryId"),
            seller_id: query.uuid("sellerId"),
            status: query.many("status", "enum", &format!("must be one of {STATUS_NAMES}"), ProductStatus::named),
            min_price: query.one("minPrice"),
            max_price: query.one("maxPrice"),
            sort_by,
            sort_order,
            page: page.page,
            limit: page.limit.get(),
            cursor,
        })
    }
}

impl ListParams {
    fn filter(&self, scope: Scope, currency: Currency) -> Result<ProductFilter, Problem> {
        let mut violations = Violations::default();
        let mut price = |name: &str, text: &Option<String>| {
            text.as_ref().and_then(|text| violations.check(name, currency.parse(text)))
        };
        let (min_price, max_price) = (price("minPrice", &self.min_price), price("maxPrice", &self.max_price));
        if let (Some(min), Some(max)) = (min_price, max_price)
            && min > max
        {
            violations.add("minPrice", "range", "must be at most maxPrice");
        }
        if !violations.is_empty() {
            return Err(Problem::invalid(In::Query, &violations));
        }
        Ok(ProductFilter {
            scope,
            statuses: self.status.unwrap_or(Statuses::PUBLISHED),
            search: self.search.as_deref().map(Search::new),
            category: self.category_id.map(CategoryId),
            seller: self.seller_id.map(SellerId),
            min_price,
            max_price,
        })
    }

    fn sort(&self) -> ProductSort {
        ProductSort {
            by: self.sort_by.unwrap_or(SortBy::CreatedAt),
            order: self.sort_order.unwrap_or(Order::Descending),
        }
    }

    fn page(&self) -> PageRequest {
        PageRequest { page: self.page, limit: domain::page::Limit::new(self.limit).unwrap_or_default() }
    }
}

/// A stretch of a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductSlice)]
#[serde(rename_all = "camelCase")]
pub struct SliceView<'a> {
    /// The products.
    items: Vec<ProductItem<'a>>,
    /// The `cursor` of the next stretch; null at the end.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Products by page or by cursor, as asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductList)]
#[serde(untagged)]
pub enum ProductList<'a> {
    /// Asked by page.
    #[schema(title = "ProductPage")]
    Page(PageView<ProductItem<'a>>),
    /// Asked by cursor.
    Slice(SliceView<'a>),
}

/// What a list of products depends on.
const LISTED: [Tag; 2] = [Tag::Products, Tag::Categories];

/// Lists products.
#[utoipa::path(
    tag = "products",
    params(ListParams, IfNoneMatch),
    responses(
        (status = 200, description = "The products", body = ProductList),
        (status = 401, description = "Another status than published was asked for anonymously"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/products")]
pub async fn list_products(
    caller: MaybeAuth,
    services: Shared,
    params: Params<ListParams>,
    known: IfNoneMatch,
) -> Answer {
    let (Params(asked), MaybeAuth(actor)) = (params, caller);
    let rules = &services.shop.rules;
    let currency = rules.currency;
    let (filter, sort, page) = (asked.filter(Scope::of(&actor), currency)?, asked.sort(), asked.page());
    if !filter.statuses.is_open() && actor == Actor::Anonymous {
        return Err(auth::refusal(known.request()));
    }
    let cursor = asked.cursor.as_deref();
    let question = Question {
        // As it was asked, which was read without a fault: writing down what was read would take longer than the rest.
        text: format_args!("list_products|{:?}|{}", filter.scope, known.request().query_string()),
        tags: LISTED.to_vec(),
        policy: services.settings.cache.lists,
        open: filter.scope == Scope::Published,
        seen: None,
        lasting: true,
    };
    let answer = kept::answered(&services, &actor, &known, question, async || {
        let body = match cursor {
            None => {
                etag::json(&ProductList::Page(page_view(&services.products.list(&filter, sort, page).await?, rules)))?
            }
            Some(text) => {
                let after = after(&services, &filter, sort, text)?;
                let slice = services.products.slice(&filter, sort, after, page.limit).await?;
                etag::json(&ProductList::Slice(SliceView {
                    items: slice.items.iter().map(|item| ProductItem::new(&item.product, rules)).collect(),
                    next_cursor: slice.next.map(|key| cursor::seal(services.mac.as_ref(), &filter, sort, key)),
                }))?
            }
        };
        Ok(Some(Made { tag: etag::tag(None, &body), body }))
    })
    .await?;
    answer.ok_or_else(Problem::no_route)
}

/// Where a cursor stands; the empty one stands at the begin.
fn after(
    services: &Services,
    filter: &ProductFilter,
    sort: ProductSort,
    text: &str,
) -> Result<Option<ProductKey>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    cursor::open(services.mac.as_ref(), filter, sort, text).map(Some).ok_or_else(|| {
        Problem::broken(
            In::Query,
            "cursor",
            "cursor",
            "must be a nextCursor of this list with the same filter and sort",
        )
    })
}

/// Lists one's deleted products that can be restored, newest deletion first; administrators see all.
#[utoipa::path(
    tag = "products",
    params(PageParams),
    responses((status = 200, description = "The products", body = PageView<ProductItem>)),
    security(("bearer" = ["products:write"]))
)]
#[get("/api/v1/products/deleted")]
pub async fn list_deleted_products(auth: Auth<WriteProducts>, services: Shared, page: Params<PageParams>) -> Answer {
    let scope = Scope::of(&Actor::Signed(auth.0.principal().clone()));
    let found = services.products.deleted(scope, page.0.request()).await?;
    Ok(HttpResponse::Ok().json(page_view(&found, &services.shop.rules)))
}

fn page_view<'a>(found: &'a Page<ProductSummary>, rules: &Rules) -> PageView<ProductItem<'a>> {
    let items = found.items.iter().map(|item| ProductItem::new(&item.product, rules)).collect();
    PageView { items, total: found.total, page: found.page, pages: found.pages }
}
