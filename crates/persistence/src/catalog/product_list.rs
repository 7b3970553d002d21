//! The statement behind lists of products.
//!
//! A list wants its exact total and its page from one moment, so both come from one statement. The total is read from
//! kept counts where they can tell it. The page is found in one of two ways, chosen by the total inside the statement:
//! a *wide* filter walks the index in the order of the list and skips what does not match; a *narrow* one gathers what
//! matches and sorts it. Without the choice one of them costs a scan of the whole catalogue. `+ 0` and its like keep
//! the planner from mixing the two.

use domain::{
    Result,
    catalog::{
        ProductStatus,
        policy::Scope,
        queries::{Order, ProductFilter, ProductKey, ProductSort, SortBy},
    },
    id::ProductId,
    identity::Sellers,
    money::AMOUNT_MAX,
    text::Search,
};
use sea_orm::{Statement, Value};

use super::{price_stretches::PriceStretches, product_row::COLUMNS};
use crate::{bulk, engine::Engine, statement::statement};

/// From so many matches on, a filter is wide: walking past a few misses is cheaper than sorting them all.
const WIDE: u32 = 1000;
/// A price range is narrow for a search when fewer than one of so many products are in it. Reading an entry of the index
/// takes a fifth of visiting a match, and a frequent word is that of one product in fifty.
const NARROW: u32 = 16;
/// What lists show to everybody; the partial indexes are over exactly this.
const LIVE: &str = "p.status = 'published' AND p.deleted_at IS NULL";

/// What the full-text index of PostgreSQL is over.
const WORDS: &str = "array_to_tsvector(string_to_array(p.search_text, ' '))";

/// What a list is asked for.
pub(super) struct List<'a> {
    pub(super) filter: &'a ProductFilter,
    pub(super) sort: ProductSort,
    pub(super) after: Option<ProductKey>,
    pub(super) limit: u32,
    pub(super) offset: u64,
}

/// The columns of the first picture of `p`, and how it is found.
pub(super) const COVER: &str = "i.id, i.url, i.alt, i.picture";
pub(super) const WITH_COVER: &str = "LEFT JOIN product_images i ON i.product_id = p.id AND i.position = 0";

/// One row per item: the total, the columns of a product, its first picture. An empty page is one row with the total.
pub(super) fn sql(engine: Engine, list: &List<'_>) -> Statement {
    let mut build = Build { engine, values: Vec::new() };
    let found = build.found(list);
    let (key, direction) = (column(list.sort.by), direction(list.sort.order));
    let place = place(engine, list.filter);
    let sql = format!(
        "WITH {found} SELECT t.total, {COLUMNS}, {COVER} \
         FROM t LEFT JOIN k ON TRUE LEFT JOIN products p ON p.{place} = k.place {WITH_COVER} \
         ORDER BY p.{key} {direction}, p.id {direction}"
    );
    statement(engine, sql, build.values)
}

/// Those of these products that pass a filter, whatever it searches for.
pub(super) fn among(engine: Engine, ids: &[ProductId], filter: &ProductFilter) -> Result<Statement> {
    let ids: Vec<_> = ids.iter().map(|id| bulk::hex(*id)).collect();
    let mut build = Build { engine, values: vec![bulk::json(&ids)?] };
    let passes = build.parts(filter).natural();
    let wanted = bulk::ids(engine, 1);
    let sql = format!(
        "SELECT {COLUMNS}, {COVER} FROM {wanted} CROSS JOIN products p {WITH_COVER} WHERE p.id = wanted.v AND {passes}"
    );
    Ok(statement(engine, sql, build.values))
}

struct Build {
    engine: Engine,
    values: Vec<Value>,
}

impl Build {
    /// The products of these sellers.
    fn of_sellers(&mut self, own: Sellers) -> String {
        let places: Vec<_> = own.as_slice().iter().map(|seller| self.bind(seller.0)).collect();
        format!("p.seller_id IN ({})", places.join(", "))
    }

    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// The common table expressions `t` (the total) and `k` (the rows of the page, by their place).
    fn found(&mut self, list: &List<'_>) -> String {
        let (filter, sort) = (list.filter, list.sort);
        let place = place(self.engine, filter);
        let (key, direction) = (column(sort.by), direction(sort.order));
        let after = self.after(list);
        let end = format!("LIMIT {} OFFSET {}", list.limit, list.offset);
        let parts = self.parts(filter);

        if let Some(search) = &filter.search {
            // Gathered once, for the total and the page.
            let gathered = self.gathered(search, &parts, &format!("p.id, p.{key}, p.{place} AS place"));
            return format!(
                "{gathered}, t AS (SELECT count(*) AS total FROM m), \
                 k AS (SELECT p.place FROM m p WHERE {after} ORDER BY p.{key} {direction}, p.id {direction} {end})"
            );
        }

        let total = self.total(&parts);
        let order = format!("ORDER BY p.{key} {direction}, p.id {direction}");
        let natural = parts.natural();
        let walks_by_itself = (parts.price.is_none() || sort.by == SortBy::Price) && parts.category.is_none();
        if walks_by_itself || parts.is_special() {
            return format!(
                "t AS (SELECT {total} AS total), \
                 k AS (SELECT p.{place} AS place FROM products p WHERE {natural} AND {after} {order} {end})"
            );
        }

        let wide = self.only_if(&format!("(SELECT total FROM t) >= {WIDE}"), list);
        let narrow = self.only_if(&format!("(SELECT total FROM t) < {WIDE}"), list);
        let walked = parts.walked(self.engine, sort.by);
        let sorted = format!("ORDER BY {} {direction}, p.id {direction}", unindexed(self.engine, sort.by));
        format!(
            "t AS MATERIALIZED (SELECT {total} AS total), k AS ( \
             SELECT place FROM (SELECT p.{place} AS place FROM products p WHERE {walked} AND {after} {} {order} {}) wide UNION ALL \
             SELECT place FROM (SELECT p.{place} AS place FROM products p WHERE {natural} AND {after} {} {sorted} {}) narrow)",
            wide.0, wide.1, narrow.0, narrow.1
        )
    }

    /// A further condition and an end of a query such that nothing is read unless `condition` holds. Each planner has
    /// its own way to see that: SQLite looks at the limit once, PostgreSQL at conditions without a column.
    fn only_if(&self, condition: &str, list: &List<'_>) -> (String, String) {
        let (limit, offset) = (list.limit, list.offset);
        match self.engine {
            Engine::Sqlite => {
                (String::new(), format!("LIMIT CASE WHEN {condition} THEN {limit} ELSE 0 END OFFSET {offset}"))
            }
            Engine::Postgres => (format!("AND {condition}"), format!("LIMIT {limit} OFFSET {offset}")),
        }
    }

    fn parts(&mut self, filter: &ProductFilter) -> Parts {
        let live = filter.statuses.is_open() || filter.scope == Scope::Published;
        let visible = match filter.scope {
            _ if filter.statuses.iter().next().is_none() => "1 = 0".to_owned(),
            Scope::Published if !filter.statuses.has(ProductStatus::Published) => "1 = 0".to_owned(),
            _ if live => LIVE.to_owned(),
            scope => {
                let names: Vec<_> = filter.statuses.iter().map(|status| format!("'{}'", status.name())).collect();
                let base = format!("p.status IN ({}) AND p.deleted_at IS NULL", names.join(", "));
                match scope {
                    Scope::Sellers(own) if filter.statuses.has(ProductStatus::Published) => {
                        format!("{base} AND (p.status = 'published' OR {})", self.of_sellers(own))
                    }
                    Scope::Sellers(own) => format!("{base} AND {}", self.of_sellers(own)),
                    _ => base,
                }
            }
        };
        // Only this is what the partial indexes and the kept counts are of.
        let live = live && visible == LIVE;
        let seller = filter.seller.map(|seller| format!("p.seller_id = {}", self.bind(seller.0)));
        let price = (filter.min_price.is_some() || filter.max_price.is_some()).then(|| {
            let lo = filter.min_price.map_or(0, |amount| amount.0.clamp(0, AMOUNT_MAX));
            let hi = filter.max_price.map_or(AMOUNT_MAX, |amount| amount.0.clamp(-1, AMOUNT_MAX));
            (lo, hi, format!("BETWEEN {} AND {}", self.bind(lo), self.bind(hi)))
        });
        let category = filter.category.map(|category| {
            format!(
                "IN (SELECT s.id FROM categories c JOIN categories s \
                 ON s.path >= c.path AND s.path < substr(c.path, 1, length(c.path) - 1) || '0' WHERE c.id = {})",
                self.bind(category.0)
            )
        });
        Parts { live, visible, seller, price, category }
    }

    fn after(&mut self, list: &List<'_>) -> String {
        let Some(after) = list.after else { return "TRUE".to_owned() };
        let value = match list.sort.by {
            SortBy::Price => self.bind(after.value),
            SortBy::CreatedAt => {
                self.bind(chrono::DateTime::from_timestamp_micros(after.value).unwrap_or(chrono::DateTime::UNIX_EPOCH))
            }
        };
        let id = self.bind(after.id.0);
        let comparison = match list.sort.order {
            Order::Ascending => '>',
            Order::Descending => '<',
        };
        format!("(p.{}, p.id) {comparison} ({value}, {id})", column(list.sort.by))
    }

    /// The common table expression `m`: these columns of what a search finds.
    fn gathered(&mut self, search: &Search, parts: &Parts, columns: &str) -> String {
        let (from, matches) = self.matching(search, parts.live);
        let natural = format!("SELECT {columns} FROM {from} WHERE {matches} AND {}", parts.natural());
        let (Engine::Postgres, false, Some((lo, hi, _))) = (self.engine, parts.is_special(), &parts.price) else {
            return format!("m AS MATERIALIZED ({natural})");
        };
        // PostgreSQL plans this once for all bounds, and then always reads every product of the price range to narrow
        // the matches. That pays for a narrow range only; the coarse counts tell which it is.
        let (from_bucket, to_bucket) = (self.bind(lo >> 12), self.bind(hi >> 12));
        let by_words = parts.joined("p.price_minor + 0", "p.category_id");
        format!(
            "b AS MATERIALIZED (SELECT coalesce({NARROW} * sum(n) FILTER (WHERE bucket BETWEEN {from_bucket} AND {to_bucket}) >= sum(n), FALSE) \
             AS wide FROM price_counts WHERE level = 1), \
             m AS MATERIALIZED (SELECT {columns} FROM {from} WHERE {matches} AND {by_words} AND (SELECT wide FROM b) \
             UNION ALL {natural} AND NOT (SELECT wide FROM b))"
        )
    }

    fn matching(&mut self, search: &Search, live: bool) -> (String, String) {
        let Some((prefix, whole)) = search.tokens().split_last() else {
            return ("products p".to_owned(), "1 = 0".to_owned());
        };
        // Tokens hold only letters and digits (`domain::text`), so quoting them needs no escape.
        match self.engine {
            Engine::Sqlite => {
                let mut query: String = whole.iter().flat_map(|token| ["\"", token.as_str(), "\" "]).collect();
                query.extend(["\"", prefix, "\" *"]);
                let query = self.bind(query);
                // The narrow index answers for a match what the wide row would; SQLite does not choose it by itself.
                let indexed = if live { "INDEXED BY products_doc" } else { "" };
                (
                    format!("product_search f CROSS JOIN products p {indexed} ON p.doc = f.rowid"),
                    format!("f.product_search MATCH {query}"),
                )
            }
            Engine::Postgres => {
                let mut query: String = whole.iter().flat_map(|token| ["'", token.as_str(), "' & "]).collect();
                query.extend(["'", prefix, "':*"]);
                let query = self.bind(query);
                ("products p".to_owned(), format!("{WORDS} @@ {query}::text::tsquery"))
            }
        }
    }

    /// The exact total: from the kept counts where the filter allows, else by counting.
    fn total(&mut self, parts: &Parts) -> String {
        let counting = format!("(SELECT count(*) FROM products p WHERE {})", parts.natural());
        if parts.is_special() {
            return counting;
        }
        match (&parts.category, &parts.price) {
            (None, None) => self.summed("category_counts", "TRUE", "TRUE"),
            (Some(category), None) => {
                let these = format!("category_id {category}");
                self.summed("category_counts", &these, &these)
            }
            (None, Some((lo, hi, _))) => self.total_by_price(*lo, *hi),
            // Rows of one branch of the tree: the index alone tells.
            (Some(_), Some(_)) => counting,
        }
    }

    /// A sum over kept counts plus, on PostgreSQL, what waits to be folded into them.
    fn summed(&self, table: &str, counted: &str, waiting: &str) -> String {
        let kept = format!("coalesce((SELECT sum(n) FROM {table} WHERE {counted}), 0)");
        match self.engine {
            Engine::Sqlite => kept,
            Engine::Postgres => {
                format!("({kept} + coalesce((SELECT sum(n) FROM product_count_deltas WHERE {waiting}), 0))::bigint")
            }
        }
    }

    fn total_by_price(&mut self, lo: i64, hi: i64) -> String {
        let parts = PriceStretches::of(lo, hi);
        let mut terms = Vec::new();
        for (level, stretch) in parts.buckets {
            let (from, to) = (self.bind(stretch.from), self.bind(stretch.to));
            terms.push(format!(
                "coalesce((SELECT sum(n) FROM price_counts WHERE level = {level} AND bucket BETWEEN {from} AND {to}), 0)"
            ));
        }
        for edge in parts.edges {
            let (from, to) = (self.bind(edge.from), self.bind(edge.to));
            terms.push(format!(
                "(SELECT count(*) FROM products p WHERE {LIVE} AND p.price_minor BETWEEN {from} AND {to})"
            ));
        }
        if self.engine == Engine::Postgres {
            let (from, to) = (self.bind(parts.covered.from), self.bind(parts.covered.to));
            terms.push(format!(
                "coalesce((SELECT sum(n) FROM product_count_deltas WHERE price_minor BETWEEN {from} AND {to}), 0)"
            ));
        }
        let sum = terms.join(" + ");
        match self.engine {
            Engine::Sqlite => sum,
            Engine::Postgres => format!("({sum})::bigint"),
        }
    }
}

/// The conditions of a filter, apart from search.
struct Parts {
    live: bool,
    visible: String,
    seller: Option<String>,
    price: Option<(i64, i64, String)>,
    category: Option<String>,
}

impl Parts {
    /// As the planner may use them with any index.
    fn natural(&self) -> String {
        self.joined("p.price_minor", "p.category_id")
    }

    /// Such that only the index in the order of the list can be used.
    fn walked(&self, engine: Engine, by: SortBy) -> String {
        let price = match by {
            SortBy::CreatedAt => "p.price_minor + 0",
            SortBy::Price => "p.price_minor",
        };
        self.joined(price, engine.pick("+p.category_id", "coalesce(p.category_id, p.category_id)"))
    }

    /// Neither kept counts nor partial indexes know of sellers and of products that are not published.
    fn is_special(&self) -> bool {
        !self.live || self.seller.is_some()
    }

    fn joined(&self, price: &str, category: &str) -> String {
        let mut all = self.visible.clone();
        if let Some(seller) = &self.seller {
            all.push_str(" AND ");
            all.push_str(seller);
        }
        for (column, condition) in
            [(price, self.price.as_ref().map(|(_, _, text)| text)), (category, self.category.as_ref())]
        {
            if let Some(condition) = condition {
                all.extend([" AND ", column, " ", condition.as_str()]);
            }
        }
        all
    }
}

/// The column by which the row of one that was found is reached with the fewest steps. An index of SQLite holds the
/// number of the row; one of PostgreSQL tells where the row lies only to who visits it, as a search does and a walk does
/// not.
fn place(engine: Engine, filter: &ProductFilter) -> &'static str {
    match engine {
        Engine::Sqlite => "doc",
        Engine::Postgres if filter.search.is_some() => "ctid",
        Engine::Postgres => "id",
    }
}

fn column(by: SortBy) -> &'static str {
    match by {
        SortBy::CreatedAt => "created_at",
        SortBy::Price => "price_minor",
    }
}

fn direction(order: Order) -> &'static str {
    match order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    }
}

/// The sort column in a form no index is in the order of.
fn unindexed(engine: Engine, by: SortBy) -> &'static str {
    match by {
        SortBy::CreatedAt => engine.pick("+p.created_at", "p.created_at + interval '0'"),
        SortBy::Price => "p.price_minor + 0",
    }
}
