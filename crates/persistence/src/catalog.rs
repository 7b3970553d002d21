//! Products, categories, reviews.

mod category;
mod export;
mod price_stretches;
mod product;
mod product_bulk;
mod product_detail;
mod product_insert;
mod product_list;
mod product_queries;
mod product_reindex;
mod product_row;
mod review;
mod vectors;
mod view;

pub(crate) use product::again_when_broken;
pub(crate) use product_detail::Details;

pub(crate) use product_row::read_picture;
