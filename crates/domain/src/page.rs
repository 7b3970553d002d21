//! Pages by number and slices by cursor.

use serde::{Deserialize, Serialize};

/// How many items an answer may hold: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u32);

impl Limit {
    /// The most that one answer holds.
    pub const MAX: u32 = 100;

    /// A limit, or `None` outside 1..=100.
    pub fn new(limit: u32) -> Option<Self> {
        (1..=Self::MAX).contains(&limit).then_some(Self(limit))
    }

    /// The number of items.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

/// Which page of a list, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// The page, from 1.
    pub page: u32,
    /// Items per page.
    pub limit: Limit,
}

impl PageRequest {
    /// How many items stand before this page.
    pub fn offset(self) -> u64 {
        u64::from(self.page.saturating_sub(1)) * u64::from(self.limit.get())
    }
}

/// One page of a list with exact totals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// How many items all pages hold together.
    pub total: u64,
    /// This page, from 1.
    pub page: u32,
    /// How many pages there are: `total / limit`, rounded up.
    pub pages: u64,
}

impl<T> Page<T> {
    /// A page as answer to `request`.
    pub fn new(items: Vec<T>, total: u64, request: PageRequest) -> Self {
        Self { items, total, page: request.page, pages: total.div_ceil(u64::from(request.limit.get())) }
    }

    /// The same page with other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), total: self.total, page: self.page, pages: self.pages }
    }
}

/// A stretch of a list that starts after a key; stable while rows are inserted before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<T, K> {
    /// The items.
    pub items: Vec<T>,
    /// The key of the last item when more follow.
    pub next: Option<K>,
}
