//! Sessions.

use std::time::Duration;

use super::{Harness, begin, fixtures, page};
use crate::{
    behalf::Impersonator,
    id::{SessionId, UserId},
    identity::{Client, EndReason, Impersonation, Method, Methods, StoredSession},
    permission::Role,
    testing::Fixtures,
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    a_session_reads_back_as_it_was_stored_and_changed(harness).await;
    only_who_is_there_with_that_password_gets_one(harness).await;
    the_live_ones_of_a_person_are_listed(harness).await;
    those_that_were_ended_are_told_while_tokens_hold(harness).await;
    what_is_over_is_purged(harness).await;
    what_an_operator_began_as_others_is_found(harness).await;
}

async fn store(harness: &impl Harness, session: &StoredSession) {
    let mut tx = begin(harness).await;
    assert!(tx.sessions().insert(session, None).await.unwrap());
    tx.commit().await.unwrap();
}

async fn find(harness: &impl Harness, id: SessionId) -> Option<StoredSession> {
    begin(harness).await.sessions().find(id).await.unwrap()
}

async fn person(given: &Fixtures) -> UserId {
    given.person(Role::User).await.user
}

async fn a_session_reads_back_as_it_was_stored_and_changed(harness: &impl Harness) {
    let given = fixtures(harness);
    let mut session = given.session(person(&given).await);
    session.client = Client { device: Some("Zoë's \u{1F98A} box".to_owned()), address: None };
    store(harness, &session).await;
    assert_eq!(find(harness, session.id).await.as_ref(), Some(&session));
    given.clock.advance(Duration::from_secs(1));
    let now = given.shop.now();
    session.generation = 7;
    session.authenticated_at = now;
    session.methods = Methods::of(Method::EmailCode).with(Method::Totp);
    session.client.address = Some("2001:db8::7".to_owned());
    (session.rotated_at, session.last_used_at) = (now, now);
    session.idle_until = now + Duration::from_secs(5);
    session.tokens_until = now + Duration::from_secs(6);
    let mut tx = begin(harness).await;
    tx.sessions().update(&session).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(find(harness, session.id).await.as_ref(), Some(&session));
    session.ended = Some((now, EndReason::Reused));
    let mut tx = begin(harness).await;
    tx.sessions().update(&session).await.unwrap();
    tx.commit().await.unwrap();
    let session_id = session.id;
    assert_eq!(find(harness, session_id).await, Some(session));
    let by_id = harness.sessions();
    assert!(by_id.find(session_id).await.unwrap().is_some_and(|found| found.ended.is_some()));
    assert_eq!(by_id.find(given.shop.id()).await.unwrap(), None);
    assert_eq!(find(harness, given.shop.id()).await, None);
}

async fn only_who_is_there_with_that_password_gets_one(harness: &impl Harness) {
    let given = fixtures(harness);
    let user = person(&given).await;
    let mut tx = begin(harness).await;
    let sessions = tx.sessions();
    assert!(sessions.insert(&given.session(user), Some("plain$correct horse")).await.unwrap());
    assert!(!sessions.insert(&given.session(user), Some("plain$other")).await.unwrap());
    assert!(!sessions.insert(&given.session(given.shop.id()), None).await.unwrap());
    // No refusal spoils the transaction.
    assert!(sessions.insert(&given.session(user), None).await.unwrap());
    tx.commit().await.unwrap();
}

async fn the_live_ones_of_a_person_are_listed(harness: &impl Harness) {
    let given = fixtures(harness);
    let (user, other) = (person(&given).await, person(&given).await);
    given.stored_session(other).await;
    let mut sessions = Vec::new();
    for _ in 0..5 {
        given.clock.advance(Duration::from_secs(1));
        sessions.push(given.session(user));
    }
    let now = given.shop.now();
    // One is ended, one unused for too long, one too old: of the last two tokens may hold still, of the last none does.
    sessions[0].ended = Some((now, EndReason::SignedOut));
    sessions[1].idle_until = now;
    (sessions[2].expires_at, sessions[2].tokens_until) = (now, now);
    for session in &sessions {
        store(harness, session).await;
    }
    let ids = |sessions: &[StoredSession]| sessions.iter().map(|session| session.id).collect::<Vec<_>>();
    let listed = harness.sessions().live(user, now, page(1, 1)).await.unwrap();
    assert_eq!((listed.total, listed.pages, ids(&listed.items)), (2, 2, vec![sessions[4].id]));
    assert_eq!(listed.items[0], sessions[4]);
    assert_eq!(ids(&harness.sessions().live(user, now, page(2, 1)).await.unwrap().items), [sessions[3].id]);
    let mut live = ids(&begin(harness).await.sessions().live_of(user, now).await.unwrap());
    live.sort();
    assert_eq!(live, [sessions[1].id, sessions[3].id, sessions[4].id]);
}

async fn those_that_were_ended_are_told_while_tokens_hold(harness: &impl Harness) {
    let given = fixtures(harness);
    let user = person(&given).await;
    let now = given.shop.now();
    let (mut ended, mut past, live) = (given.session(user), given.session(user), given.session(user));
    ended.ended = Some((now, EndReason::Revoked));
    past.ended = ended.ended;
    past.tokens_until = now;
    for session in [&ended, &past, &live] {
        store(harness, session).await;
    }
    let told = harness.sessions().ended(now + Duration::from_micros(1)).await.unwrap();
    assert!(told.contains(&(ended.id, ended.tokens_until)));
    assert!(told.iter().all(|(id, _)| *id != past.id && *id != live.id));
}

async fn what_is_over_is_purged(harness: &impl Harness) {
    let given = fixtures(harness);
    let user = person(&given).await;
    let before = given.shop.now();
    let past = before - Duration::from_secs(1);
    let mut sessions = [given.session(user), given.session(user), given.session(user)];
    (sessions[0].idle_until, sessions[0].tokens_until) = (past, past);
    // Of one a token holds still, one can be refreshed.
    sessions[1].idle_until = past;
    sessions[2].tokens_until = past;
    for session in &sessions {
        store(harness, session).await;
    }
    // Others may have left some that are over too.
    while harness.sessions().purge(before, 2).await.unwrap() > 0 {}
    for (session, stays) in sessions.iter().zip([false, true, true]) {
        assert_eq!(find(harness, session.id).await.is_some(), stays);
    }
}

async fn what_an_operator_began_as_others_is_found(harness: &impl Harness) {
    let given = fixtures(harness);
    let (operator, user) = (person(&given).await, person(&given).await);
    let own = [given.session(operator), given.session(operator)];
    let acting = |from: &StoredSession| {
        let by = Impersonator { user: from.user, session: from.id };
        let impersonation = Some(Impersonation { by, reason: "Zoë asked".to_owned() });
        StoredSession { impersonation, ..given.session(user) }
    };
    let mut begun = [acting(&own[0]), acting(&own[1]), acting(&own[1]), acting(&own[1])];
    let now = given.shop.now();
    begun[2].ended = Some((now, EndReason::ByOperator));
    begun[3].tokens_until = now;
    for session in own.iter().chain(&begun) {
        store(harness, session).await;
    }
    assert_eq!(find(harness, begun[0].id).await.as_ref(), Some(&begun[0]));
    let mut tx = begin(harness).await;
    let mut all = tx.sessions().begun_by(operator, None, now).await.unwrap();
    all.sort_by_key(|session| session.id);
    let mut hold = begun[..2].to_vec();
    hold.sort_by_key(|session| session.id);
    assert_eq!(all, hold);
    assert_eq!(tx.sessions().begun_by(operator, Some(own[1].id), now).await.unwrap(), [begun[1].clone()]);
    assert_eq!(tx.sessions().begun_by(user, None, now).await.unwrap(), []);
    let live = tx.sessions().live_of(user, now).await.unwrap();
    assert!(live.iter().any(|session| session.id == begun[0].id), "it is a session of the person");
}
