//! Prompts, their versions and their splits: what is written reads back, and no version changes.

use std::time::Duration;

use serde_json::json;

use super::{Harness, fixtures};
use crate::{
    Error,
    actor::Principal,
    assistant::{
        Batch, CallKind, CallState, NewCall, Settlement, Usage,
        prompts::{
            AnswerForm, Example, Generation, GenerationState, MetricTally, OutcomeValue, Prompt, PromptContent,
            PromptInput, PromptPatch, PromptVersion, Reasoning, Share, Spoken, SpokenBy, Variable, VariableKind,
            VersionNumber, VersionTally, create_prompt, delete_prompt, roll_back, say_outcome, set_split,
            settle_generations, update_prompt, write_version,
        },
    },
    error::Violations,
    id::GenerationId,
    idempotency::Once,
    page::{Limit, PageRequest},
    permission::Role,
    testing::Fixtures,
};

/// Runs every case.
pub async fn run(harness: &impl Harness) {
    a_prompt_is_kept_by_its_name(harness).await;
    a_version_stays_as_it_was_written(harness).await;
    splits_are_kept_and_one_goes_back(harness).await;
    what_was_asked_is_told_by_version(harness).await;
    what_was_asked_long_ago_goes(harness).await;
}

async fn made(given: &Fixtures, by: &Principal, name: &str) -> Result<Prompt, Error> {
    let input = PromptInput { name: Some(name.to_owned()), description: Some("Of lamps\nalone".to_owned()) };
    let new = input.check(&mut Violations::default()).unwrap();
    Ok(create_prompt(&given.shop, given.authorized(by), new, &Once::always()).await?.fresh().unwrap())
}

async fn written(given: &Fixtures, by: &Principal, name: &str, content: PromptContent) -> PromptVersion {
    let written = write_version(&given.shop, given.authorized(by), name, content, &Once::always()).await;
    written.unwrap().fresh().unwrap()
}

/// Something of every field.
fn content() -> PromptContent {
    PromptContent {
        messages: vec![
            Spoken { role: SpokenBy::System, template: "Be brief.".to_owned() },
            Spoken { role: SpokenBy::User, template: "{{ title }}\n\"é\" 日本".to_owned() },
        ],
        examples: vec![Example { user: "A lamp".to_owned(), assistant: "{}".to_owned() }],
        variables: vec![Variable {
            name: "title".to_owned(),
            description: "Of a product".to_owned(),
            kind: VariableKind::Text { max_length: 100 },
            default: Some(json!("Lamp")),
        }],
        model: Some("small".to_owned()),
        temperature: Some(0.1),
        top_p: Some(0.9),
        max_tokens: Some(500),
        stop: vec!["\n\n".to_owned()],
        answer: AnswerForm::Json { schema: json!({ "type": "object" }), strict: false },
        reasoning: Reasoning::Steps { asked: "Think.".to_owned(), marker: "###".to_owned() },
    }
}

fn plain() -> PromptContent {
    PromptContent {
        messages: vec![Spoken { role: SpokenBy::User, template: "Hello".to_owned() }],
        examples: Vec::new(),
        variables: Vec::new(),
        model: None,
        temperature: None,
        top_p: None,
        max_tokens: None,
        stop: Vec::new(),
        answer: AnswerForm::Text,
        reasoning: Reasoning::None,
    }
}

fn page(page: u32, limit: u32) -> PageRequest {
    PageRequest { page, limit: Limit::new(limit).unwrap() }
}

async fn a_prompt_is_kept_by_its_name(harness: &impl Harness) {
    let given = fixtures(harness);
    let admin = given.person(Role::Admin).await;
    let queries = harness.prompts();
    let serial = given.serial();
    let (first, second) = (format!("aa-{serial}-b"), format!("aa-{serial}_a"));
    let prompt = made(&given, &admin, &first).await.unwrap();
    let other = made(&given, &admin, &second).await.unwrap();
    assert!(matches!(made(&given, &admin, &first).await, Err(Error::Conflict(_))), "the name is taken");
    assert_eq!(queries.named(&first).await.unwrap().as_ref(), Some(&prompt));
    assert_eq!(queries.named(&first.to_uppercase()).await.unwrap(), None);

    let listed = async |archived| {
        let all = queries.list(archived, page(1, 100)).await.unwrap();
        let own = all.items.into_iter().filter(|one| [prompt.id, other.id].contains(&one.id));
        own.map(|one| one.name).collect::<Vec<_>>()
    };
    assert_eq!(listed(false).await, [first.clone(), second.clone()], "byte by byte");
    given.clock.advance(Duration::from_secs(1));
    let patch = PromptPatch { description: Some(String::new()), is_archived: Some(true) };
    let by = given.authorized(&admin);
    let stale = update_prompt(&given.shop, &by, &first, patch.clone(), Some(&[prompt.version.next()])).await;
    assert!(matches!(stale, Err(Error::Stale(_))));
    let changed = update_prompt(&given.shop, &by, &first, patch.clone(), Some(&[prompt.version])).await.unwrap();
    assert_eq!((changed.version, changed.is_archived), (prompt.version.next(), true));
    assert!(changed.updated_at > prompt.updated_at && changed.description.is_empty());
    assert_eq!(queries.named(&first).await.unwrap().as_ref(), Some(&changed));
    let again = update_prompt(&given.shop, &by, &first, patch, None).await.unwrap();
    assert_eq!(again, changed, "what changes nothing is no change");
    assert_eq!((listed(false).await, listed(true).await), (vec![second], vec![first.clone()]));

    delete_prompt(&given.shop, &by, &first, None).await.unwrap();
    assert_eq!(queries.named(&first).await.unwrap(), None);
    assert!(matches!(delete_prompt(&given.shop, &by, &first, None).await, Err(Error::NotFound(_))));
    let kinds: Vec<_> = harness.events_of(prompt.id.0).await.unwrap().into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
}

async fn a_version_stays_as_it_was_written(harness: &impl Harness) {
    let given = fixtures(harness);
    let admin = given.person(Role::Admin).await;
    let queries = harness.prompts();
    let name = format!("versions-{}", given.serial());
    let prompt = made(&given, &admin, &name).await.unwrap();
    let mut all = Vec::new();
    for content in [content(), plain(), content()] {
        given.clock.advance(Duration::from_secs(1));
        all.push(written(&given, &admin, &name, content).await);
    }
    assert_eq!(all.iter().map(|version| version.number.0).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((all[0].prompt, all[0].written_by), (prompt.id, admin.user));
    for version in &all {
        assert_eq!(queries.version(prompt.id, version.number).await.unwrap().as_ref(), Some(version));
    }
    assert_eq!(queries.version(prompt.id, VersionNumber(4)).await.unwrap(), None);
    let latest = queries.named(&name).await.unwrap().unwrap();
    assert_eq!((latest.latest, latest.version.0), (Some(VersionNumber(3)), 4));
    let first = queries.versions(prompt.id, page(1, 2)).await.unwrap();
    assert_eq!((first.items, first.total), (vec![all[2].clone(), all[1].clone()], 3));
    assert_eq!(queries.versions(prompt.id, page(2, 2)).await.unwrap().items, [all[0].clone()]);
    delete_prompt(&given.shop, &given.authorized(&admin), &name, None).await.unwrap();
    assert_eq!(queries.version(prompt.id, VersionNumber(1)).await.unwrap(), None, "they go with it");
}

async fn splits_are_kept_and_one_goes_back(harness: &impl Harness) {
    let given = fixtures(harness);
    let admin = given.person(Role::Admin).await;
    let queries = harness.prompts();
    let by = given.authorized(&admin);
    let name = format!("splits-{}", given.serial());
    let prompt = made(&given, &admin, &name).await.unwrap();
    assert!(matches!(roll_back(&given.shop, &by, &name, None).await, Err(Error::Conflict(_))), "none was set");
    for _ in 0..3 {
        written(&given, &admin, &name, plain()).await;
    }
    let shares = |weights: &[(i64, u32)]| {
        let share = |(version, weight): &(i64, u32)| Share { version: VersionNumber(*version), weight: *weight };
        weights.iter().map(share).collect::<Vec<_>>()
    };
    let set = async |weights: &[(i64, u32)]| set_split(&given.shop, &by, &name, shares(weights), None).await;
    assert!(matches!(set(&[(4, 1)]).await, Err(Error::Invalid(_))), "there is no version 4");
    let splits = [&[(1, 100)][..], &[(1, 90), (2, 10)], &[(3, 100)]];
    for weights in splits {
        given.clock.advance(Duration::from_secs(1));
        let prompt = set(weights).await.unwrap();
        assert_eq!(queries.named(&name).await.unwrap(), Some(prompt));
    }
    let back = async || roll_back(&given.shop, &by, &name, None).await.map(|prompt| prompt.split.unwrap());
    let second = back().await.unwrap();
    assert_eq!((second.number, second.origin, second.shares), (4, 2, shares(splits[1])));
    let first = back().await.unwrap();
    assert_eq!((first.number, first.origin, &first.shares), (5, 1, &shares(splits[0])));
    assert!(matches!(back().await, Err(Error::Conflict(_))), "there was none before");
    // What is set now has what held as the one before it.
    let last = set(splits[2]).await.unwrap().split.unwrap();
    assert_eq!((last.number, last.origin), (6, 6));
    assert_eq!(back().await.unwrap().shares, shares(splits[0]));
    let history = queries.splits(prompt.id, page(1, 100)).await.unwrap();
    let numbers: Vec<_> = history.items.iter().map(|split| (split.number, split.origin)).collect();
    assert_eq!(numbers, [(7, 1), (6, 6), (5, 1), (4, 2), (3, 3), (2, 2), (1, 1)]);
    assert!(history.items.iter().all(|split| split.set_by == admin.user));
}

/// Answers that ended so, one each second.
async fn answers(harness: &impl Harness, given: &Fixtures, prompt: &Prompt, by: &Principal) -> Vec<Generation> {
    let queries = harness.prompts();
    let mut all = Vec::new();
    for (version, state, milliseconds) in [
        (1, GenerationState::Done, 100),
        (1, GenerationState::Done, 300),
        (2, GenerationState::Failed, 50),
        (2, GenerationState::Refused, 1),
        (2, GenerationState::Done, 40),
    ] {
        let one = begun(given, prompt, by, version);
        let took = Duration::from_millis(milliseconds);
        let reason = (state != GenerationState::Done).then(|| "timeout".to_owned());
        let ended =
            Generation { state, reason, took: Some(took), ended_at: Some(one.started_at + took), ..one.clone() };
        let mut tx = given.tx().await;
        tx.prompts().begin(&one).await.unwrap();
        tx.prompts().end(&ended).await.unwrap();
        // An end is told once.
        tx.prompts().end(&Generation { state: GenerationState::Failed, ..ended.clone() }).await.unwrap();
        assert_eq!(tx.prompts().generation(one.id).await.unwrap().as_ref(), Some(&ended));
        tx.commit().await.unwrap();
        assert_eq!(queries.generation(one.id).await.unwrap(), Some((ended.clone(), Vec::new())));
        given.clock.advance(Duration::from_secs(1));
        all.push(ended);
    }
    all
}

fn begun(given: &Fixtures, prompt: &Prompt, by: &Principal, version: i64) -> Generation {
    Generation {
        id: given.shop.id(),
        prompt: prompt.id,
        version: VersionNumber(version),
        user: by.user,
        model: "small".to_owned(),
        state: GenerationState::Running,
        reason: None,
        took: None,
        started_at: given.shop.now(),
        ended_at: None,
    }
}

/// Two calls for an answer, of which one cost more than what numbers are cut at, and one for nobody's.
async fn spend(harness: &impl Harness, given: &Fixtures, generation: GenerationId, by: &Principal) {
    let at = given.shop.now();
    let call = |generation, cost| NewCall {
        id: given.shop.id(),
        user: by.user,
        key: None,
        seller: None,
        request: "r-1".to_owned(),
        generation,
        kind: CallKind::Chat,
        model: "small".to_owned(),
        deployment: "near/small".to_owned(),
        prompt: 10,
        completion: 20,
        cost: Some(cost),
        holds: Vec::new(),
        started_at: at,
    };
    let calls = vec![call(Some(generation), 3_000_000_001), call(Some(generation), 7), call(None, 7)];
    let settled = calls.iter().map(|call| Settlement {
        id: call.id,
        windows: Vec::new(),
        held: call.most(),
        state: CallState::Settled,
        usage: Usage { prompt: 5, completion: 4, cached: 3, reasoning: 2 },
        cost: call.cost,
        fault: None,
        first_at: None,
        first_after: None,
        ended_at: at,
    });
    let settled = settled.collect();
    harness.ledger().write(&Batch { calls, settled }).await.unwrap();
}

async fn what_was_asked_is_told_by_version(harness: &impl Harness) {
    let given = fixtures(harness);
    let (admin, ada) = (given.person(Role::Admin).await, given.person(Role::User).await);
    let queries = harness.prompts();
    let name = format!("asked-{}", given.serial());
    let prompt = made(&given, &admin, &name).await.unwrap();
    let since = given.shop.now();
    let all = answers(harness, &given, &prompt, &ada).await;
    let refused = delete_prompt(&given.shop, &given.authorized(&admin), &name, None).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "what was spent keeps its name");
    spend(harness, &given, all[0].id, &ada).await;

    let by = given.authorized(&ada);
    let say = async |id, metric: &str, value| say_outcome(&given.shop, &by, id, metric, value).await;
    let (yes, no) = (OutcomeValue::Flag(true), OutcomeValue::Flag(false));
    say(all[0].id, "success", no).await.unwrap();
    let (_, outcomes) = say(all[0].id, "success", yes).await.unwrap();
    assert_eq!((outcomes.len(), outcomes[0].value), (1, yes), "said again it takes its place");
    say(all[0].id, "stars", OutcomeValue::Number(4.5)).await.unwrap();
    say(all[1].id, "success", no).await.unwrap();
    let stored = queries.generation(all[0].id).await.unwrap().unwrap().1;
    let told: Vec<_> = stored.iter().map(|one| (one.metric.as_str(), one.value)).collect();
    assert_eq!(told, [("stars", OutcomeValue::Number(4.5)), ("success", yes)]);
    assert!(matches!(say(all[2].id, "success", no).await, Err(Error::Conflict(_))), "it failed");
    let stranger = given.authorized(&admin);
    let stranger = say_outcome(&given.shop, &stranger, all[0].id, "success", no).await;
    assert!(matches!(stranger, Err(Error::NotFound(_))), "who asked says how it turned out");

    let report = queries.report(prompt.id, since, given.shop.now()).await.unwrap();
    let metric = |metric: &str, count, flags, sum: f64, squares| MetricTally {
        metric: metric.to_owned(),
        count,
        flags,
        sum,
        squares,
    };
    let first = VersionTally {
        version: 1,
        runs: 2,
        done: 2,
        took: Duration::from_millis(400),
        calls: 2,
        usage: Usage { prompt: 10, completion: 8, cached: 6, reasoning: 4 },
        cost: 3_000_000_008,
        metrics: vec![metric("stars", 1, 0, 4.5, 20.25), metric("success", 2, 2, 1.0, 1.0)],
        ..VersionTally::default()
    };
    let second = VersionTally {
        version: 2,
        runs: 3,
        done: 1,
        failed: 1,
        refused: 1,
        took: Duration::from_millis(40),
        ..VersionTally::default()
    };
    assert_eq!(report, [first, second]);
    assert_eq!(queries.report(prompt.id, given.shop.now(), given.shop.now()).await.unwrap(), []);
}

async fn what_was_asked_long_ago_goes(harness: &impl Harness) {
    let given = fixtures(harness);
    let (admin, ada) = (given.person(Role::Admin).await, given.person(Role::User).await);
    let (queries, store) = (harness.prompts(), harness.generations());
    let name = format!("purged-{}", given.serial());
    let prompt = made(&given, &admin, &name).await.unwrap();
    let begun = begun(&given, &prompt, &ada, 1);
    let mut tx = given.tx().await;
    tx.prompts().begin(&begun).await.unwrap();
    tx.commit().await.unwrap();
    let settle = async |age: Duration| {
        let (minute, now) = (Duration::from_mins(1), given.shop.now());
        settle_generations(store.as_ref(), now, minute, Some(age)).await.unwrap()
    };
    let day = Duration::from_hours(24);
    assert_eq!(settle(day).await, 0);
    given.clock.advance(Duration::from_mins(2));
    assert_eq!((settle(day).await, settle(day).await), (1, 0), "its node was killed");
    let lost = queries.generation(begun.id).await.unwrap().unwrap().0;
    assert_eq!((lost.state, lost.reason.as_deref(), lost.took), (GenerationState::Failed, Some("lost"), None));
    given.clock.advance(day + Duration::from_secs(1));
    settle(day).await;
    assert_eq!(queries.generation(begun.id).await.unwrap(), None);
    delete_prompt(&given.shop, &given.authorized(&admin), &name, None).await.unwrap();
}
