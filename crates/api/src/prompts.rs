//! Prompts: what the shop asks of models, in versions, and which of them serve.

mod aloud;
pub mod content;
pub mod dto;
pub mod generations;
mod list;
mod parameters;
pub mod render;
mod report;
mod splits;
mod versions;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operation that takes as long as a model does.
pub const LONG: &str = "create_generation";

/// The operations of prompts.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(list::list_prompts)
        .service(list::create_prompt)
        .service(list::get_prompt)
        .service(list::update_prompt)
        .service(list::delete_prompt)
        .service(versions::list_prompt_versions)
        .service(versions::create_prompt_version)
        .service(versions::get_prompt_version)
        .service(splits::list_prompt_splits)
        .service(splits::set_prompt_split)
        .service(splits::roll_prompt_back)
        .service(render::render_prompt)
        .service(report::get_prompt_report)
        .service(generations::create_generation)
        .service(generations::get_generation)
        .service(generations::set_generation_outcome);
}
