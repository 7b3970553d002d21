//! What the catalogue looks like in JSON: `*Body` is what a request holds, `*View` what an answer shows.

pub mod around;
pub mod category;
pub mod metadata;
pub mod new_product;
pub mod number;
pub mod product;
pub mod product_patch;
pub mod rating;
pub mod review;
pub mod status;
pub mod stock;
