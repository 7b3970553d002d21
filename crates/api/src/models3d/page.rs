//! The page `/models/{id}/view`: somebody turns a model around in a browser. Its files come with the binary.

use actix_web::{HttpResponse, http::header, web};

const PAGE: &str = include_str!("page/view.html");
const SCRIPT: &str = include_str!("page/view.js");
const STYLE: &str = include_str!("page/view.css");

/// Its addresses begin with this.
pub const BELOW: &str = "/models/";

/// The routes: each path with its operation.
pub const ROUTES: [(&str, &str); 3] = [
    ("/models/view.js", "model3d_script"),
    ("/models/view.css", "model3d_style"),
    ("/models/{id}/view", "model3d_page"),
];

/// Serves the page and its files.
pub fn serve(config: &mut web::ServiceConfig) {
    let kinds = ["text/javascript; charset=utf-8", "text/css; charset=utf-8", "text/html; charset=utf-8"];
    for (((path, _), kind), text) in ROUTES.into_iter().zip(kinds).zip([SCRIPT, STYLE, PAGE]) {
        // Kept by nobody: the files of another version may not fit the page.
        let answer = move || async move {
            HttpResponse::Ok().content_type(kind).insert_header((header::CACHE_CONTROL, "no-cache")).body(text)
        };
        config.route(path, web::get().to(answer));
    }
}
