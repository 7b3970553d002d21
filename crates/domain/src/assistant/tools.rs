//! Tools over the marketplace: what a model, or a program that speaks for somebody, may have done. A tool is no door of its own: it calls
//! the use cases and reads with the scope of whoever asks, so nobody gets by it what they would not get by themselves. What is to be
//! written is proposed first, with a word by which it is confirmed.

mod arguments;
mod catalogue;
mod confirmation;
mod draft;
mod read;
mod view;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::{Map, Value};

use self::{
    arguments::Field,
    catalogue::{TOOLS, Task},
};
use super::Tool;
use crate::{
    Shop,
    actor::Actor,
    catalog::{ports::CategoryQueries, similar::Finder},
    clock::Timestamp,
    error::{Error, Result},
    permission::{Permission as _, WriteProducts},
    secrets::Mac,
};

/// The names of all tools, in the order they are listed.
pub const NAMES: [&str; 5] =
    ["search_products", "read_product", "list_similar_products", "list_own_products", "draft_listing"];

/// What is said of a tool to whoever may use it.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it does, for a model.
    pub description: &'static str,
    /// The JSON Schema of its arguments.
    pub parameters: Value,
    /// Whether it writes: then it only proposes, until it is confirmed.
    pub writes: bool,
}

impl From<&Spec> for Tool {
    fn from(spec: &Spec) -> Self {
        Self {
            name: spec.name.to_owned(),
            description: spec.description.to_owned(),
            parameters: spec.parameters.clone(),
            strict: false,
        }
    }
}

/// What would be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The tool.
    pub tool: &'static str,
    /// What would be done, for the person who is asked.
    pub summary: String,
    /// What it would be done with.
    pub arguments: Map<String, Value>,
    /// The word by which it is confirmed: of this person, this tool and these arguments alone, and good once.
    pub confirmation: String,
    /// Until when that word is good.
    pub expires_at: Timestamp,
}

/// What came of a call.
#[derive(Debug)]
pub enum Outcome {
    /// It was done; this is what was found or made.
    Done(Value),
    /// Nothing was done yet.
    Proposed(Proposal),
    /// Nothing was done, for this reason, which may be told to whoever called. Faults of ours are no outcome.
    Refused(Error),
}

/// The tools of a shop. Cheap to clone.
#[derive(Clone)]
pub struct Toolbox {
    /// Runs commands.
    pub shop: Shop,
    /// Finds and reads products.
    pub finder: Finder,
    /// Reads categories.
    pub categories: Arc<dyn CategoryQueries>,
    /// Makes confirmations that nobody else can make.
    pub mac: Arc<dyn Mac>,
}

impl std::fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Toolbox").finish_non_exhaustive()
    }
}

/// A tool, as it stands in the catalogue.
#[derive(Debug)]
struct Entry {
    task: Task,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    fields: &'static [Field],
}

impl Entry {
    fn named(name: &str) -> Result<&'static Self> {
        TOOLS.iter().find(|tool| tool.name == name).ok_or(Error::NotFound("Tool"))
    }
}

impl Toolbox {
    /// The tools that this caller may use.
    pub fn specs(&self, actor: &Actor) -> Vec<Spec> {
        let sells = actor.principal().is_some_and(|who| who.permissions.has(WriteProducts::SET));
        let open = TOOLS.iter().filter(|tool| sells || !tool.task.is_for_sellers());
        let spec = |tool: &Entry| Spec {
            name: tool.name,
            title: tool.title,
            description: tool.description,
            parameters: arguments::schema(tool.fields, &self.shop.rules),
            writes: tool.task.writes(),
        };
        open.map(spec).collect()
    }

    /// Calls a tool for somebody. One that writes gives a proposal.
    ///
    /// # Errors
    /// Faults of ours alone; what the caller can be told is [`Outcome::Refused`].
    pub async fn call(&self, actor: &Actor, name: &str, arguments: &Value) -> Result<Outcome> {
        refused(self.run(actor, name, arguments, None).await)
    }

    /// Does what was proposed to this caller, with the same tool and the same arguments. Confirmed again, it is not done again: the answer
    /// is the one of before.
    ///
    /// # Errors
    /// Those of [`Toolbox::call`].
    pub async fn confirm(&self, actor: &Actor, name: &str, arguments: &Value, confirmation: &str) -> Result<Outcome> {
        refused(self.run(actor, name, arguments, Some(confirmation)).await)
    }

    async fn run(&self, actor: &Actor, name: &str, arguments: &Value, confirmation: Option<&str>) -> Result<Outcome> {
        let tool = Entry::named(name)?;
        if tool.task.is_for_sellers() {
            // Before the arguments: who may not use it is not told what is wrong with them.
            actor.authorize::<WriteProducts>()?;
        }
        let given = arguments::read(tool.fields, arguments)?;
        if confirmation.is_some() && !tool.task.writes() {
            return Err(Error::invalid("/confirmation", "unknown", "is for tools that write; this one only reads"));
        }
        let done = match tool.task {
            Task::Search => self.search(actor, &given).await?,
            Task::Read => self.read(actor, &given).await?,
            Task::Similar => self.similar(actor, &given).await?,
            Task::Own => self.own(actor, &given).await?,
            Task::Draft => return self.draft(actor, tool, &given, confirmation).await,
        };
        Ok(Outcome::Done(done))
    }
}

/// What the caller can be told is an outcome; what they cannot mend is a fault.
fn refused(done: Result<Outcome>) -> Result<Outcome> {
    match done {
        Err(error @ (Error::Internal(_) | Error::Unavailable { .. } | Error::Transient(_) | Error::Full(_))) => {
            Err(error)
        }
        Err(error) => Ok(Outcome::Refused(error)),
        done => done,
    }
}

/// A refusal in words: for a model, and for people.
pub fn words(refusal: &Error) -> String {
    match refusal {
        Error::Invalid(violations) => format!("{refusal}: {violations}"),
        other => other.to_string(),
    }
}
