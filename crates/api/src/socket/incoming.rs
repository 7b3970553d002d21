//! What clients say, read field by field like any body: every fault is told at once, with its pointer.

use domain::Violations;
use utoipa::ToSchema;

use crate::body::{Fields, read_object};

/// Most characters of what a client calls its request.
const REF_MAX: usize = 64;
/// Most topics named at once.
const TOPICS_MOST: usize = 100;

/// What a client says. Each may carry a `ref`, a text of at most 64 characters, which the answer repeats.
#[derive(Debug, Clone, PartialEq, Eq, ToSchema)]
#[schema(as = SocketRequest)]
// `rename_all_fields` is not heard by the document, so each variant says it for itself.
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Incoming {
    /// Is answered by `pong`.
    Ping {},
    /// Enters a room, or goes on in one.
    JoinRoom {
        /// Its name or its id.
        #[schema(example = "global", max_length = 64)]
        room: String,
        /// The last offset the client has: what was said since comes first.
        #[schema(minimum = 0)]
        offset: Option<u64>,
        /// The epoch that came with the offset.
        #[schema(max_length = 64)]
        epoch: Option<String>,
    },
    /// Leaves a room.
    LeaveRoom {
        /// Its name or its id.
        #[schema(example = "lamps", max_length = 64)]
        room: String,
    },
    /// Says something in a room. Needs a sign-in.
    #[serde(rename_all = "camelCase")]
    Message {
        /// Its name or its id; `global` when absent.
        #[schema(example = "global", max_length = 64)]
        room: Option<String>,
        /// What is said.
        #[schema(example = "Hello", min_length = 1, max_length = 4000)]
        content: Option<String>,
        /// What the client calls it. Sent again under the same name it is stored once.
        #[schema(min_length = 1, max_length = 64)]
        client_id: Option<String>,
    },
    /// Says that one is writing, or has stopped. Needs a sign-in.
    Typing {
        /// A room one is in; `global` when absent.
        #[schema(max_length = 64)]
        room: Option<String>,
        /// False when one has stopped; true when absent.
        active: Option<bool>,
    },
    /// Says how far one has read. Needs a sign-in.
    Read {
        /// A room; `global` when absent.
        #[schema(max_length = 64)]
        room: Option<String>,
        /// The offset of the last message read.
        offset: u64,
    },
    /// Reads what was said.
    History {
        /// A room; `global` when absent.
        #[schema(max_length = 64)]
        room: Option<String>,
        /// The messages after this offset, the first of them.
        after: Option<u64>,
        /// The messages before this offset, the last of them. Without either, the last ones of all.
        before: Option<u64>,
        /// How many at the most, 1 to 100; 50 when absent.
        #[schema(minimum = 1, maximum = 100)]
        limit: Option<u32>,
    },
    /// Listens to topics, as `GET /api/v1/events` does.
    Subscribe {
        /// The topics.
        #[schema(example = json!(["products"]), min_items = 1, max_items = 100)]
        topics: Vec<String>,
        /// The number after which to begin; with what comes now when absent.
        since: Option<u64>,
    },
    /// Listens no more.
    Unsubscribe {
        /// The topics.
        #[schema(min_items = 1, max_items = 100)]
        topics: Vec<String>,
    },
    /// Goes on with a new access token of the same person.
    Refresh {
        /// The token.
        #[schema(max_length = 4096)]
        token: String,
    },
}

/// What a client said, with what it calls it.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// Repeated in the answer.
    pub reference: Option<String>,
    /// What is asked, or why it cannot be read.
    pub asked: Result<Incoming, Unread>,
}

/// Why something said is not carried out.
#[derive(Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is no JSON object with a `type`.
    Format,
    /// There is no such type.
    Type(String),
    /// Its fields break rules.
    Fields(Violations),
}

/// What the type of a message leads to.
enum Kind {
    Known(Incoming),
    Unknown(String),
    /// There is no type, or its fields are at fault, which are noted.
    Nothing,
}

impl Request {
    /// Reads what a client said.
    pub fn read(text: &str) -> Self {
        let mut reference = None;
        let read = read_object(text, |fields| {
            reference = fields.text("ref");
            if reference.as_ref().is_some_and(|one| one.chars().count() > REF_MAX) {
                reference = None;
                fields.violations.add("/ref", "max_length", format!("must have at most {REF_MAX} characters"));
            }
            Some(fields.text("type").map_or(Kind::Nothing, |kind| incoming(kind, fields)))
        });
        let asked = match read {
            None | Some(Ok(Kind::Nothing)) => Err(Unread::Format),
            Some(Ok(Kind::Known(incoming))) => Ok(incoming),
            Some(Ok(Kind::Unknown(kind))) => Err(Unread::Type(kind)),
            Some(Err(violations)) => Err(unread(text, violations)),
        };
        Self { reference, asked }
    }
}

/// The fields of an unknown type are all unknown: it is the type that is told. An absent type is no message of ours.
fn unread(text: &str, violations: Violations) -> Unread {
    #[derive(serde::Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: Option<String>,
    }
    match serde_json::from_str::<Typed>(text).ok().map(|typed| typed.kind) {
        Some(Some(kind)) if !KINDS.contains(&kind.as_str()) => Unread::Type(kind),
        Some(Some(_)) => Unread::Fields(violations),
        _ => Unread::Format,
    }
}

const KINDS: [&str; 10] =
    ["ping", "join_room", "leave_room", "message", "typing", "read", "history", "subscribe", "unsubscribe", "refresh"];

fn incoming(kind: String, fields: &mut Fields<'_>) -> Kind {
    let known = match kind.as_str() {
        "ping" => Some(Incoming::Ping {}),
        "join_room" => {
            let (room, offset) = (required(fields, "room"), number(fields, "offset"));
            let epoch = fields.text("epoch");
            room.map(|room| Incoming::JoinRoom { room, offset, epoch })
        }
        "leave_room" => required(fields, "room").map(|room| Incoming::LeaveRoom { room }),
        "message" => {
            let (room, content) = (fields.text("room"), fields.text("content"));
            Some(Incoming::Message { room, content, client_id: fields.text("clientId") })
        }
        "typing" => Some(Incoming::Typing { room: fields.text("room"), active: fields.boolean("active") }),
        "read" => {
            let room = fields.text("room");
            let offset = number(fields, "offset").or_else(|| fields.violations.missing("/offset"));
            offset.map(|offset| Incoming::Read { room, offset })
        }
        "history" => {
            let room = fields.text("room");
            let (after, before) = (number(fields, "after"), number(fields, "before"));
            if after.is_some() && before.is_some() {
                fields.violations.add("/before", "exclusive", "cannot go together with after");
            }
            let limit = number(fields, "limit").map(|limit| u32::try_from(limit).unwrap_or(u32::MAX));
            if limit.is_some_and(|limit| !(1..=100).contains(&limit)) {
                fields.violations.add("/limit", "range", "must be a whole number from 1 to 100");
            }
            Some(Incoming::History { room, after, before, limit })
        }
        "subscribe" => {
            let (topics, since) = (topics(fields), number(fields, "since"));
            topics.map(|topics| Incoming::Subscribe { topics, since })
        }
        "unsubscribe" => topics(fields).map(|topics| Incoming::Unsubscribe { topics }),
        "refresh" => required(fields, "token").map(|token| Incoming::Refresh { token }),
        _ => return Kind::Unknown(kind),
    };
    known.map_or(Kind::Nothing, Kind::Known)
}

fn required(fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
    let given = fields.text(name);
    given.or_else(|| fields.violations.missing(format!("/{name}")))
}

fn number(fields: &mut Fields<'_>, name: &'static str) -> Option<u64> {
    let number = fields.integer(name)?;
    let number = u64::try_from(number).ok();
    if number.is_none() {
        fields.violations.add(format!("/{name}"), "range", "must not be negative");
    }
    number
}

fn topics(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    let topics = fields.texts("topics").or_else(|| fields.violations.missing("/topics"))?;
    if topics.is_empty() || topics.len() > TOPICS_MOST {
        fields.violations.add("/topics", "size", format!("must name 1 to {TOPICS_MOST} topics"));
    }
    Some(topics)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<Incoming, Unread> {
        Request::read(text).asked
    }

    fn faults(text: &str) -> Vec<String> {
        match asked(text) {
            Err(Unread::Fields(violations)) => {
                violations.iter().map(|one| format!("{} {}", one.field, one.rule)).collect()
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn what_is_known_is_read() {
        assert_eq!(asked(r#"{"type":"ping"}"#), Ok(Incoming::Ping {}));
        let join = asked(r#"{"type":"join_room","room":"lamps","offset":4,"epoch":"a"}"#);
        assert_eq!(join, Ok(Incoming::JoinRoom { room: "lamps".into(), offset: Some(4), epoch: Some("a".into()) }));
        let request = Request::read(r#"{"type":"message","content":"Hi","ref":"7"}"#);
        assert_eq!(request.reference.as_deref(), Some("7"));
        let content = Some("Hi".to_owned());
        assert_eq!(request.asked, Ok(Incoming::Message { room: None, content, client_id: None }));
    }

    #[test]
    fn what_is_no_message_of_ours_is_told_by_its_kind() {
        for text in ["", "{", "[]", "7", "{}", r#"{"type":7}"#, r#"{"type":null}"#, r#"{"room":"a"}"#] {
            assert_eq!(asked(text), Err(Unread::Format), "{text}");
        }
        assert_eq!(asked(r#"{"type":"dance"}"#), Err(Unread::Type("dance".into())));
        assert_eq!(asked(r#"{"type":"dance","with":"me"}"#), Err(Unread::Type("dance".into())));
    }

    #[test]
    fn every_fault_is_told_and_unknown_fields_by_name() {
        assert_eq!(faults(r#"{"type":"ping","colour":1}"#), ["/colour unknown"]);
        assert_eq!(
            faults(r#"{"type":"join_room","offset":-1,"x":1}"#),
            ["/room required", "/offset range", "/x unknown"]
        );
        assert_eq!(
            faults(r#"{"type":"history","after":1,"before":2,"limit":0}"#),
            ["/before exclusive", "/limit range"]
        );
        assert_eq!(faults(r#"{"type":"subscribe","topics":[]}"#), ["/topics size"]);
        assert_eq!(faults(r#"{"type":"read"}"#), ["/offset required"]);
        let long = format!(r#"{{"type":"ping","ref":"{}"}}"#, "x".repeat(65));
        assert_eq!(faults(&long), ["/ref max_length"]);
    }
}
