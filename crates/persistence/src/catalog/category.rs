//! The category tree.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    catalog::{
        Category,
        ports::{CategoryQueries, CategoryRepo},
        queries::CategoryCount,
    },
    id::CategoryId,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QueryResult,
    sea_query::OnConflict,
};
use uuid::Uuid;

use crate::{
    database::Database,
    engine::Engine,
    entity::category,
    error,
    statement::{all, at, count, execute, one, placeholders, statement},
    tx::SeaTx,
};

#[async_trait]
impl CategoryRepo for SeaTx {
    async fn insert(&mut self, new: &Category) -> Result<bool> {
        let stored = category::Entity::insert(row(new))
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.tx)
            .await
            .map_err(error::of)?;
        Ok(stored == 1)
    }

    async fn find(&mut self, id: CategoryId) -> Result<Option<Category>> {
        let found = category::Entity::find_by_id(id.0).one(&self.tx).await.map_err(error::of)?;
        Ok(found.map(from_row))
    }

    async fn existing(&mut self, ids: &[CategoryId]) -> Result<Vec<CategoryId>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT id FROM categories WHERE id IN ({})", placeholders(1, ids.len()));
        let rows = all(&self.tx, statement(self.engine, sql, ids.iter().map(|id| id.0.into()))).await?;
        rows.iter().map(|row| at(row, 0).map(CategoryId)).collect()
    }

    async fn all(&mut self) -> Result<Vec<Category>> {
        let rows =
            category::Entity::find().order_by_asc(category::Column::Path).all(&self.tx).await.map_err(error::of)?;
        Ok(rows.into_iter().map(from_row).collect())
    }

    async fn update(&mut self, new: &Category, old_path: &str) -> Result<bool> {
        let taken = category::Entity::find()
            .filter(category::Column::Slug.eq(&new.slug))
            .filter(category::Column::Id.ne(new.id.0))
            .count(&self.tx)
            .await
            .map_err(error::of)?;
        if taken > 0 {
            return Ok(false);
        }
        category::Entity::update(row(new)).exec(&self.tx).await.map_err(error::of)?;
        if new.path != old_path {
            let sql = "UPDATE categories SET path = $1 || substr(path, $2), updated_at = $3 \
                       WHERE path > $4 AND path < $5";
            let from = i32::try_from(old_path.len() + 1).unwrap_or(i32::MAX);
            let values = [
                new.path.as_str().into(),
                from.into(),
                new.updated_at.into(),
                old_path.into(),
                after_all_below(old_path).into(),
            ];
            execute(&self.tx, statement(self.engine, sql, values)).await?;
        }
        Ok(true)
    }

    async fn has_children(&mut self, id: CategoryId) -> Result<bool> {
        let children = category::Entity::find().filter(category::Column::ParentId.eq(id.0)).count(&self.tx).await;
        children.map(|n| n > 0).map_err(error::of)
    }

    async fn delete(&mut self, id: CategoryId) -> Result<()> {
        // Products deleted earlier may still name it; they would stand in the way of the foreign key.
        let sql = "UPDATE products SET category_id = NULL WHERE category_id = $1 AND deleted_at IS NOT NULL";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        category::Entity::delete_by_id(id.0).exec(&self.tx).await.map(|_| ()).map_err(error::of)
    }

    async fn lock_tree(&mut self) -> Result<()> {
        match self.engine {
            // The one writer holds everything.
            Engine::Sqlite => Ok(()),
            Engine::Postgres => {
                let sql = "LOCK TABLE categories IN SHARE ROW EXCLUSIVE MODE";
                execute(&self.tx, statement(self.engine, sql, [])).await.map(|_| ())
            }
        }
    }
}

impl Database {
    /// The read side of the category tree.
    pub fn categories(&self) -> Arc<dyn CategoryQueries> {
        Arc::new(self.clone())
    }
}

/// `n` as [`CategoryCount`] has it: what was counted plus, on PostgreSQL, what waits to be.
fn counted(engine: Engine) -> &'static str {
    engine.pick(
        "coalesce((SELECT n FROM category_counts k WHERE k.category_id = c.id), 0)",
        "(coalesce((SELECT n FROM category_counts k WHERE k.category_id = c.id), 0) \
          + coalesce((SELECT sum(n) FROM product_count_deltas d WHERE d.category_id = c.id), 0))::bigint",
    )
}

#[async_trait]
impl CategoryQueries for Database {
    async fn tree(&self) -> Result<Vec<CategoryCount>> {
        let sql = format!(
            "SELECT c.id, c.parent_id, c.name, c.slug, c.path, c.rank, c.created_at, c.updated_at, {} FROM categories c",
            counted(self.engine)
        );
        let rows = all(&self.reader, statement(self.engine, sql, [])).await?;
        let mut nodes = rows.iter().map(counted_row).collect::<Result<Vec<_>>>()?;
        sort_as_tree(&mut nodes);
        Ok(nodes)
    }

    async fn get(&self, id: CategoryId) -> Result<Option<CategoryCount>> {
        let sql = format!(
            "SELECT c.id, c.parent_id, c.name, c.slug, c.path, c.rank, c.created_at, c.updated_at, {} FROM categories c WHERE c.id = $1",
            counted(self.engine)
        );
        let row = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        row.map(|row| counted_row(&row)).transpose()
    }
}

/// Parents before children, siblings by rank, then name.
fn sort_as_tree(nodes: &mut [CategoryCount]) {
    let places: std::collections::HashMap<CategoryId, (i32, String)> =
        nodes.iter().map(|node| (node.category.id, (node.category.rank, node.category.name.clone()))).collect();
    let mut keyed: Vec<_> = nodes
        .iter()
        .map(|node| {
            let way = node.category.path.split('/').filter_map(|id| id.parse::<CategoryId>().ok());
            let key: Vec<_> = way.map(|id| (places.get(&id).cloned().unwrap_or_default(), id)).collect();
            (key, node.clone())
        })
        .collect();
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (place, (_, node)) in nodes.iter_mut().zip(keyed) {
        *place = node;
    }
}

/// The first path that sorts behind every path below `path`: `0` follows `/`.
pub(super) fn after_all_below(path: &str) -> String {
    format!("{}0", path.trim_end_matches('/'))
}

fn row(category: &Category) -> category::ActiveModel {
    category::ActiveModel {
        id: Set(category.id.0),
        parent_id: Set(category.parent.map(|parent| parent.0)),
        name: Set(category.name.clone()),
        slug: Set(category.slug.clone()),
        path: Set(category.path.clone()),
        rank: Set(category.rank),
        created_at: Set(category.created_at),
        updated_at: Set(category.updated_at),
    }
}

fn from_row(row: category::Model) -> Category {
    Category {
        id: CategoryId(row.id),
        parent: row.parent_id.map(CategoryId),
        name: row.name,
        slug: row.slug,
        path: row.path,
        rank: row.rank,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn counted_row(row: &QueryResult) -> Result<CategoryCount> {
    let category = Category {
        id: CategoryId(at(row, 0)?),
        parent: at::<Option<Uuid>>(row, 1)?.map(CategoryId),
        name: at(row, 2)?,
        slug: at(row, 3)?,
        path: at(row, 4)?,
        rank: at(row, 5)?,
        created_at: at(row, 6)?,
        updated_at: at(row, 7)?,
    };
    Ok(CategoryCount { category, products: count(row, 8)? })
}
