//! What an upload is to become, as its metadata say it.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::{Violations, assets::uploads::Purpose};

use crate::problem::{In, Problem};

pub(super) const HEADER: &str = "Upload-Metadata";

/// The pairs of a request: keys without spaces, values in base64 or none. What clients say besides is theirs.
fn pairs(request: &HttpRequest) -> Option<BTreeMap<String, String>> {
    let Some(header) = request.headers().get(HEADER) else { return Some(BTreeMap::new()) };
    let mut pairs = BTreeMap::new();
    for pair in header.to_str().ok()?.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = String::from_utf8(BASE64_STANDARD.decode(value.trim()).ok()?).ok()?;
        if pairs.insert(key.to_owned(), value).is_some() {
            return None;
        }
    }
    Some(pairs)
}

/// What an upload is to become.
///
/// # Errors
/// 400 with everything that is wrong.
pub(super) fn purpose(request: &HttpRequest) -> Result<Purpose, Problem> {
    let said = pairs(request).ok_or_else(|| {
        Problem::broken(In::Header, HEADER, "metadata", "must be pairs of a key and its value in base64, as tus says")
    })?;
    let mut said = Said { said, violations: Violations::default() };
    let purpose = said.purpose();
    match purpose {
        Some(purpose) if said.violations.is_empty() => Ok(purpose),
        _ => Err(Problem::invalid(In::Header, &said.violations)),
    }
}

struct Said {
    said: BTreeMap<String, String>,
    violations: Violations,
}

impl Said {
    fn purpose(&mut self) -> Option<Purpose> {
        let file_name = self.needed("filename");
        let licence = self.said.remove("licence").filter(|text| !text.trim().is_empty());
        let name = self.said.remove("modelName");
        match self.said.remove("purpose").as_deref().unwrap_or("file") {
            "file" => {
                let public = match self.said.remove("visibility").as_deref() {
                    None | Some("private") => Some(false),
                    Some("public") => Some(true),
                    Some(_) => self.violations.missing_choice("visibility", "must be public or private"),
                };
                let media_type = self.said.remove("filetype").filter(|kind| !kind.is_empty());
                let product = self.id("productId");
                Some(Purpose::File {
                    product: product?,
                    name: file_name?,
                    media_type: media_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
                    licence,
                    public: public?,
                })
            }
            "model" => {
                let product = self.id("productId");
                Some(Purpose::Model { product: product?, name, file_name: file_name? })
            }
            "modelVersion" => {
                let model = self.id("modelId");
                Some(Purpose::ModelVersion { model: model?, file_name: file_name? })
            }
            _ => self.violations.missing_choice("purpose", "must be file, model or modelVersion"),
        }
    }

    fn needed(&mut self, key: &'static str) -> Option<String> {
        let value = self.said.remove(key);
        if value.is_none() {
            self.violations.add(key, "required", "is required among the metadata");
        }
        value
    }

    fn id<T: From<uuid::Uuid>>(&mut self, key: &'static str) -> Option<T> {
        let value = self.needed(key)?;
        let id = uuid::Uuid::parse_str(&value).ok();
        if id.is_none() {
            self.violations.add(key, "uuid", "must be a UUID");
        }
        id.map(T::from)
    }
}

trait Choice {
    /// Notes that a choice is none, and gives nothing.
    fn missing_choice<T>(&mut self, key: &'static str, message: &'static str) -> Option<T>;
}

impl Choice for Violations {
    fn missing_choice<T>(&mut self, key: &'static str, message: &'static str) -> Option<T> {
        self.add(key, "choice", message);
        None
    }
}
