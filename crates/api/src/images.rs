//! The doors of pictures: uploading them, changing a product's list of them, and showing them to anybody.

mod accept;
pub mod dto;
mod form;
pub mod media;
mod pictures;
pub mod upload;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of pictures.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(media::get_picture)
        .service(pictures::list_images)
        .service(upload::upload_image)
        .service(pictures::order_images)
        .service(pictures::get_image)
        .service(pictures::update_image)
        .service(pictures::delete_image);
}
