//! The doors of the catalogue.

pub mod batch;
pub mod categories;
mod cursor;
pub mod dto;
pub mod list;
mod products;
mod reviews;
pub mod search;
mod stock;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of the catalogue. Paths with fixed segments come before those with `{id}`.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(list::list_products)
        .service(products::create_product)
        .service(batch::batch_update_products)
        .service(list::list_deleted_products)
        .service(search::search_products)
        .service(products::get_product)
        .service(products::get_product_by_slug)
        .service(products::update_product)
        .service(products::delete_product)
        .service(products::restore_product)
        .service(search::list_similar_products)
        .service(stock::adjust_stock)
        .service(reviews::list_reviews)
        .service(reviews::create_review)
        .service(reviews::get_review)
        .service(reviews::update_review)
        .service(reviews::delete_review)
        .service(reviews::moderate_review)
        .service(categories::list_categories)
        .service(categories::create_category)
        .service(categories::get_category)
        .service(categories::update_category)
        .service(categories::delete_category);
}
