//! Pages as lists answer them.

use domain::page::{Page, PageRequest};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::query::{Query, Read};

/// Which page of a list.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// The page, from 1.
    #[param(required = false, minimum = 1, maximum = 4_294_967_295_i64, default = 1, example = 1, value_type = i64, rename = "page")]
    page: u32,
    /// Items per page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20, example = 20, rename = "limit")]
    limit: u32,
}

impl PageParams {
    /// The page asked for.
    pub fn request(self) -> PageRequest {
        PageRequest { page: self.page, limit: domain::page::Limit::new(self.limit).unwrap_or_default() }
    }
}

impl Read for PageParams {
    fn read(query: &mut Query) -> Option<Self> {
        let request = query.page();
        Some(Self { page: request.page, limit: request.limit.get() })
    }
}

/// One page of a list, with exact totals.
#[derive(Debug, Serialize, ToSchema)]
pub struct PageView<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// How many items all pages hold together.
    #[schema(example = 57, minimum = 0)]
    pub total: u64,
    /// This page, from 1.
    #[schema(example = 1, minimum = 1, value_type = i64)]
    pub page: u32,
    /// How many pages there are.
    #[schema(example = 3, minimum = 0)]
    pub pages: u64,
}

impl<T> From<Page<T>> for PageView<T> {
    fn from(page: Page<T>) -> Self {
        Self { items: page.items, total: page.total, page: page.page, pages: page.pages }
    }
}
