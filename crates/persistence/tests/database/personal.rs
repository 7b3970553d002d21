//! What somebody gets who asks for all that is kept of them: every place in the schema that names a person is in it, or says why not.

use std::{collections::BTreeSet, fmt::Write as _};

use domain::id::UserId;
use souk_persistence::{Engine, personal_columns};

use crate::deletion::{NAMED, PLANTED, Planted};

crate::on_both!(all_they_told_is_in_it, rows_come_in_pages);

/// Columns that name a person and are not in the archive, with the reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("action_codes.user_id", "a secret that ends within the hour"),
    ("data_exports.user_id", "it is the archive, and those before are listed by GET /api/v1/users/me/exports"),
    ("events.actor_id", "the same changes as in the audit log, which is in it"),
    ("grants.by_id", "about somebody else; the act is in the audit log"),
    ("idempotency_keys.actor_id", "answers they were given, for a day, of what else is in it"),
    ("presence.user_id", "it is true of this moment only"),
    ("products.deleted_by", "the deletion is in the audit log"),
    ("prompt_splits.set_by", "the act is in the audit log"),
    ("prompt_versions.written_by", "the shop's words; the act is in the audit log"),
    ("recovery_codes.user_id", "digests of secrets, and nothing else"),
    ("room_sanctions.by_id", "about somebody else; the act is in the audit log"),
    ("sign_in_challenges.user_id", "a secret that ends within minutes"),
    ("stream_tickets.impersonator_id", "a secret that ends within a minute"),
    ("stream_tickets.user_id", "a secret that ends within a minute"),
    ("user_bans.by_id", "about somebody else; the act is in the audit log"),
];

/// Planted words that are secrets, or are no more theirs than of whom they were used against.
const SECRETS: [&str; 1] = ["$zanzibar$hash"];

#[test]
fn every_place_that_names_a_person_is_in_it_or_says_why_not() {
    // That these are all there are is tried with those who are deleted.
    let named: Vec<_> = NAMED.iter().map(|(column, _)| *column).collect();
    let mut decided = personal_columns();
    decided.extend(LEFT_OUT.iter().map(|(column, _)| *column));
    assert_eq!(decided.len(), named.len(), "each is decided once");
    assert_eq!(decided.into_iter().collect::<BTreeSet<_>>(), named.into_iter().collect());
    assert!(LEFT_OUT.iter().all(|(_, why)| !why.is_empty()));
}

async fn all_they_told_is_in_it(engine: Engine) {
    let planted = Planted::new(engine).await;
    let data = planted.fresh.database.personal_data();
    let (mut archive, mut others) = (String::new(), String::new());
    for subject in data.subjects() {
        for row in data.rows(planted.person.user, subject, 0, 100).await.unwrap() {
            writeln!(archive, "{subject}: {row}").unwrap();
        }
        for row in data.rows(UserId(uuid::Uuid::nil()), subject, 0, 100).await.unwrap() {
            writeln!(others, "{subject}: {row}").unwrap();
        }
    }
    for word in PLANTED {
        assert_eq!(archive.contains(word), !SECRETS.contains(&word), "{word} in {archive}");
    }
    assert_eq!(others, "", "nothing is kept of nobody");
    for subject in
        ["authenticator_apps", "sign_in_places", "roles", "product_views", "room_memberships", "room_reads", "reviews"]
    {
        assert!(archive.contains(&format!("{subject}: ")), "{subject} in {archive}");
    }
    let id = planted.person.user.to_string();
    assert!(archive.starts_with("profile: ") && archive.contains(&format!("\"id\":\"{id}\"")), "{archive}");
    assert!(archive.contains("\"viewedAt\":\"2099-01-02T03:04:05Z\""), "{archive}");
}

async fn rows_come_in_pages(engine: Engine) {
    let planted = Planted::new(engine).await;
    let data = planted.fresh.database.personal_data();
    let who = planted.person.user;
    let all = data.rows(who, "memberships", 0, 100).await.unwrap();
    assert_eq!(all.len(), 2);
    let mut paged = data.rows(who, "memberships", 0, 1).await.unwrap();
    paged.extend(data.rows(who, "memberships", 1, 1).await.unwrap());
    assert_eq!(paged, all);
    assert!(data.rows(who, "memberships", 2, 1).await.unwrap().is_empty());
    assert!(data.rows(who, "nonsense", 0, 1).await.is_err());
}
