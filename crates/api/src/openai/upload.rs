//! Bringing a file of questions: a form with the file and what it is for, whose bytes pass into the store as they come.

use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
    web::Payload,
};
use domain::{
    assets::{Holder, Kept, Terms, files::FileName},
    assistant::batches::{FilePurpose, add_file},
    permission::UseAssistant,
};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{
    admitted,
    errors::{invalid, refusal},
    files::shown,
    told,
};
use crate::{Answer, Services, Shared, assets::received, auth::Auth, problem::Problem};

/// Most bytes of a field beside the file.
const FIELD_MAX: usize = 4 * 1024;
/// What a form may have beside the file.
const AROUND: u64 = 64 * 1024;
/// Most parts of a form.
const PARTS: usize = 10;
/// How long what is left of a refused body is read and thrown away, so that who sends it reads why.
const LINGER: Duration = Duration::from_secs(3);

/// A file as it was sent.
#[derive(Default)]
struct Sent {
    file: Option<(FileName, Kept)>,
    purpose: Option<String>,
}

/// Why a form was not read to its end.
struct Refused {
    problem: Problem,
    /// Whether it is no form: nothing more of it can be read.
    is_broken: bool,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self { problem, is_broken: false }
    }
}

/// Takes a file.
pub(super) async fn create(auth: Auth<UseAssistant>, services: Shared, http: HttpRequest, payload: Payload) -> Answer {
    admitted(&services, &auth.0)?;
    let most = services.assistant.batch_rules.file_bytes;
    let length =
        http.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > most.saturating_add(AROUND)) {
        let message = format!("A file may have at most {most} bytes");
        return Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, "file_too_large", Some("file"), message));
    }
    let (shop, holder) = (&services.shop, Holder::Person(auth.0.principal().user));
    let left = services.assets.room.left(&shop.rules.assets.quotas, &[holder], 1).await?;
    let terms = Terms::at_most(most.min(left));
    let mut parts = Multipart::new(http.headers(), payload);
    let sent = match read(&services, &mut parts, &terms).await {
        Ok(sent) => sent,
        Err(Refused { problem, is_broken: true }) => return Err(problem),
        Err(Refused { problem, is_broken: false }) => {
            let _ = timeout(LINGER, async {
                while let Some(Ok(mut part)) = parts.next().await {
                    while let Some(Ok(_)) = part.next().await {}
                }
            })
            .await;
            return Err(problem);
        }
    };
    // What was put away and is not wanted is nobody's, and goes.
    match sent.purpose.as_deref() {
        None => return Err(missing("purpose")),
        Some(purpose) if purpose == FilePurpose::Batch.name() => {}
        Some(_) => return Err(invalid("purpose", "must be batch: files are for batches alone here")),
    }
    let (name, kept) = sent.file.ok_or_else(|| missing("file"))?;
    let file = add_file(shop, &auth.0, name.as_str(), &kept).await?;
    Ok(told(&shown(&file)))
}

fn missing(param: &str) -> Problem {
    let message = format!("you must provide a '{param}' parameter");
    refusal(StatusCode::BAD_REQUEST, "missing_required_parameter", Some(param), message)
}

async fn read(services: &Services, parts: &mut Multipart, terms: &Terms) -> Result<Sent, Refused> {
    let (mut sent, mut count, idle) = (Sent::default(), 0, services.settings.transfer_idle);
    while let Some(part) = soon(idle, parts.next()).await? {
        let mut part = part.map_err(broken)?;
        count += 1;
        if count > PARTS {
            return Err(malformed("The form has more parts than any field of it".to_owned()).into());
        }
        match part.name().unwrap_or_default().to_owned().as_str() {
            "file" if sent.file.is_none() => {
                let name = part.content_disposition().and_then(|said| said.get_filename()).unwrap_or_default();
                let name = FileName::new(name)
                    .map_err(|fault| invalid("file", format!("has a name that {}", fault.message)))?;
                let kept = received(&mut part, idle, async |chunks| {
                    services.assets.room.put(&services.shop, chunks, terms).await.map_err(Problem::from)
                });
                sent.file = Some((name, kept.await?));
            }
            "purpose" if sent.purpose.is_none() => sent.purpose = Some(text(&mut part, idle).await?),
            name @ ("file" | "purpose") => return Err(invalid(name, "is given more than once").into()),
            // What later versions of the protocol say of a file.
            _ => drop(text(&mut part, idle).await?),
        }
    }
    Ok(sent)
}

async fn text(part: &mut Field, idle: Duration) -> Result<String, Refused> {
    let mut text = Vec::new();
    while let Some(piece) = soon(idle, part.next()).await? {
        let piece = piece.map_err(broken)?;
        if text.len() + piece.len() > FIELD_MAX {
            return Err(malformed(format!("A field beside the file must have at most {FIELD_MAX} bytes")).into());
        }
        text.extend_from_slice(&piece);
    }
    String::from_utf8(text).map_err(|_| malformed("The fields of the form must be UTF-8".to_owned()).into())
}

/// What comes next, unless nothing does for too long.
async fn soon<T>(idle: Duration, next: impl Future<Output = T>) -> Result<T, Problem> {
    timeout(idle, next).await.map_err(|_| Problem::timeout())
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn broken(fault: MultipartError) -> Refused {
    Refused { problem: malformed(format!("The form could not be read: {fault}")), is_broken: true }
}

fn malformed(message: String) -> Problem {
    refusal(StatusCode::BAD_REQUEST, "invalid_form", None, message)
}
