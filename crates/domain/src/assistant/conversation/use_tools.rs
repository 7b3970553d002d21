//! Using the tools that a model wants used, with no more than the person may do who asked, and asking it again with what came of them.

use serde_json::{Value, json};

use super::{Message, Outcome, Said, Talks, ToolUse, Turn};
use crate::{
    actor::Actor,
    assistant::{
        Denied, stream,
        tools::{self, Proposal},
    },
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

impl Turn {
    /// Uses the tools at these places of a message, and gives what came of each. What would be written is proposed and no more: the
    /// person confirms it, a model cannot.
    pub async fn use_tools(
        &self,
        talks: &Talks,
        by: &Authorized<UseAssistant>,
        message: &Message,
        places: &[usize],
    ) -> Vec<(usize, Outcome)> {
        let actor = Actor::Signed(by.principal().clone());
        let mut outcomes = Vec::with_capacity(places.len());
        for place in places {
            if let Some(Said::Tool(used)) = message.parts.get(*place) {
                outcomes.push((*place, outcome(talks, &actor, used).await));
            }
        }
        outcomes
    }

    /// Asks the model again, with what came of its tools; what it says next is another step of the message.
    ///
    /// # Errors
    /// Why not, for people.
    pub async fn ask_again(
        &mut self,
        talks: &Talks,
        shop: &Shop,
        by: &Authorized<UseAssistant>,
        request_id: &str,
        message: &Message,
    ) -> Result<(), String> {
        if self.rounds == 0 {
            let most = talks.rules.tool_rounds;
            return Err(format!("The model wanted tools used more than {most} times (tool_loop)"));
        }
        self.rounds -= 1;
        let mut request = self.request.clone();
        request.messages.extend(message.spoken());
        let asked = stream(&talks.assistant, shop, by, request_id, &self.model, request).await;
        self.words = asked.map_err(|why| words(&why))?;
        Ok(())
    }
}

async fn outcome(talks: &Talks, actor: &Actor, used: &ToolUse) -> Outcome {
    let Some(tools) = &talks.tools else { return Outcome::Refused("There are no tools".to_owned()) };
    let arguments = if used.arguments.trim().is_empty() { "{}" } else { used.arguments.as_str() };
    let Ok(arguments) = serde_json::from_str::<Value>(arguments) else {
        return Outcome::Refused("The arguments are not JSON".to_owned());
    };
    match tools.call(actor, &used.name, &arguments).await {
        Ok(tools::Outcome::Done(value)) => Outcome::Found(value),
        Ok(tools::Outcome::Proposed(proposal)) => Outcome::Found(proposed(&proposal)),
        Ok(tools::Outcome::Refused(error)) => Outcome::Refused(tools::words(&error)),
        Err(error) => {
            tracing::warn!(tool = used.name, %error, "a tool failed");
            Outcome::Refused("The tool failed; try again later".to_owned())
        }
    }
}

/// A proposal as the person is shown it.
fn proposed(proposal: &Proposal) -> Value {
    json!({
        "status": "proposed", "tool": proposal.tool, "summary": proposal.summary, "arguments": proposal.arguments,
        "confirmation": proposal.confirmation, "expiresAt": proposal.expires_at,
    })
}

fn words(denied: &Denied) -> String {
    match denied {
        Denied::Fault(fault) => format!("{} (provider_{})", fault.message, fault.class.name()),
        Denied::Budget(refusal) => format!("The budget '{}' has no room for the most this could use", refusal.budget),
        Denied::TooLong { .. } => {
            "What the tools gave is longer than the model reads (context_length_exceeded)".to_owned()
        }
        Denied::Limited(_) => "The model may not be asked so often".to_owned(),
        _ => "The model could not be asked again".to_owned(),
    }
}
