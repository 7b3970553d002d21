//! The tables as SeaORM sees them; private, so that a column never becomes a promise.

pub(crate) mod audit_log;
pub(crate) mod category;
pub(crate) mod idempotency_key;
pub(crate) mod product;
pub(crate) mod product_image;
pub(crate) mod product_slug_history;
pub(crate) mod review;
pub(crate) mod seller;
pub(crate) mod seller_member;
pub(crate) mod user;
pub(crate) mod user_role;
