//! A bare actix-web handler that answers bytes it has in memory.

use std::{collections::HashMap, io, path::Path};

use actix_web::{App, HttpResponse, HttpServer, web};

type Answers = web::Data<HashMap<String, web::Bytes>>;

pub fn run(port: u16, folder: &Path) -> io::Result<()> {
    let mut answers = HashMap::new();
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        answers.insert(file.file_name().to_string_lossy().into_owned(), std::fs::read(file.path())?.into());
    }
    let answers: Answers = web::Data::new(answers);
    actix_web::rt::System::new().block_on(
        HttpServer::new(move || {
            App::new()
                .app_data(answers.clone())
                .route("/{name}", web::get().to(read))
                .route("/{name}", web::post().to(create))
        })
        .bind(("127.0.0.1", port))?
        .run(),
    )
}

async fn read(name: web::Path<String>, answers: Answers) -> HttpResponse {
    match answers.get(name.as_str()) {
        Some(bytes) => HttpResponse::Ok().content_type("application/json").body(bytes.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}

/// Takes the body in, as whoever creates something must.
async fn create(name: web::Path<String>, answers: Answers, _body: web::Bytes) -> HttpResponse {
    match answers.get(name.as_str()) {
        Some(bytes) => HttpResponse::Created().content_type("application/json").body(bytes.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}
