//! One product with all that belongs to it: the statement for one, and for those asked for at the same moment.

use std::{cmp::Reverse, hash::Hash, sync::Arc};

use domain::{
    Error, Result,
    catalog::{
        Image, Review, Slug,
        policy::Scope,
        queries::{CategoryRef, LATEST_REVIEWS, ProductDetail},
    },
    clock::Timestamp,
    id::{CategoryId, ImageId, ProductId, ReviewId, UserId},
};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, TryGetable, Value};
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use super::product_row::{COLUMNS, WIDTH, read, read_picture};
use crate::{
    bulk,
    database::Database,
    engine::Engine,
    error,
    loader::Loader,
    pool::Pool,
    statement::{at, statement},
};

/// The two ways to a product.
#[derive(Debug)]
pub(crate) struct Details {
    by_id: By<Uuid>,
    by_slug: By<String>,
}

impl Details {
    pub(crate) fn of(engine: Engine) -> Self {
        Self { by_id: By::of(engine, &bulk::ids(engine, 1)), by_slug: By::of(engine, &bulk::texts(engine, 1)) }
    }
}

impl Database {
    pub(super) async fn detail_by_id(&self, id: ProductId, scope: Scope) -> Result<Option<ProductDetail>> {
        shown(self.details.by_id.load(&self.reader, id.0).await, scope)
    }

    pub(super) async fn detail_by_slug(&self, slug: &Slug, scope: Scope) -> Result<Option<ProductDetail>> {
        shown(self.details.by_slug.load(&self.reader, slug.to_string()).await, scope)
    }
}

fn shown(row: Result<Option<Arc<QueryResult>>, DbErr>, scope: Scope) -> Result<Option<ProductDetail>> {
    let Some(row) = row.map_err(error::of)? else { return Ok(None) };
    let found = detail(&row)?;
    Ok(scope.shows(found.product.seller, found.product.status).then_some(found))
}

/// What tells a product from others.
trait Key: Clone + Eq + Hash + Into<Value> + TryGetable + Send + Sync + 'static {
    const NAME: &str;
    /// Where it stands in [`COLUMNS`].
    const COLUMN: usize;

    /// As the bulk statements take it.
    fn text(&self) -> String;
}

impl Key for Uuid {
    const NAME: &str = "id";
    const COLUMN: usize = 0;

    fn text(&self) -> String {
        bulk::hex(*self).to_string()
    }
}

impl Key for String {
    const NAME: &str = "slug";
    const COLUMN: usize = 5;

    fn text(&self) -> String {
        self.clone()
    }
}

/// A list as the bulk statements take it.
fn json<K: Key>(keys: &[K]) -> Value {
    let texts: Vec<_> = keys.iter().map(Key::text).collect();
    serde_json::Value::from(texts).to_string().into()
}

/// One way to a product.
#[derive(Debug)]
struct By<K> {
    loader: Loader<K>,
    statements: Arc<Statements>,
}

#[derive(Debug)]
struct Statements {
    one: String,
    many: String,
}

impl<K: Key> By<K> {
    fn of(engine: Engine, wanted: &str) -> Self {
        let (name, alive) = (K::NAME, "p.deleted_at IS NULL");
        let each = bulk::for_each(engine, "products", &format!("p.{name} = wanted.v AND {alive}"));
        let one = sql(engine, "products p", &format!("p.{name} = $1 AND {alive}"));
        let many = sql(engine, &format!("{wanted} {each}"), "TRUE");
        Self { loader: Loader::default(), statements: Arc::new(Statements { one, many }) }
    }

    async fn load(&self, reader: &Pool, key: K) -> Result<Option<Arc<QueryResult>>, DbErr> {
        let (reader, statements) = (reader.clone(), Arc::clone(&self.statements));
        let read = async move |keys: Vec<K>| {
            let (sql, value) = match keys.as_slice() {
                [key] => (&statements.one, key.clone().into()),
                keys => (&statements.many, json(keys)),
            };
            let rows = reader.query_all_raw(statement(reader.engine(), sql.as_str(), [value])).await?;
            rows.into_iter().map(|row| Ok((row.try_get_by_index(K::COLUMN)?, row))).collect()
        };
        self.loader.load(key, read).await
    }
}

/// Lists come as JSON, each item an array in the order of the fields of [`JsonImage`] or [`JsonReview`], and are sorted here:
/// an aggregate that sorts makes SQLite set up a table for it, which takes longer than the rest of the statement. On
/// PostgreSQL a category is looked up by itself, for a join would read all of them.
fn sql(engine: Engine, products: &str, condition: &str) -> String {
    let images = "FROM product_images i WHERE i.product_id = p.id";
    let images = match engine {
        Engine::Sqlite => {
            format!("(SELECT json_group_array(json_array(i.position, hex(i.id), i.url, i.alt, i.picture)) {images})")
        }
        Engine::Postgres => {
            format!(
                "array_to_json(ARRAY(SELECT json_build_array(i.position, i.id, i.url, i.alt, i.picture) {images}))::text"
            )
        }
    };
    let reviews = format!(
        "FROM reviews r WHERE r.product_id = p.id AND NOT r.hidden ORDER BY r.created_at DESC, r.id DESC LIMIT {LATEST_REVIEWS}"
    );
    let reviews = match engine {
        Engine::Sqlite => format!(
            "(SELECT json_group_array(json_array(hex(id), hex(author_id), stars, comment, created_at, updated_at)) \
             FROM (SELECT r.id, r.author_id, r.stars, r.comment, r.created_at, r.updated_at {reviews}) latest)"
        ),
        Engine::Postgres => format!(
            "array_to_json(ARRAY(SELECT json_build_array(r.id, r.author_id, r.stars, r.comment, r.created_at, r.updated_at) \
             {reviews}))::text"
        ),
    };
    let category = engine.pick(
        "LEFT JOIN categories c ON c.id = p.category_id",
        "LEFT JOIN LATERAL (SELECT id, name, slug FROM categories WHERE id = p.category_id LIMIT 1) c ON TRUE",
    );
    format!("SELECT {COLUMNS}, c.id, c.name, c.slug, {images}, {reviews} FROM {products} {category} WHERE {condition}")
}

fn detail(row: &QueryResult) -> Result<ProductDetail> {
    let mut product = read(row, 0)?;
    let category = match at::<Option<Uuid>>(row, WIDTH)? {
        Some(id) => Some(CategoryRef { id: CategoryId(id), name: at(row, WIDTH + 1)?, slug: at(row, WIDTH + 2)? }),
        None => None,
    };
    let mut images: Vec<JsonImage> = json_list(row, WIDTH + 3)?;
    images.sort_unstable_by_key(|image| image.position);
    product.images = images.into_iter().map(JsonImage::image).collect::<Result<_>>()?;
    let mut reviews: Vec<JsonReview> = json_list(row, WIDTH + 4)?;
    reviews.sort_unstable_by_key(|review| Reverse((review.created_at, review.id)));
    let reviews = reviews.into_iter().map(|review| review.of(product.id)).collect();
    Ok(ProductDetail { product, category, reviews })
}

/// A JSON array the database put together, as text.
fn json_list<T: DeserializeOwned>(row: &QueryResult, index: usize) -> Result<Vec<T>> {
    serde_json::from_str(&at::<String>(row, index)?).map_err(Error::internal)
}

/// A picture as the database writes it into JSON.
#[derive(Debug, Deserialize)]
struct JsonImage {
    position: i32,
    id: Uuid,
    url: String,
    alt: Option<String>,
    picture: Option<String>,
}

impl JsonImage {
    fn image(self) -> Result<Image> {
        Ok(Image { id: ImageId(self.id), url: self.url, alt: self.alt, picture: read_picture(self.picture)? })
    }
}

/// A review as the database writes it into JSON.
#[derive(Debug, Deserialize)]
struct JsonReview {
    id: Uuid,
    author: Uuid,
    stars: i32,
    comment: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl JsonReview {
    fn of(self, product: ProductId) -> Review {
        Review {
            id: ReviewId(self.id),
            product,
            author: UserId(self.author),
            stars: self.stars,
            comment: self.comment,
            hidden: false,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}
