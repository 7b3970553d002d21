//! A person as whoever runs the installation sees them, as JSON.

use chrono::{DateTime, Utc};
use domain::{
    access::{
        Ban, BanInput,
        ports::{PeopleFilter, Person},
    },
    page::{Limit, PageRequest},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    body::Fields,
    query::{Query, Read},
};

/// A person, for whoever runs the installation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
#[serde(rename_all = "camelCase")]
pub struct PersonView {
    /// Their id.
    pub id: Uuid,
    /// Their address.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// The name they go by.
    #[schema(example = "Ada")]
    pub name: String,
    /// Their highest role.
    #[schema(example = "seller")]
    pub role: String,
    /// All their roles, from least to most.
    #[schema(example = json!(["user", "seller"]))]
    pub roles: Vec<String>,
    /// The seller accounts they are a member of.
    pub seller_ids: Vec<Uuid>,
    /// Their ban, if they are banned.
    pub ban: Option<BanView>,
    /// When they signed up.
    pub created_at: DateTime<Utc>,
    /// When the record was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<&Person> for PersonView {
    fn from(person: &Person) -> Self {
        let user = &person.user;
        Self {
            id: user.id.0,
            email: user.email.as_str().to_owned(),
            name: user.name.clone(),
            role: user.roles.highest().name().to_owned(),
            roles: user.roles.iter().map(|role| role.name().to_owned()).collect(),
            seller_ids: person.sellers.as_slice().iter().map(|seller| seller.0).collect(),
            ban: person.ban.as_ref().map(BanView::from),
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// A ban.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ban)]
#[serde(rename_all = "camelCase")]
pub struct BanView {
    /// Until when; null until it is lifted.
    pub until: Option<DateTime<Utc>>,
    /// Why.
    #[schema(example = "Sold what was not theirs")]
    pub reason: String,
    /// Who banned them; null when it follows from a ban where they sign in.
    pub by_id: Option<Uuid>,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

impl From<&Ban> for BanView {
    fn from(ban: &Ban) -> Self {
        Self { until: ban.until, reason: ban.reason.clone(), by_id: ban.by.map(|by| by.0), created_at: ban.at }
    }
}

/// What bans somebody.
#[derive(Debug, ToSchema)]
#[schema(as = NewBan)]
pub struct BanBody {
    /// Until when, a moment to come; until it is lifted when absent.
    #[schema(example = "2099-01-31T12:00:00Z")]
    pub until: Option<DateTime<Utc>>,
    /// Why.
    #[schema(example = "Sold what was not theirs", min_length = 1, max_length = 500, format = "name")]
    pub reason: String,
}

/// Reads a [`BanBody`].
pub fn new_ban(fields: &mut Fields<'_>) -> BanInput {
    BanInput { until: fields.moment("until"), reason: fields.text("reason") }
}

/// Which people.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PeopleParams {
    /// Those whose address or name begins with this; letters of ASCII in either case.
    #[param(example = "ada", pattern = r"^[^\x00]*$")]
    search: Option<String>,
    /// Those who have this role.
    #[param(example = "seller", pattern = r"^[^\x00]*$")]
    role: Option<String>,
    /// Those who are banned, or those who are not.
    banned: Option<bool>,
    /// The page, from 1.
    #[param(required = false, minimum = 1, maximum = 4_294_967_295_i64, default = 1, value_type = i64)]
    page: u32,
    /// Items per page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u32,
}

impl PeopleParams {
    /// Who is asked for, and which page of them.
    pub fn asked(self) -> (PeopleFilter, PageRequest) {
        let page = PageRequest { page: self.page, limit: Limit::new(self.limit).unwrap_or_default() };
        (PeopleFilter { search: self.search, role: self.role, banned: self.banned }, page)
    }
}

impl Read for PeopleParams {
    fn read(query: &mut Query) -> Option<Self> {
        let page = query.page();
        let banned = query.parsed("banned", "boolean", "must be true or false", |text| text.parse().ok());
        Some(Self {
            search: query.one("search"),
            role: query.one("role"),
            banned,
            page: page.page,
            limit: page.limit.get(),
        })
    }
}
