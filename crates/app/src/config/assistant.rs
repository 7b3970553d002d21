//! `[assistant]`: language models, who runs them, what they cost and how much may be spent.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    assistant::{Budget, BudgetBy, BudgetSpan, Price, Tokenizer, batches::BatchRules, kept::KeepWhen, read_amount},
    clock::Timestamp,
    money::Currency,
};
use integrations::llm::{Protocol, ProviderSettings};

use super::{
    Reader, Setting,
    family::{Family, Field},
    oauth,
};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "assistant.ledger",
        "before",
        "When a call of a model is written down: before it is made, or after, which is faster and keeps no budget.",
    ),
    Setting::new("assistant.currency", "USD", "The currency of prices and budgets of the assistant."),
    Setting::new("assistant.connect_seconds", "5", "How long a connection to a provider may take."),
    Setting::new(
        "assistant.again_after_ms",
        "500",
        "After which pause all deployments of a model are asked once more when none answered; 0 asks none again.",
    ),
    Setting::new("assistant.body_limit", "16777216", "Most bytes of a question, 1 KiB to 64 MiB."),
    Setting::new("assistant.keep_days", "400", "How long calls and what was spent are kept; 0 keeps them for ever."),
    Setting::new(
        "assistant.answers",
        "off",
        "Whether answers of /v1 are kept for whoever asks the same again: off, asked (when Cache-Control says max-age) or always.",
    ),
    Setting::new("assistant.answers_seconds", "86400", "For how long an answer is kept."),
    Setting::new(
        "assistant.answers_bytes",
        "67108864",
        "Most bytes of all answers that are kept, in this process or in Redis; one has an eighth of it and 1 MiB at most.",
    ),
    Setting::new("assistant.batch_file_bytes", "33554432", "Most bytes of a file of questions, 1 KiB to 1 GiB."),
    Setting::new("assistant.batch_lines", "10000", "Most lines of a batch of questions, 1 to 100000."),
    Setting::new("assistant.batch_at_once", "4", "Most lines of one batch that are asked at once, 1 to 64."),
    Setting::new(
        "assistant.batch_keep_days",
        "30",
        "How long batches of questions and their files are kept; 0 keeps them for ever.",
    ),
    Setting::new(
        "assistant.search_embedding",
        "",
        "The model of the assistant that makes the vectors of search, in place of the one that comes with the program.",
    ),
];

/// What is left for a call to be settled once its time is over.
const MARGIN: Duration = Duration::from_mins(2);

/// Who runs models.
pub(super) const PROVIDERS: Family = Family {
    section: "assistant.providers.",
    variables: "SOUK__ASSISTANT__PROVIDERS__",
    fields: &[
        Field::new("protocol", ""),
        Field::new("url", ""),
        Field::secret("key"),
        Field::new("first_seconds", "60"),
        Field::new("whole_seconds", "600"),
    ],
};

/// The models, as callers know them.
pub(super) const MODELS: Family = Family {
    section: "assistant.models.",
    variables: "SOUK__ASSISTANT__MODELS__",
    fields: &[
        Field::new("name", ""),
        Field::new("deployments", ""),
        Field::new("when_too_long", ""),
        Field::new("when_withheld", ""),
        Field::new("window", "128000"),
        Field::new("max_output", "4096"),
        Field::new("dimension", ""),
        Field::new("tokenizer", ""),
        Field::new("per_minute", "0"),
        Field::new("per_minute_and_user", "0"),
    ],
};

/// What they cost.
pub(super) const PRICES: Family = Family {
    section: "assistant.prices.",
    variables: "SOUK__ASSISTANT__PRICES__",
    fields: &[
        Field::new("deployment", ""),
        Field::new("from", "1970-01-01T00:00:00Z"),
        Field::new("until", ""),
        Field::new("input", ""),
        Field::new("cached", ""),
        Field::new("output", "0"),
        Field::new("reasoning", ""),
    ],
};

/// How much may be spent.
pub(super) const BUDGETS: Family = Family {
    section: "assistant.budgets.",
    variables: "SOUK__ASSISTANT__BUDGETS__",
    fields: &[
        Field::new("by", "user"),
        Field::new("span", "month"),
        Field::new("model", ""),
        Field::new("cost", ""),
        Field::new("tokens", ""),
        Field::new("calls", ""),
    ],
};

/// A model, as it is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModelSettings {
    /// The section it stands in.
    pub(crate) section: String,
    pub(crate) name: String,
    /// Each the name of a provider and of a model there.
    pub(crate) deployments: Vec<(String, String)>,
    pub(crate) when_too_long: Option<String>,
    pub(crate) when_withheld: Option<String>,
    pub(crate) window: u64,
    pub(crate) max_output: u32,
    /// Of how many numbers its vectors are, if it makes vectors.
    pub(crate) dimension: Option<usize>,
    /// How it counts tokens, if that is known.
    pub(crate) tokenizer: Option<Tokenizer>,
    pub(crate) per_minute: u32,
    pub(crate) per_minute_and_user: u32,
}

/// Which answers are kept, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answers {
    pub(crate) when: KeepWhen,
    pub(crate) fresh: Duration,
    /// Most bytes of all of them.
    pub(crate) most: u64,
}

impl Answers {
    /// The most bytes of one: so that one does not push out many.
    pub(crate) fn longest(self) -> usize {
        usize::try_from(self.most / 8).unwrap_or(usize::MAX).min(1024 * 1024)
    }
}

/// Language models.
#[derive(Debug, Clone)]
pub(crate) struct Assistance {
    /// Whether calls are written down before they are made.
    pub(crate) reserves: bool,
    pub(crate) currency: Currency,
    pub(crate) connect: Duration,
    pub(crate) again_after: Option<Duration>,
    pub(crate) body_limit: usize,
    pub(crate) keep: Option<Duration>,
    /// Which answers are kept, if any are.
    pub(crate) answers: Option<Answers>,
    /// The bounds of batches of questions.
    pub(crate) batches: BatchRules,
    /// What makes the vectors of search, if it is not the model that comes with the program.
    pub(crate) search_embedding: Option<String>,
    pub(crate) providers: BTreeMap<String, ProviderSettings>,
    pub(crate) models: Vec<ModelSettings>,
    pub(crate) prices: Vec<Price>,
    pub(crate) budgets: Vec<Budget>,
}

impl Assistance {
    /// After how long a call is lost that was not heard of: none goes on for so long.
    pub(crate) fn lost_after(&self) -> Duration {
        self.providers.values().map(|provider| provider.whole).max().unwrap_or_default() + MARGIN
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let reserves = reader.one_of("assistant.ledger", &[("before", true), ("after", false)]);
        let named = reader.text("assistant.currency");
        let Some(currency) = Currency::named(&named) else {
            reader.fault("assistant.currency", format!("must be a currency of ISO 4217, is {named:?}"));
            return None;
        };
        let connect = reader.seconds("assistant.connect_seconds", 1..=60);
        let again = reader.millis("assistant.again_after_ms", 0..=5_000);
        let body_limit = reader.number("assistant.body_limit", 1024..=64 * 1024 * 1024);
        let days = reader.number("assistant.keep_days", 0..=36_500_u64);
        let (answers, batches) = (answers(reader), batches(reader, body_limit));
        let providers = self::named(reader, |key| PROVIDERS.named(key), provider);
        let models = self::named(reader, |key| MODELS.named(key), model);
        let prices = self::named(reader, |key| PRICES.named(key), price);
        let budgets = self::named(reader, |key| BUDGETS.named(key), budget);
        let providers = providers?.into_iter().map(|one| (one.name.clone(), one)).collect();
        let read = Self {
            reserves: reserves?,
            currency,
            connect: connect?,
            again_after: Some(again?).filter(|pause| !pause.is_zero()),
            body_limit: body_limit?,
            keep: Some(days?).filter(|days| *days > 0).map(|days| Duration::from_hours(24 * days)),
            answers: answers?,
            batches: batches?,
            search_embedding: Some(reader.text("assistant.search_embedding")).filter(|name| !name.is_empty()),
            providers,
            models: models?,
            prices: prices?,
            budgets: budgets?,
        };
        read.is_whole(reader).then_some(read)
    }

    /// Whether whatever is named is there.
    fn is_whole(&self, reader: &mut Reader<'_>) -> bool {
        let mut faults = Vec::new();
        for model in &self.models {
            let key = |field: &str| format!("assistant.models.{}.{field}", model.section);
            for (provider, _) in &model.deployments {
                if !self.providers.contains_key(provider) {
                    faults.push((key("deployments"), format!("there is no [assistant.providers.{provider}]")));
                }
            }
            for (field, other) in [("when_too_long", &model.when_too_long), ("when_withheld", &model.when_withheld)] {
                if let Some(other) = other.as_ref().filter(|other| !self.models.iter().any(|one| one.name == **other)) {
                    faults.push((key(field), format!("there is no model {other:?}")));
                }
            }
        }
        if let Some(name) = &self.search_embedding
            && !self.models.iter().any(|model| model.name == *name && model.dimension.is_some())
        {
            let fault = format!("there is no model {name:?} that makes vectors: it has a dimension");
            faults.push(("assistant.search_embedding".to_owned(), fault));
        }
        if !self.reserves && !self.budgets.is_empty() {
            faults.push(("assistant.ledger".to_owned(), "must be before, or no budget can be kept".to_owned()));
        }
        for (key, fault) in &faults {
            reader.fault(key, fault.as_str());
        }
        faults.is_empty()
    }
}

#[expect(clippy::option_option, reason = "nothing could be read, or it says that none are kept")]
fn answers(reader: &mut Reader<'_>) -> Option<Option<Answers>> {
    let words = [("off", None), ("asked", Some(KeepWhen::Asked)), ("always", Some(KeepWhen::Always))];
    let when = reader.one_of("assistant.answers", &words);
    let fresh = reader.seconds("assistant.answers_seconds", 1..=30 * 86_400);
    let most = reader.number("assistant.answers_bytes", 64 * 1024..=1 << 40);
    let (fresh, most) = (fresh?, most?);
    Some(when?.map(|when| Answers { when, fresh, most }))
}

/// What stands around a question in a line of a batch.
const AROUND_A_LINE: usize = 64 * 1024;

fn batches(reader: &mut Reader<'_>, body_limit: Option<usize>) -> Option<BatchRules> {
    let file_bytes = reader.number("assistant.batch_file_bytes", 1024..=1 << 30);
    let lines = reader.number("assistant.batch_lines", 1..=100_000);
    let at_once = reader.number("assistant.batch_at_once", 1..=64);
    let days = reader.number("assistant.batch_keep_days", 0..=36_500_u64);
    let keep = Some(days?).filter(|days| *days > 0).map(|days| Duration::from_hours(24 * days));
    let line_bytes = body_limit? + AROUND_A_LINE;
    Some(BatchRules { file_bytes: file_bytes?, lines: lines?, line_bytes, at_once: at_once?, keep })
}

fn named<T>(
    reader: &mut Reader<'_>,
    of: fn(&str) -> Option<&str>,
    read: fn(&mut Reader<'_>, &str) -> Option<T>,
) -> Option<Vec<T>> {
    let names = reader.names(of);
    let all: Vec<_> = names.iter().map(|name| read(reader, name)).collect();
    all.into_iter().collect()
}

fn provider(reader: &mut Reader<'_>, name: &str) -> Option<ProviderSettings> {
    let key = |field: &str| format!("assistant.providers.{name}.{field}");
    let protocols = [
        ("openai", Protocol::OpenAi),
        ("compatible", Protocol::Compatible),
        ("anthropic", Protocol::Anthropic),
        ("gemini", Protocol::Gemini),
        ("ollama", Protocol::Ollama),
    ];
    let protocol = reader.one_of(&key("protocol"), &protocols)?;
    let url = oauth::address(reader, &key("url"))?;
    let Some(base) = url.or_else(|| protocol.usual_base().map(str::to_owned)) else {
        reader.fault(&key("url"), "must be set: where the provider is, such as http://127.0.0.1:11434/v1");
        return None;
    };
    let first = reader.seconds(&key("first_seconds"), 1..=3600);
    let whole = reader.seconds(&key("whole_seconds"), 1..=3600);
    let secret = reader.text(&key("key"));
    Some(ProviderSettings { name: name.to_owned(), protocol, base, key: secret, first: first?, whole: whole? })
}

fn model(reader: &mut Reader<'_>, section: &str) -> Option<ModelSettings> {
    let key = |field: &str| format!("assistant.models.{section}.{field}");
    let said = reader.text(&key("name"));
    let name = if said.is_empty() { section.to_owned() } else { said };
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if name.len() > 100 || !name.chars().all(fits) {
        reader.fault(&key("name"), "must have at most 100 letters, digits, dashes, underscores, dots and colons");
        return None;
    }
    let split = |one: &String| {
        let (provider, model) = one.split_once('/')?;
        (!provider.is_empty() && !model.is_empty()).then(|| (provider.to_owned(), model.to_owned()))
    };
    let deployments: Option<Vec<_>> = reader.list(&key("deployments")).iter().map(split).collect();
    let Some(deployments) = deployments.filter(|all| !all.is_empty()) else {
        reader.fault(&key("deployments"), "must name providers and their models, such as openai/gpt-4o-mini");
        return None;
    };
    let other = |reader: &Reader<'_>, field: &str| Some(reader.text(&key(field))).filter(|name| !name.is_empty());
    let (when_too_long, when_withheld) = (other(reader, "when_too_long"), other(reader, "when_withheld"));
    let window = reader.number(&key("window"), 16..=100_000_000);
    let max_output = reader.number(&key("max_output"), 1..=10_000_000);
    let dimension = match reader.text(&key("dimension")) {
        none if none.is_empty() => None,
        _ => Some(reader.number(&key("dimension"), 1..=100_000)?),
    };
    if dimension.is_some() && deployments.len() > 1 {
        reader.fault(&key("deployments"), "must be one: vectors of another model are no measure for these");
        return None;
    }
    let tokenizer = match reader.text(&key("tokenizer")) {
        usual if usual.is_empty() => known_tokenizer(&deployments),
        _ => reader.one_of(&key("tokenizer"), &TOKENIZERS)?,
    };
    let per_minute = reader.number(&key("per_minute"), 0..=1_000_000);
    let per_minute_and_user = reader.number(&key("per_minute_and_user"), 0..=1_000_000);
    Some(ModelSettings {
        section: section.to_owned(),
        name,
        deployments,
        when_too_long,
        when_withheld,
        window: window?,
        max_output: max_output?,
        dimension,
        tokenizer,
        per_minute: per_minute?,
        per_minute_and_user: per_minute_and_user?,
    })
}

/// The words for how a model counts tokens.
const TOKENIZERS: [(&str, Option<Tokenizer>); 3] =
    [("none", None), ("o200k_base", Some(Tokenizer::O200kBase)), ("cl100k_base", Some(Tokenizer::Cl100kBase))];

/// How the models behind a name count, if all do so alike.
fn known_tokenizer(deployments: &[(String, String)]) -> Option<Tokenizer> {
    let mut known = deployments.iter().map(|(_, model)| Tokenizer::of_model(model));
    let first = known.next()?;
    if known.all(|other| other == first) { first } else { None }
}

fn price(reader: &mut Reader<'_>, section: &str) -> Option<Price> {
    let key = |field: &str| format!("assistant.prices.{section}.{field}");
    let deployment = reader.text(&key("deployment"));
    if !deployment.contains('/') {
        reader
            .fault(&key("deployment"), "must be the name of a provider and a model there, such as openai/gpt-4o-mini");
        return None;
    }
    let from: Timestamp = reader.value(&key("from"))?;
    let until = match reader.text(&key("until")) {
        none if none.is_empty() => None,
        _ => Some(reader.value::<Timestamp>(&key("until"))?),
    };
    let input = amount(reader, &key("input"), 6)?;
    let output = amount(reader, &key("output"), 6)?;
    let or = |reader: &mut Reader<'_>, field: &str, usual: u64| {
        if reader.text(&key(field)).is_empty() { Some(usual) } else { amount(reader, &key(field), 6) }
    };
    let (cached, reasoning) = (or(reader, "cached", input)?, or(reader, "reasoning", output)?);
    Some(Price { deployment, from, until, input, cached, output, reasoning })
}

fn budget(reader: &mut Reader<'_>, name: &str) -> Option<Budget> {
    let key = |field: &str| format!("assistant.budgets.{name}.{field}");
    let by = reader.one_of(
        &key("by"),
        &[
            ("all", BudgetBy::All),
            ("user", BudgetBy::User),
            ("key", BudgetBy::Key),
            ("seller", BudgetBy::Seller),
            ("model", BudgetBy::Model),
        ],
    );
    let span = reader.one_of(
        &key("span"),
        &[
            ("second", BudgetSpan::Second),
            ("minute", BudgetSpan::Minute),
            ("hour", BudgetSpan::Hour),
            ("day", BudgetSpan::Day),
            ("week", BudgetSpan::Week),
            ("month", BudgetSpan::Month),
        ],
    );
    let model = Some(reader.text(&key("model"))).filter(|model| !model.is_empty());
    let is_set = |reader: &Reader<'_>, field: &str| !reader.text(&key(field)).is_empty();
    let cost = if is_set(reader, "cost") { Some(amount(reader, &key("cost"), 9)?) } else { None };
    let most = i64::MAX.unsigned_abs();
    let count = |reader: &mut Reader<'_>, field: &str| {
        if is_set(reader, field) { reader.number(&key(field), 0..=most).map(Some) } else { Some(None) }
    };
    let (tokens, calls) = (count(reader, "tokens")?, count(reader, "calls")?);
    if cost.is_none() && tokens.is_none() && calls.is_none() {
        reader.fault(&key("cost"), "must be set, or tokens, or calls: how much may be spent");
        return None;
    }
    Some(Budget { name: name.to_owned(), by: by?, subject: None, span: span?, model, cost, tokens, calls })
}

/// A decimal number, exactly, as whole parts of so many digits.
fn amount(reader: &mut Reader<'_>, key: &str, digits: usize) -> Option<u64> {
    let text = reader.text(key);
    let amount = read_amount(&text, digits);
    if amount.is_none() {
        reader
            .fault(key, format!("must be a decimal number with at most {digits} digits behind the point, is {text:?}"));
    }
    amount
}
