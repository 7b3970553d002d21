//! The pages `/account/..` that links in letters lead to, where a shop has none of its own. What a link brings stands in the
//! fragment of its address, which is sent to nobody, and is used when a person says so: programs that look at links in
//! letters use none up.

use actix_web::{HttpResponse, http::header, web};

const PAGE: &str = include_str!("pages/account.html");
const SCRIPT: &str = include_str!("pages/account.js");
const STYLE: &str = include_str!("pages/account.css");

/// Their addresses begin with this.
pub const BELOW: &str = "/account/";

/// The routes: each path with its operation.
pub const ROUTES: [(&str, &str); 6] = [
    ("/account/verify-email", "verify_email_page"),
    ("/account/reset-password", "reset_password_page"),
    ("/account/change-email", "change_email_page"),
    ("/account/forgotten-password", "forgotten_password_page"),
    ("/account/page.js", "account_script"),
    ("/account/page.css", "account_style"),
];

/// Serves the pages and their files.
pub fn serve(config: &mut web::ServiceConfig) {
    for (path, operation) in ROUTES {
        let (kind, text) = match operation {
            "account_script" => ("text/javascript; charset=utf-8", SCRIPT),
            "account_style" => ("text/css; charset=utf-8", STYLE),
            _ => ("text/html; charset=utf-8", PAGE),
        };
        // Kept by nobody: the files of another version may not fit the page.
        let answer = move || async move {
            HttpResponse::Ok().content_type(kind).insert_header((header::CACHE_CONTROL, "no-cache")).body(text)
        };
        config.route(path, web::get().to(answer));
    }
}
