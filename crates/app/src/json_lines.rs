//! Log lines in JSON.
//!
//! The library writes them well and slowly: of a cached answer it took more time than finding the answer. A line without
//! a span, which is almost every one, is written here straight away, in the library's form; the others are left to it.

use std::{
    cell::RefCell,
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use chrono::DateTime;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, Writer},
        time::SystemTime as Clock,
    },
    registry::LookupSpan,
};

/// The format.
#[derive(Debug)]
pub(crate) struct JsonLines(Format<Json, Clock>);

impl JsonLines {
    pub(crate) fn new() -> Self {
        Self(Format::default().json().flatten_event(true).with_current_span(true).with_span_list(false))
    }
}

thread_local! {
    static PLACE: RefCell<Place> = RefCell::default();
}

/// What a thread keeps from line to line.
#[derive(Debug, Default)]
struct Place {
    line: Vec<u8>,
    second: u64,
    /// The second as it is written.
    written: String,
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if context.lookup_current().is_some() {
            return self.0.format_event(context, writer, event);
        }
        PLACE.with(|place| {
            // A value that logs while it is shown comes here again.
            let Ok(mut place) = place.try_borrow_mut() else { return self.0.format_event(context, writer, event) };
            place.write(event, SystemTime::now());
            writer.write_str(std::str::from_utf8(&place.line).map_err(|_| fmt::Error)?)
        })
    }
}

impl Place {
    fn write(&mut self, event: &Event<'_>, now: SystemTime) {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.second != since.as_secs() || self.written.is_empty() {
            self.second = since.as_secs();
            let second = i64::try_from(self.second).ok().and_then(|second| DateTime::from_timestamp(second, 0));
            self.written = second.unwrap_or_default().format("%Y-%m-%dT%H:%M:%S").to_string();
        }
        self.line.clear();
        let meta = event.metadata();
        self.line.extend_from_slice(b"{\"timestamp\":\"");
        self.line.extend_from_slice(self.written.as_bytes());
        self.line.push(b'.');
        self.line.extend_from_slice(&six_digits(since.subsec_micros()));
        self.line.extend_from_slice(b"Z\",\"level\":\"");
        self.line.extend_from_slice(meta.level().as_str().as_bytes());
        self.line.push(b'"');
        event.record(&mut Fields(&mut self.line));
        self.line.extend_from_slice(b",\"target\":");
        text(&mut self.line, meta.target());
        self.line.extend_from_slice(b"}\n");
    }
}

/// Writes fields behind others.
struct Fields<'a>(&'a mut Vec<u8>);

impl Fields<'_> {
    fn name(&mut self, field: &Field) {
        self.0.extend_from_slice(b",\"");
        // Identifiers, of which one that is a keyword of Rust is written `r#type`; dots between them.
        let name = field.name();
        self.0.extend_from_slice(name.strip_prefix("r#").unwrap_or(name).as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn value(&mut self, field: &Field, value: &impl serde::Serialize) {
        self.name(field);
        // Numbers and truth values can be written.
        drop(serde_json::to_writer(&mut *self.0, value));
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.value(field, &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.value(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field, &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        text(self.0, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.name(field);
        self.0.push(b'"');
        let _ = fmt::write(&mut Escaped(self.0), format_args!("{value:?}"));
        self.0.push(b'"');
    }
}

/// A number below a million.
fn six_digits(number: u32) -> [u8; 6] {
    let digit = |power: u32| b'0' + u8::try_from(number / 10_u32.pow(power) % 10).unwrap_or_default();
    [digit(5), digit(4), digit(3), digit(2), digit(1), digit(0)]
}

/// A JSON string.
fn text(line: &mut Vec<u8>, value: &str) {
    line.push(b'"');
    escape(line, value);
    line.push(b'"');
}

/// The inside of a JSON string. Almost every text has nothing to be escaped.
fn escape(line: &mut Vec<u8>, value: &str) {
    // They are counted, many bytes at once: to stop at the first would take longer for every other text.
    let odd = value.bytes().filter(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\')).count();
    if odd == 0 {
        line.extend_from_slice(value.as_bytes());
    } else if let Ok(quoted) = serde_json::to_string(value) {
        line.extend_from_slice(quoted.get(1..quoted.len() - 1).unwrap_or_default().as_bytes());
    }
}

/// What is shown piece by piece, escaped as it comes.
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        escape(self.0, piece);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use serde_json::Value;
    use tracing_subscriber::{fmt::MakeWriter, layer::SubscriberExt as _};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Written {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    fn told(tell: impl Fn()) -> (Value, Value) {
        let written = |library: bool| {
            let out = Written::default();
            let layer = tracing_subscriber::fmt::layer().with_writer(out.clone()).json();
            if library {
                let layer = layer.flatten_event(true).with_current_span(true).with_span_list(false);
                tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), &tell);
            } else {
                let layer = layer.event_format(JsonLines::new());
                tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), &tell);
            }
            let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
            assert!(text.ends_with('\n') && text.lines().count() == 1, "{text}");
            let mut line: Value = serde_json::from_str(&text).unwrap();
            let time = line.as_object_mut().unwrap().remove("timestamp").unwrap();
            let time = DateTime::parse_from_rfc3339(time.as_str().unwrap()).unwrap();
            assert!(
                DateTime::<chrono::Utc>::from(SystemTime::now()).signed_duration_since(time).num_seconds().abs() < 60
            );
            line
        };
        (written(false), written(true))
    }

    #[test]
    fn a_line_says_what_the_library_would_say() {
        let hostile = "a \"quote\", a \\, a\nline\r, \u{0}, \u{1b}[31m, \u{7f}, ü, 💡, \u{2028}";
        let (ours, library) = told(|| {
            tracing::warn!(
                target: "souk::test",
                text = hostile, shown = %hostile, debugged = ?hostile, number = 7_u64, less = -7_i64, half = 0.5,
                endless = f64::INFINITY, holds = true, none = Option::<u8>::None, r#type = "t", "a {}", "message"
            );
        });
        assert_eq!(ours, library);
        assert_eq!((&ours["text"], &ours["shown"]), (&Value::from(hostile), &Value::from(hostile)));
        assert_eq!((&ours["message"], &ours["target"]), (&Value::from("a message"), &Value::from("souk::test")));
    }

    #[test]
    fn a_fraction_of_a_second_has_six_digits() {
        assert_eq!([six_digits(0), six_digits(7_089), six_digits(999_999)], [*b"000000", *b"007089", *b"999999"]);
    }

    #[test]
    fn a_value_that_logs_while_it_is_shown_loses_no_line() {
        let (ours, library) = told(|| {
            // As it is while the outer line is being written.
            PLACE.with_borrow_mut(|_| tracing::info!("inside"));
        });
        assert_eq!(ours, library);
        assert_eq!(ours["message"], "inside");
    }

    #[test]
    fn a_line_within_a_span_names_it() {
        let (ours, library) = told(|| {
            tracing::info_span!("job", kind = "reindex").in_scope(|| tracing::info!("done"));
        });
        assert_eq!(ours, library);
        assert_eq!(ours["span"]["kind"], "reindex");
    }
}
