//! The wiring of the assistant: who runs its models, and the ledger that its calls are written to.

mod batches;
mod ledger;
mod terms;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use api::Assistance;
use credentials::Seal;
use domain::{
    Error, Result,
    assistant::{Assistant, Counts, Deployment, Embedding, Model, Models, kept::KeptAnswers, prompts::Prompts},
    limit::Policy,
};
use integrations::{
    client::{CallSettings, HttpClient},
    llm::{LiveKeys, ModelCalls},
    prompts::JinjaTemplates,
};
use ledger::GroupLedger;
use platform::Tiktoken;

pub(crate) use batches::carrier;
pub(crate) use terms::{TOLD_BY, terms_worker};

use crate::{
    config::{Config, ModelSettings},
    foundation::Foundation,
    nodes::Nodes,
    outside,
    workers::Workers,
};

/// Connections to a provider that are kept for the next call.
const IDLE: usize = 512;

/// What the doors stand on; what writes the ledger is started.
///
/// # Errors
/// For certificates that cannot be read, and for providers that do not do what is wanted of them.
pub(crate) fn assistance(
    config: &Config,
    foundation: &Foundation,
    nodes: &Nodes,
    workers: &mut Workers,
) -> Result<Assistance> {
    let settings = &config.assistant;
    let longest = settings.providers.values().map(|provider| provider.whole).max().unwrap_or_default();
    let store = foundation.database.ledger();
    let clock = Arc::clone(&foundation.shop.clock);
    let ledger = GroupLedger::new(store, clock, settings.reserves);
    if !settings.models.is_empty() {
        let ledger = ledger.clone();
        workers.start("assistant_ledger", move |stop| ledger.clone().run(stop));
    }
    let client = HttpClient::new(CallSettings {
        connect: settings.connect,
        // Each provider has its own times; a whole answer begins when it is done.
        head: longest,
        whole: longest,
        redirects: 0,
        idle: IDLE,
        near: true,
        ..outside::calls(config)?
    })?;
    let keys = settings.providers.values().map(|provider| (provider.name.clone(), provider.key.clone()));
    let keys = Arc::new(LiveKeys::new(keys));
    let terms = terms::keeper(settings, foundation, Arc::clone(&keys));
    let calls = ModelCalls { client, dependencies: Arc::clone(&foundation.dependencies), keys };
    let assistant = Assistant {
        models: Arc::new(models(config, &calls)?),
        terms: Arc::clone(&terms.standing),
        ledger: Arc::new(ledger),
        limiter: Arc::clone(&nodes.limiter),
        again_after: settings.again_after,
        kept: kept(config, foundation, nodes),
    };
    let spending = foundation.database.spending();
    let templates = Arc::new(JinjaTemplates::default());
    let prompts = Prompts { queries: foundation.database.prompts(), templates };
    let (body_limit, currency) = (settings.body_limit, settings.currency);
    let (batches, batch_rules) = (foundation.database.batches(), settings.batches);
    Ok(Assistance { assistant, body_limit, terms, prompts, spending, currency, batches, batch_rules })
}

/// What keeps answers, if it is wanted.
pub(crate) fn kept(config: &Config, foundation: &Foundation, nodes: &Nodes) -> Option<KeptAnswers> {
    let (answers, store) = (config.assistant.answers?, nodes.answers.clone()?);
    let sealer = Arc::<Seal>::clone(&foundation.seal);
    Some(KeptAnswers { store, sealer, when: answers.when, fresh: answers.fresh, longest: answers.longest() })
}

fn models(config: &Config, calls: &ModelCalls) -> Result<Models> {
    let mut models = Models { chat: BTreeMap::new(), embeddings: BTreeMap::new() };
    for settings in &config.assistant.models {
        let provider = |name: &String| {
            let found = config.assistant.providers.get(name);
            found.ok_or_else(|| Error::internal(format!("there is no provider {name}")))
        };
        let Some(dimension) = settings.dimension else {
            let mut deployments = Vec::new();
            for (name, there) in &settings.deployments {
                let model = calls.model(provider(name)?, there)?;
                deployments.push(Deployment { name: format!("{name}/{there}"), model });
            }
            models.chat.insert(settings.name.clone(), model(settings, deployments));
            continue;
        };
        for (name, there) in &settings.deployments {
            let embedder = calls.embedder(provider(name)?, there, dimension)?;
            let (model, deployment) = (settings.name.clone(), format!("{name}/{there}"));
            let (window, counts) = (settings.window, counts(settings));
            let embedding = Embedding { name: model.clone(), deployment, embedder, window, counts };
            models.embeddings.insert(model, embedding);
        }
    }
    Ok(models)
}

fn model(settings: &ModelSettings, deployments: Vec<Deployment>) -> Model {
    let policy = |scope: &str, limit: u32| {
        let name = format!("assistant:{}:{scope}", settings.name).into();
        (limit > 0).then(|| Policy { name, limit, window: Duration::from_mins(1), patience: Duration::ZERO })
    };
    let limits = [policy("all", settings.per_minute), policy("user", settings.per_minute_and_user)];
    Model {
        name: settings.name.clone(),
        deployments,
        when_too_long: settings.when_too_long.clone(),
        when_withheld: settings.when_withheld.clone(),
        window: settings.window,
        max_output: settings.max_output,
        limits: limits.into_iter().flatten().collect(),
        counts: counts(settings),
    }
}

/// How it counts tokens, where that is known.
fn counts(settings: &ModelSettings) -> Option<Counts> {
    settings.tokenizer.map(|by| -> Counts { Arc::new(Tiktoken::new(by)) })
}
