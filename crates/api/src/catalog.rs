//! The doors of the catalogue.

mod cursor;
pub mod dto;
pub mod list;
mod products;
mod stock;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of the catalogue. Paths with fixed segments come before those with `{id}`.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(list::list_products)
        .service(products::create_product)
        .service(list::list_deleted_products)
        .service(products::get_product_by_slug)
        .service(products::get_product)
        .service(products::update_product)
        .service(products::delete_product)
        .service(products::restore_product)
        .service(stock::adjust_stock);
}
