//! The page `/docs/realtime`: somebody tries live streams in a browser. Its files come with the binary.

use actix_web::{HttpResponse, http::header, web};

const PAGE: &str = include_str!("docs/realtime.html");
const SCRIPT: &str = include_str!("docs/realtime.js");
const STYLE: &str = include_str!("docs/realtime.css");

/// The routes of the page: each path with its operation.
pub const ROUTES: [(&str, &str); 3] = [
    ("/docs/realtime", "realtime_page"),
    ("/docs/realtime/page.js", "realtime_script"),
    ("/docs/realtime/page.css", "realtime_style"),
];

/// Serves the page and its files.
pub fn serve(config: &mut web::ServiceConfig) {
    let kinds = ["text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css; charset=utf-8"];
    for (((path, _), kind), text) in ROUTES.into_iter().zip(kinds).zip([PAGE, SCRIPT, STYLE]) {
        // Kept by nobody: the files of another version may not fit the page.
        let answer = move || async move {
            HttpResponse::Ok().content_type(kind).insert_header((header::CACHE_CONTROL, "no-cache")).body(text)
        };
        config.route(path, web::get().to(answer));
    }
}
