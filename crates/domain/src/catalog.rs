//! The catalogue: products, the category tree, reviews.

mod adjust_stock;
mod category;
mod create_product;
mod delete_product;
mod events;
pub mod policy;
pub mod ports;
mod product;
mod product_input;
pub mod queries;
mod review;
mod slug;
mod update_product;

pub use adjust_stock::{StockChange, adjust_stock};
pub use category::Category;
pub use create_product::create_product;
pub use delete_product::{delete_product, restore_product};
pub use product::{Deleted, Image, Product, ProductStatus, Rating, Version};
pub use product_input::{NewProduct, ProductInput, ProductPatch, STOCK_MAX};
pub use review::Review;
pub use slug::Slug;
pub use update_product::update_product;
