//! Where a call says what it is: its id, its kind and its moment, by a header or within its body.

use serde_json::Value;

use crate::clock::Timestamp;

/// Most characters of an id.
pub(super) const MARK_MAX: usize = 255;
/// Most characters of a kind.
const KIND_MAX: usize = 100;
/// Headers that are kept of every call, beside those that say something.
const KEPT: [&str; 2] = ["content-type", "user-agent"];
/// Numbers above are milliseconds since 1970, those below seconds.
const MILLIS_FROM: i64 = 100_000_000_000;

/// A place in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A header, in small letters.
    Header(String),
    /// Within a body of JSON, by a pointer (RFC 6901) such as `/data/id`.
    Field(String),
}

/// Where a call says what it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finds {
    /// Its id, where the signature itself vouches for none.
    pub id: Option<Place>,
    /// What kind of event it tells of.
    pub kind: Option<Place>,
    /// When that happened: seconds or milliseconds since 1970, or RFC 3339.
    pub at: Option<Place>,
}

impl Finds {
    fn places(&self) -> impl Iterator<Item = &Place> {
        [&self.id, &self.kind, &self.at].into_iter().flatten()
    }

    pub(super) fn keeps(&self, header: &str) -> bool {
        KEPT.contains(&header) || self.places().any(|place| matches!(place, Place::Header(name) if name == header))
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// An id within the body, which is signed.
    pub(super) signed_id: Option<String>,
    /// An id in a header, which is not.
    pub(super) told_id: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) at: Option<Timestamp>,
}

impl Found {
    pub(super) fn of(finds: &Finds, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let within = finds.places().any(|place| matches!(place, Place::Field(_)));
        // What is no JSON, or none that is read here, is kept all the same: it was signed.
        let json: Option<Value> = within.then(|| serde_json::from_slice(body).ok()).flatten();
        let text = |place: &Option<Place>| match place {
            Some(Place::Header(name)) => {
                headers.iter().find(|(known, _)| known == name).map(|(_, value)| (*value).to_owned())
            }
            Some(Place::Field(pointer)) => match json.as_ref()?.pointer(pointer)? {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            },
            None => None,
        };
        let id = text(&finds.id).filter(|id| plain(id, MARK_MAX));
        let signed = matches!(finds.id, Some(Place::Field(_)));
        let (signed_id, told_id) = if signed { (id, None) } else { (None, id) };
        Self {
            signed_id,
            told_id,
            kind: text(&finds.kind).filter(|kind| plain(kind, KIND_MAX)),
            at: text(&finds.at).and_then(|at| moment(&at)),
        }
    }
}

/// A word that may stand in a log.
fn plain(text: &str, most: usize) -> bool {
    !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        return if number.abs() < MILLIS_FROM {
            Timestamp::from_timestamp(number, 0)
        } else {
            Timestamp::from_timestamp_millis(number)
        };
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(id: &str, kind: &str, at: &str) -> Finds {
        let place = |text: &str| match text.strip_prefix("h:") {
            Some(header) => Some(Place::Header(header.to_owned())),
            None if text.is_empty() => None,
            None => Some(Place::Field(text.to_owned())),
        };
        Finds { id: place(id), kind: place(kind), at: place(at) }
    }

    #[test]
    fn what_a_call_is_stands_in_headers_or_within_its_body() {
        let body =
            br#"{"id":"evt_1","type":"charge.paid","created":1614265330,"data":{"n":7,"at":"2021-02-25T15:02:10Z"}}"#;
        let found = Found::of(&finds("/id", "/type", "/created"), &[], body);
        assert_eq!((found.signed_id.as_deref(), found.kind.as_deref()), (Some("evt_1"), Some("charge.paid")));
        let at = Timestamp::from_timestamp(1_614_265_330, 0);
        assert_eq!((found.at, found.told_id), (at, None));
        let headers = [("x-id", "abc"), ("x-event", "push")];
        let found = Found::of(&finds("h:x-id", "h:x-event", "/data/at"), &headers, body);
        assert_eq!((found.signed_id, found.told_id.as_deref(), found.at), (None, Some("abc"), at));
        assert_eq!(found.kind.as_deref(), Some("push"));
        assert_eq!(Found::of(&finds("/data/n", "", ""), &[], body).signed_id.as_deref(), Some("7"));
        assert_eq!(moment("1614265330000"), at);
    }

    #[test]
    fn what_is_not_there_or_no_word_is_not_found() {
        let finds = finds("/id", "/type", "/at");
        let long = format!(r#"{{"id":"{0}","type":"{0}"}}"#, "x".repeat(256));
        let deep = "[".repeat(100_000);
        for body in [
            "",
            "no json",
            "[]",
            r#"{"id":null,"type":["a"],"at":{}}"#,
            r#"{"id":"a b","type":"line\nbreak","at":"soon"}"#,
            r#"{"id":"ü","type":"","at":"99999999999999999999"}"#,
            r#"{"id":"a","n":1e400}"#,
            &long,
            &deep,
        ] {
            let found = Found::of(&finds, &[], body.as_bytes());
            assert_eq!((found.signed_id, found.kind, found.at), (None, None, None), "{body:.40}");
        }
    }
}
