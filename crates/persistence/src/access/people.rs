//! People as whoever runs the installation finds them.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    access::ports::{PeopleFilter, PeopleQueries, Person},
    id::UserId,
    identity::{Email, User},
    page::{Page, PageRequest},
};
use sea_orm::{QueryResult, Value};

use super::row::{self, BAN};
use crate::{
    database::Database,
    engine::Engine,
    paging::{Paged, paged},
    statement::{at, one, statement},
};

/// The last character there is: what begins with a text stands between it and it followed by this.
const LAST: char = '\u{10ffff}';

impl Database {
    /// The read side of people for whoever runs the installation.
    pub fn people(&self) -> Arc<dyn PeopleQueries> {
        Arc::new(self.clone())
    }
}

fn columns(engine: Engine) -> String {
    let (roles, sellers) = (row::roles_of(engine, "u.id"), row::sellers_of(engine, "u.id"));
    format!(
        "u.id, u.email, u.name, u.created_at, u.updated_at, {roles} AS roles, {sellers} AS sellers, u.email_verified_at, {BAN}"
    )
}

#[async_trait]
impl PeopleQueries for Database {
    async fn people(&self, filter: &PeopleFilter, page: PageRequest) -> Result<Page<Person>> {
        let (mut conditions, mut values) = (vec!["u.deleted_at IS NULL".to_owned()], Vec::<Value>::new());
        // The first two parameters are those of the page.
        let mut bind = |value: Value| {
            values.push(value);
            format!("${}", values.len() + 2)
        };
        if let Some(search) = &filter.search {
            let first = search.to_ascii_lowercase();
            let (from, to) = (bind(first.as_str().into()), bind(format!("{first}{LAST}").into()));
            let begins = |column: &str| format!("{column} >= {from} AND {column} < {to}");
            let name = self.engine.pick("lower(u.name)", "lower(u.name COLLATE \"C\")");
            let email = self.engine.pick("u.email", "u.email COLLATE \"C\"");
            conditions.push(format!("(({}) OR ({}))", begins(email), begins(name)));
        }
        if let Some(role) = &filter.role {
            let role = bind(role.as_str().into());
            let has = "SELECT 1 FROM user_roles y WHERE y.user_id = u.id AND y.role =";
            conditions.push(format!("EXISTS ({has} {role})"));
        }
        if let Some(banned) = filter.banned {
            let not = if banned { "" } else { "NOT " };
            conditions.push(format!("{not}EXISTS (SELECT 1 FROM user_bans z WHERE z.user_id = u.id)"));
        }
        let these = format!("WHERE {}", conditions.join(" AND "));
        let listed = Paged {
            columns: &columns(self.engine),
            from: &format!("users u LEFT JOIN user_bans b ON b.user_id = u.id {these}"),
            order: "u.id DESC",
        };
        paged(self, &listed, values, page, person).await
    }

    async fn person(&self, id: UserId) -> Result<Option<Person>> {
        let sql = format!(
            "SELECT {} FROM users u LEFT JOIN user_bans b ON b.user_id = u.id WHERE u.id = $1 AND u.deleted_at IS NULL",
            columns(self.engine)
        );
        let found = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        found.map(|found| person(&found, 0)).transpose()
    }
}

fn person(row: &QueryResult, first: usize) -> Result<Person> {
    let (roles, _) = row::roles(row, first + 5)?;
    Ok(Person {
        user: User {
            id: UserId(at(row, first)?),
            email: Email::stored(at(row, first + 1)?),
            name: at(row, first + 2)?,
            email_verified_at: at(row, first + 7)?,
            roles,
            created_at: at(row, first + 3)?,
            updated_at: at(row, first + 4)?,
        },
        sellers: row::sellers(row, first + 6)?,
        ban: row::ban(row, first + 8)?,
    })
}
