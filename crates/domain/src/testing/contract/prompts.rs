//! Prompts, their versions and their splits: what is written reads back, and no version changes.

use std::time::Duration;

use serde_json::json;

use super::{Harness, fixtures};
use crate::{
    Error,
    actor::Principal,
    assistant::prompts::{
        AnswerForm, Example, Prompt, PromptContent, PromptInput, PromptPatch, PromptVersion, Reasoning, Share, Spoken,
        SpokenBy, Variable, VariableKind, VersionNumber, create_prompt, delete_prompt, roll_back, set_split,
        update_prompt, write_version,
    },
    error::Violations,
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
