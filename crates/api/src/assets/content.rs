//! The bytes of files, whole and in part.

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse, HttpResponseBuilder, get,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::Path,
};
use domain::{
    Error,
    assets::{
        Digest, Patch,
        files::{FileName, MediaType},
        ports::Held,
    },
    id::{FileId, GrantId},
};
use futures_util::stream;

use super::{
    disposition::attachment,
    dto::FileBytes,
    links::LinkParams,
    range::{Asked, asked},
};
use crate::{Answer, Services, Shared, auth::MaybeAuth, context::ForHead, etag::IfNoneMatch, path::Id, query::Params};

/// What may be shown in a page by the end of its address. It is decided here and not by who brought the bytes; nothing is here that
/// can hold a program.
const SHOWN: [(&str, &str); 10] = [
    ("jpg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("glb", "model/gltf-binary"),
    ("stl", "model/stl"),
    ("3mf", "model/3mf"),
    ("obj", "model/obj"),
    ("json", "application/json"),
];

/// How bytes are given.
pub(crate) struct Given {
    pub(crate) media_type: HeaderValue,
    /// `None` to show them where they are.
    pub(crate) disposition: Option<String>,
    pub(crate) caching: &'static str,
    /// Whose copy it is, and what tells.
    pub(crate) marked: Option<(GrantId, Patch)>,
}

/// Gives the bytes of a file to who may have them: by who they are, or by a link.
///
/// A part is asked for by `Range`; of several ranges the whole file is given. `If-Range` takes the `ETag`.
#[utoipa::path(
    tag = "files",
    params(
        Id<FileId>,
        LinkParams,
        ("Range" = Option<String>, Header, description = "The part that is asked for", example = "bytes=0-1023"),
        ("If-Range" = Option<String>, Header, description = "The ETag of what one has a part of"),
        IfNoneMatch
    ),
    responses(
        (status = 200, description = "The bytes", content_type = "*/*", body = FileBytes),
        (status = 206, description = "The part", content_type = "*/*", body = FileBytes),
        (status = 403, description = "The link does not hold"),
        (status = 404, description = "No such file, or not for you to have"),
        (status = 416, description = "The file has no such part"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/files/{id}/content")]
pub async fn get_file_content(
    caller: MaybeAuth,
    services: Shared,
    id: Id<FileId>,
    link: Params<LinkParams>,
    known: IfNoneMatch,
) -> Answer {
    let link = link.0.link();
    let file = services.assets.library.take(&caller.0, id.0, link.as_ref(), services.shop.now()).await?;
    let held = services.assets.room.find(&file.digest).await?;
    let held = held.ok_or_else(|| Error::internal(format!("nobody holds the bytes of file {}", file.id)))?;
    let media_type = HeaderValue::from_str(file.told.media_type.as_str()).map_err(Error::internal)?;
    let disposition = Some(attachment(&file.told.name));
    let given = Given { media_type, disposition, caching: "private, no-cache", marked: None };
    let (response, begins) = give(&services, &known, &held, given).await?;
    if begins {
        services.assets.downloads.taken(file.id);
    }
    Ok(response)
}

/// Gives bytes that are public by their SHA-256. What is there is there for ever the same.
///
/// With the end `.jpg`, `.png`, `.gif`, `.webp`, `.avif`, `.glb`, `.stl`, `.3mf`, `.obj` or `.json` it is of that type and may be
/// shown in a page; without one it is saved.
#[utoipa::path(
    tag = "files",
    params(
        ("name" = String, Path, description = "The SHA-256 as 64 small hexadecimal digits, and an end if one likes", example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.jpg"),
        ("Range" = Option<String>, Header, description = "The part that is asked for", example = "bytes=0-1023"),
        ("If-Range" = Option<String>, Header, description = "The ETag of what one has a part of"),
        IfNoneMatch
    ),
    responses(
        (status = 200, description = "The bytes", content_type = "*/*", body = FileBytes),
        (status = 206, description = "The part", content_type = "*/*", body = FileBytes),
        (status = 404, description = "Nothing public has this SHA-256"),
        (status = 416, description = "There is no such part"),
        IfNoneMatch,
    )
)]
#[get("/content/{name}")]
pub async fn get_content(services: Shared, name: Path<String>, known: IfNoneMatch) -> Answer {
    let (digest, end) = name.split_once('.').map_or((name.as_str(), None), |(digest, end)| (digest, Some(end)));
    let digest: Digest = digest.parse().map_err(|_| Error::NotFound("Content"))?;
    let shown = match end {
        None => None,
        Some(end) => Some(SHOWN.iter().find(|(known, _)| *known == end).ok_or(Error::NotFound("Content"))?.1),
    };
    let found = services.assets.room.find(&digest).await?.filter(|held| held.public > 0);
    let held = found.ok_or(Error::NotFound("Content"))?;
    let saved = || attachment(&FileName::stored(digest.to_string()));
    let given = Given {
        media_type: HeaderValue::from_static(shown.unwrap_or(MediaType::ANY)),
        disposition: if shown.is_none() { Some(saved()) } else { None },
        caching: "public, max-age=31536000, immutable",
        marked: None,
    };
    Ok(give(&services, &known, &held, given).await?.0)
}

/// Answers with what is asked for of bytes that somebody holds; and whether it is their begin, and no mere look.
pub(crate) async fn give(
    services: &Services,
    known: &IfNoneMatch,
    held: &Held,
    given: Given,
) -> Result<(HttpResponse, bool), crate::Problem> {
    let request = known.request();
    let (tag, size) = match &given.marked {
        Some((grant, patch)) => (format!("\"{}.{grant}\"", held.place.digest), patch.size(held.size)),
        None => (format!("\"{}\"", held.place.digest), held.size),
    };
    if known.has(&tag) {
        let mut response = HttpResponse::NotModified();
        response.insert_header((header::ETAG, tag)).insert_header((header::CACHE_CONTROL, given.caching));
        return Ok((response.finish(), false));
    }
    let for_head = request.extensions().get::<ForHead>().is_some();
    // A range is of what is given; without it there is none.
    let asked = if for_head { Asked::Whole } else { asked(request.headers(), size, &tag) };
    let (mut response, range) = match asked {
        Asked::Whole => (HttpResponse::Ok(), 0..size),
        Asked::Part(range) => {
            let mut response = HttpResponse::PartialContent();
            let last = range.end.saturating_sub(1);
            response.insert_header((header::CONTENT_RANGE, format!("bytes {}-{last}/{size}", range.start)));
            (response, range)
        }
        Asked::Nowhere => {
            let problem = crate::Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "The file has no such part");
            let size = HeaderValue::from_str(&format!("bytes */{size}")).map_err(Error::internal)?;
            return Err(problem.header(header::CONTENT_RANGE, size));
        }
    };
    let patch = given.marked.clone().map(|(_, patch)| patch);
    head(&mut response, request, &tag, given, range.end.saturating_sub(range.start));
    if for_head {
        return Ok((response.streaming(stream::empty::<Result<_, Error>>()), false));
    }
    let begins = range.start == 0;
    let room = &services.assets.room;
    let chunks = match patch {
        Some(patch) => room.open_patched(held, range, patch).await?,
        None => room.open(held, Some(range)).await?,
    };
    // The next piece is read when the connection has room for it.
    let pieces = stream::try_unfold(chunks, async |mut chunks| {
        Ok::<_, Error>(chunks.next().await?.map(|piece| (piece, chunks)))
    });
    Ok((response.streaming(Box::pin(pieces)), begins))
}

fn head(response: &mut HttpResponseBuilder, request: &HttpRequest, tag: &str, given: Given, length: u64) {
    response
        .content_type(given.media_type)
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, given.caching))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .no_chunking(length);
    if let Some(disposition) = given.disposition {
        response.insert_header((header::CONTENT_DISPOSITION, disposition));
    } else {
        response.insert_header(("cross-origin-resource-policy", "cross-origin"));
    }
    if request.headers().contains_key(header::ACCEPT_ENCODING) {
        // A part is one of these bytes, and their tag says so; the layer outside takes this away again.
        response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("identity")));
    }
}
