//! The files of a product.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web::Payload};
use domain::{
    Error,
    assets::{
        files::{self, FileName, LICENCE_MAX, NewFile, ProductFile, Sniffed},
        ports::Reach,
        uploads::Origin,
    },
    catalog::policy::Scope,
    id::{FileId, ProductId},
    permission::WriteProducts,
    text::paragraph,
};
use utoipa::IntoParams;

use super::{
    dto::{FileBytes, FileView, Visibility},
    said::Said,
    upload::{linger, received},
};
use crate::{
    Answer, Problem, Shared,
    auth::{Auth, MaybeAuth},
    body::JsonBody,
    done::Done,
    etag::{self, IfNoneMatch},
    idempotency::{Keyed, created},
    page::{PageParams, PageView},
    path::Id,
    query::{Params, Query, Read},
};

/// Lists the files of a product, the newest first: the public ones, and for who may take them away the private ones too.
#[utoipa::path(
    tag = "files",
    params(Id<ProductId>, PageParams),
    responses(
        (status = 200, description = "The files", body = PageView<FileView>),
        (status = 404, description = "No such product, or not for you to see"),
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/products/{id}/files")]
pub async fn list_files(caller: MaybeAuth, services: Shared, id: Id<ProductId>, page: Params<PageParams>) -> Answer {
    let found = services.products.get(id.0, Scope::of(&caller.0)).await?.ok_or(Error::NotFound("Product"))?;
    let of = (id.0, found.product.seller);
    let listed = files::list_files(&services.assets.library, &caller.0, of, page.0.request()).await?;
    Ok(HttpResponse::Ok().json(PageView::from(listed.map(|file| FileView::from(&file)))))
}

/// What is said of a file beside its bytes.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NewFileParams {
    /// Its name, without any folder.
    #[param(example = "lamp.stl", min_length = 1, max_length = 255, format = "file-name", rename = "name")]
    name: String,
    /// For whom it is.
    #[param(required = false, value_type = Visibility, default = "private", example = "private", rename = "visibility")]
    visibility: Reach,
    /// Under which terms it is given.
    #[param(required = false, example = "CC BY-SA 4.0", max_length = 2000, format = "paragraph", rename = "licence")]
    licence: Option<String>,
}

impl Read for NewFileParams {
    fn read(query: &mut Query) -> Option<Self> {
        let name = query.one("name");
        let name = match name {
            Some(name) => query.violations.check("name", FileName::new(&name)).map(|name| name.as_str().to_owned()),
            None => query.violations.missing("name"),
        };
        let visibility = query.parsed("visibility", "choice", "must be public or private", Visibility::named);
        let licence = query.one("licence");
        let licence = licence.and_then(|text| query.violations.check("licence", paragraph(&text, 0, LICENCE_MAX)));
        Some(Self {
            name: name?,
            visibility: visibility.unwrap_or(Reach::Private),
            licence: licence.filter(|text| !text.trim().is_empty()),
        })
    }
}

/// Adds a file to a product of one's seller account. The body is the file itself, of any length up to the limit.
///
/// `Content-Type` says what it is, and its first bytes must agree. `Content-Length` says how long it is, and `Content-Digest`,
/// `Repr-Digest` or `Digest` its SHA-256; what does not agree is refused, and nothing of it is kept.
#[utoipa::path(
    tag = "files",
    request_body(content = FileBytes, content_type = "application/octet-stream", description = "The file"),
    params(Id<ProductId>, NewFileParams, Keyed),
    responses(
        (status = 201, description = "The file", body = FileView, headers(("ETag" = String, description = "What it was when it was made"))),
        (status = 404, description = "No such product, or not for you to see"),
        (status = 408, description = "Nothing came for a while"),
        (status = 413, description = "It is longer than a file may be, or than what is left of a quota"),
        (status = 415, description = "Content-Type is no media type, or the body is in a coding"),
        (status = 507, description = "The shop has no room left for files"),
        Keyed,
    ),
    security(("bearer" = ["products:write"]))
)]
#[post("/api/v1/products/{id}/files")]
pub async fn create_file(
    auth: Auth<WriteProducts>,
    services: Shared,
    request: HttpRequest,
    id: Id<ProductId>,
    params: Params<NewFileParams>,
    keyed: Keyed,
    body: Payload,
) -> Answer {
    let said = Said::of(&request)?;
    let (shop, room) = (&services.shop, &services.assets.room);
    let NewFileParams { name, visibility, licence } = params.0;
    let new = NewFile { name: FileName::stored(name), media_type: said.media_type, licence, reach: visibility };
    let mut body = body.into_inner();
    let kept = async {
        let terms = files::admit(shop, room, &auth.0, id.0, (said.size, said.digest)).await?;
        received(&mut body, services.settings.transfer_idle, async |chunks| {
            let mut sniffed = Sniffed::new(chunks, &new.media_type);
            room.put(shop, &mut sniffed, &terms).await.map_err(Problem::from)
        })
        .await
    };
    let kept = match kept.await {
        Ok(kept) => kept,
        Err(problem) => {
            linger(&mut body).await;
            return Err(problem);
        }
    };
    // A repetition is one of the same bytes under the same name.
    let stands_for = format!("{}\0{:?}", kept.digest(), new);
    let body = JsonBody::standing_for(stands_for.into_bytes());
    let render = |file: &ProductFile| {
        let version = etag::version_at(file.created_at);
        created(format!("/api/v1/files/{}", file.id), version, &FileView::from(file))
    };
    keyed
        .run(&services, "create_file", &body, render, async |once| {
            files::add_file(shop, &auth.0, id.0, &new, &kept, Origin::Direct, once).await
        })
        .await
}

/// Tells of a file that one may take away.
#[utoipa::path(
    tag = "files",
    params(Id<FileId>, IfNoneMatch),
    responses(
        (status = 200, description = "The file", body = FileView),
        (status = 404, description = "No such file, or not for you to have"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/files/{id}")]
pub async fn get_file(caller: MaybeAuth, services: Shared, id: Id<FileId>, known: IfNoneMatch) -> Answer {
    let file = services.assets.library.take(&caller.0, id.0, None, services.shop.now()).await?;
    etag::read(&known, Some(etag::version_at(file.created_at)), &FileView::from(&file))
}

/// Deletes a file. Who takes it away just now may go on.
#[utoipa::path(
    tag = "files",
    params(Id<FileId>),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such file, or not for you to see"),
    ),
    security(("bearer" = ["products:write"]))
)]
#[delete("/api/v1/files/{id}")]
pub async fn delete_file(auth: Auth<WriteProducts>, services: Shared, id: Id<FileId>) -> Answer {
    files::delete_file(&services.shop, &auth.0, id.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
