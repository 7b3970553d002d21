//! What a version may say, and what a model is told by it.

use serde_json::{Map, Value, json};

use super::{
    AnswerFormInput, ContentInput, ExampleInput, PromptContent, ReasoningInput, SpokenBy, SpokenInput, VariableInput,
    VariableType, render,
};
use crate::{
    assistant::{ResponseFormat, Role},
    error::{Error, Violations},
    testing::PlainTemplates,
};

fn says(role: SpokenBy, template: &str) -> SpokenInput {
    SpokenInput { role: Some(role), template: Some(template.to_owned()) }
}

fn variable(name: &str, default: Option<&str>) -> VariableInput {
    VariableInput {
        name: Some(name.to_owned()),
        kind: Some(VariableType::Text),
        default: default.map(Into::into),
        ..VariableInput::default()
    }
}

fn input() -> ContentInput {
    ContentInput {
        messages: vec![says(SpokenBy::System, "Write in {{ language }}."), says(SpokenBy::User, "Sell {{ title }}!")],
        examples: vec![ExampleInput { user: Some("Sell a pen!".to_owned()), assistant: Some("A pen.".to_owned()) }],
        variables: vec![variable("title", None), variable("language", Some("English"))],
        model: Some("small".to_owned()),
        temperature: Some(0.5),
        max_tokens: Some(100),
        stop: vec!["END".to_owned()],
        ..ContentInput::default()
    }
}

async fn check(input: &ContentInput) -> Result<PromptContent, Vec<(String, &'static str)>> {
    let mut violations = Violations::default();
    let told = |violations: &Violations| violations.iter().map(|one| (one.field.clone(), one.rule)).collect();
    let untried = input.check(&mut violations).ok_or_else(|| told(&violations))?;
    untried.tried(&PlainTemplates).await.map_err(|error| match error {
        Error::Invalid(violations) => told(&violations),
        other => panic!("{other:?}"),
    })
}

async fn told(content: &PromptContent, values: &Value) -> Result<Vec<(Role, String)>, Error> {
    let values: Map<String, Value> = values.as_object().cloned().unwrap_or_default();
    let rendered = render(&PlainTemplates, content, &values).await?;
    let said = rendered.request.messages.iter();
    Ok(said.map(|message| (message.role, message.texts().collect())).collect())
}

#[tokio::test]
async fn a_model_is_told_rules_then_examples_then_the_question() {
    let content = check(&input()).await.unwrap();
    let told = told(&content, &json!({ "title": "{{ language }} lamp" })).await.unwrap();
    let expected = [
        (Role::System, "Write in English."),
        (Role::User, "Sell a pen!"),
        (Role::Assistant, "A pen."),
        (Role::User, "Sell {{ language }} lamp!"),
    ];
    assert_eq!(told, expected.map(|(role, text)| (role, text.to_owned())), "a value is no template");
    let values = Map::from_iter([("title".to_owned(), json!("lamp"))]);
    let rendered = render(&PlainTemplates, &content, &values).await.unwrap();
    let request = &rendered.request;
    assert_eq!(
        (request.temperature, request.max_tokens, request.stop.as_slice()),
        (Some(0.5), Some(100), &["END".to_owned()][..])
    );
    assert_eq!((rendered.model.as_deref(), &request.format), (Some("small"), &ResponseFormat::Text));
    assert!(rendered.tokens > 10, "{}", rendered.tokens);
}

#[tokio::test]
async fn steps_are_asked_for_before_the_examples() {
    let reasoning = ReasoningInput { has_steps: Some(true), asked: Some("Weigh it.".to_owned()), marker: None };
    let content = check(&ContentInput { reasoning, ..input() }).await.unwrap();
    let told = told(&content, &json!({ "title": "lamp" })).await.unwrap();
    assert_eq!(told[1].0, Role::System);
    assert!(told[1].1.starts_with("Weigh it.\n") && told[1].1.contains("### Answer"), "{}", told[1].1);
    assert_eq!(told.len(), 5);
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_told_and_nothing_is_made() {
    let content = check(&input()).await.unwrap();
    let refused = told(&content, &json!({ "language": 7, "colour": "red" })).await.unwrap_err();
    let Error::Invalid(violations) = refused else { panic!("{refused:?}") };
    let fields: Vec<_> = violations.iter().map(|one| (one.field.as_str(), one.rule)).collect();
    let expected =
        [("/variables/title", "required"), ("/variables/language", "string"), ("/variables/colour", "unknown")];
    assert_eq!(fields, expected);
}

async fn faults_of_templates(input: &ContentInput) -> Violations {
    let untried = input.check(&mut Violations::default()).unwrap();
    match untried.tried(&PlainTemplates).await {
        Err(Error::Invalid(violations)) => violations,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_template_names_must_be_declared() {
    let mut odd = input();
    odd.messages[1] = says(SpokenBy::User, "A\n{{ title }} of {{ brand }}");
    let violations = faults_of_templates(&odd).await;
    let told = violations.iter().next().unwrap();
    assert_eq!((told.field.as_str(), told.rule), ("/messages/1/template", "unknown_variable"));
    assert!(told.message.starts_with("line 2: names brand,"), "{}", told.message);
    odd.messages[1] = says(SpokenBy::User, "\n\n{{ title ");
    let violations = faults_of_templates(&odd).await;
    assert_eq!(violations.iter().next().unwrap().message, "line 3: is not closed");
}

#[tokio::test]
async fn every_other_fault_of_a_version_is_told() {
    let faults = |change: &dyn Fn(&mut ContentInput)| {
        let (mut odd, mut violations) = (input(), Violations::default());
        change(&mut odd);
        assert_eq!(odd.check(&mut violations), None);
        violations.iter().map(|one| (one.field.clone(), one.rule)).collect::<Vec<_>>()
    };
    let one = |field: &str, rule| vec![(field.to_owned(), rule)];
    assert_eq!(faults(&|odd| odd.messages.clear()), one("/messages", "max_items"));
    assert_eq!(faults(&|odd| odd.messages = vec![SpokenInput::default(); 21]), one("/messages", "max_items"));
    assert_eq!(faults(&|odd| odd.messages.push(says(SpokenBy::Assistant, "So?"))), one("/messages", "order"));
    assert_eq!(faults(&|odd| odd.messages.push(says(SpokenBy::System, "So!"))), one("/messages", "order"));
    assert_eq!(faults(&|odd| odd.messages[0].role = None), one("/messages/0/role", "required"));
    assert_eq!(
        faults(&|odd| odd.messages[0].template = Some("x".repeat(20_001))),
        one("/messages/0/template", "max_length")
    );
    assert_eq!(faults(&|odd| odd.examples[0].assistant = None), one("/examples/0/assistant", "required"));
    assert_eq!(faults(&|odd| odd.variables.push(variable("title", None))), one("/variables/2/name", "unique"));
    assert_eq!(faults(&|odd| odd.temperature = Some(f64::NAN)), one("/temperature", "range"));
    assert_eq!(faults(&|odd| odd.top_p = Some(1.1)), one("/topP", "range"));
    assert_eq!(faults(&|odd| odd.max_tokens = Some(0)), one("/maxTokens", "range"));
    assert_eq!(faults(&|odd| odd.stop = vec![String::new()]), one("/stop/0", "min_length"));
    assert_eq!(faults(&|odd| odd.stop = vec!["a".to_owned(); 5]), one("/stop", "max_items"));
    let json = |schema: Option<Value>| AnswerFormInput {
        is_json: Some(true),
        schema: schema.and_then(|schema| schema.as_object().cloned()),
        strict: None,
    };
    assert_eq!(faults(&|odd| odd.answer = json(None)), one("/answer/schema", "required"));
    assert_eq!(faults(&|odd| odd.answer = json(Some(json!({ "type": "array" })))), one("/answer/schema/type", "enum"));
    assert_eq!(faults(&|odd| odd.answer.strict = Some(true)), one("/answer/schema", "consistent"));
    assert_eq!(faults(&|odd| odd.reasoning.marker = Some("#".to_owned())), one("/reasoning/form", "consistent"));
    assert_eq!(
        faults(
            &|odd| odd.reasoning = ReasoningInput { has_steps: Some(true), marker: Some(" ".to_owned()), asked: None }
        ),
        one("/reasoning/marker", "min_length")
    );
    let rules = ContentInput { messages: vec![says(SpokenBy::System, "Be brief.")], ..ContentInput::default() };
    assert!(!check(&rules).await.unwrap().asks(), "rules alone are for conversations");
}
