//! The bounds that the document states for a field are those that its reader keeps: not one value wider or narrower.

use actix_web::test::TestRequest;
use domain::permission::Role;
use regex::Regex;
use serde_json::{Value, json};

use crate::{
    document::{document, operations},
    setup::Door,
};

/// Characters next to the borders of what texts may hold.
const CHARACTERS: &str = "\0\u{1}\u{8}\t\n\u{b}\u{c}\r\u{e}\u{1f} ~\u{7f}\u{80}\u{85}\u{9f}\u{a0}\u{2003}<>\"\\é東";

#[actix_web::test]
async fn the_reader_keeps_the_bounds_of_the_document() {
    // More values are tried than the limits of sign-in let through.
    let door = Door::with(|services| services.settings.limits.clear());
    let admin = door.person(Role::Admin).await;
    let document = document();
    let mut probed = 0;
    for (method, path, operation) in operations(&document) {
        let Some(content) = operation.pointer("/requestBody/content/application~1json") else { continue };
        // What others send has a form of theirs.
        let Some(name) = content["schema"]["$ref"].as_str() else { continue };
        let name = name.rsplit('/').next().unwrap();
        let mut probes = Vec::new();
        for (field, schema) in document["components"]["schemas"][name]["properties"].as_object().unwrap() {
            probes.extend(values(schema).into_iter().map(|(value, fits)| (field, value, fits)));
        }
        let requests = probes.iter().map(|(field, value, _)| {
            let mut body = content["example"].clone();
            body[field.as_str()] = value.clone();
            let request = TestRequest::default().method(method.clone()).uri(&path).set_json(body);
            request.insert_header(door.bearer(&admin))
        });
        let answers = door.send_all(requests).await;
        for ((field, value, fits), answer) in probes.iter().zip(answers) {
            let place = format!("body /{field}");
            // A rule that joins two fields names one that was there.
            let own = |one: &String| !one.ends_with(" exists") && !one.ends_with(" consistent");
            let told = answer.broken().iter().filter(|one| own(one)).any(|one| one.starts_with(&place));
            assert_eq!(told, !fits, "{method} {path} {field}: {value:.80}: {:?}", answer.broken());
        }
        probed += probes.len();
    }
    assert!(probed > 300, "{probed}");
}

/// Values at and next to every bound of a schema, and whether the schema takes them.
fn values(schema: &Value) -> Vec<(Value, bool)> {
    let kind = schema["type"].as_array().and_then(|kinds| kinds.first()).unwrap_or(&schema["type"]);
    match kind.as_str() {
        Some("string") if schema.get("format").is_none_or(|format| format == "password") => {
            texts(schema).into_iter().map(|(text, fits)| (text.into(), fits)).collect()
        }
        Some("array") => {
            // What is one of several names is no matter of bounds.
            let items = &schema["items"];
            let open = items.get("format").is_none() && items.get("$ref").is_none();
            let items = if open { texts(items) } else { Vec::new() };
            items.into_iter().map(|(text, fits)| (json!([text]), fits)).collect()
        }
        Some("integer" | "number") => numbers(schema),
        _ => Vec::new(),
    }
}

fn texts(schema: &Value) -> Vec<(String, bool)> {
    let bound = |word: &str| schema[word].as_u64().map(|bound| usize::try_from(bound).unwrap());
    let (least, most) = (bound("minLength").unwrap_or(0), bound("maxLength").unwrap_or(usize::MAX));
    let pattern = Regex::new(schema["pattern"].as_str().unwrap_or("")).unwrap();
    // What an address begins with; elsewhere one letter is as good as another.
    let start = if pattern.is_match("aaaaaaaa") { "" } else { "https://" };
    let filled = |length: usize| format!("{start}{}", "é".repeat(length - start.len()));
    let fits = |text: &str| (least..=most).contains(&text.chars().count()) && pattern.is_match(text);

    let lengths = [least.checked_sub(1), Some(least), bound("maxLength"), bound("maxLength").map(|most| most + 1)];
    let lengths = lengths.into_iter().flatten().filter(|length| *length >= start.len());
    let mut all: Vec<String> = lengths.map(filled).collect();
    all.extend([start.to_owned(), " ".repeat(least.max(1)), "ftp://a".repeat(2)]);
    all.extend(CHARACTERS.chars().map(|odd| format!("{}{odd}", filled(start.len() + 9))));
    all.into_iter().map(|text| (fits(&text), text)).map(|(fits, text)| (text, fits)).collect()
}

fn numbers(schema: &Value) -> Vec<(Value, bool)> {
    // In whole steps of the finest number that fits, so that nothing is lost to binary fractions.
    let digits = schema["multipleOf"].to_string().split_once('.').map_or(0, |(_, digits)| digits.len());
    let scale = 10_i64.pow(u32::try_from(digits).unwrap());
    let steps = |word: &str| {
        let (whole, digits) = (schema[word].as_i64(), schema[word].to_string().replace('.', ""));
        whole.map(|whole| whole * scale).or_else(|| digits.parse().ok())
    };
    let number = |steps: i64| {
        let text = format!("{}.{:0digits$}", steps / scale, steps.abs() % scale);
        serde_json::from_str(if digits == 0 { text.split('.').next().unwrap() } else { &text }).unwrap()
    };
    let mut all = Vec::new();
    for bound in [steps("minimum"), steps("maximum")].into_iter().flatten() {
        for near in [bound - 1, bound, bound + 1] {
            let above = steps("minimum").is_none_or(|least| near >= least);
            let below = steps("maximum").is_none_or(|most| near <= most);
            // Between zero and minus one there is no sign to see it by.
            if near >= 0 || digits == 0 {
                all.push((number(near), above && below));
            }
        }
    }
    if digits > 0 {
        all.push((json!(1.0 / f64::from(i32::try_from(scale * 10).unwrap())), false));
    }
    all
}
