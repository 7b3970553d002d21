//! The doors of this protocol for the lines of a batch: they are read and answered as if each had come by itself.

use std::time::Duration;

use actix_web::{http::StatusCode, web::Bytes};
use async_trait::async_trait;
use domain::{
    Authorized, Principal, Shop,
    assistant::{
        Assistant, CallKind, Denied,
        batches::{Endpoint, LineFault, Said, ports::LineDoor, spare},
        kept::{Looked, Question, Wishes, look},
    },
    permission::UseAssistant,
};
use serde_json::{Map, Value};

use super::{chat, embeddings, errors, request};
use crate::problem::Problem;

/// Answers lines.
#[derive(Clone)]
pub struct Lines {
    /// Calls models.
    pub assistant: Assistant,
    /// Where time and ids come from.
    pub shop: Shop,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lines(..)")
    }
}

/// A line that was read.
enum Asked {
    Chat(Box<request::Asked>),
    Texts(embeddings::Texts),
}

impl Asked {
    fn model(&self) -> &str {
        match self {
            Self::Chat(asked) => &asked.model,
            Self::Texts(asked) => &asked.model,
        }
    }
}

/// Why a line has no answer.
enum Not {
    Read(Problem),
    Denied(Denied),
}

impl Lines {
    fn read(&self, endpoint: Endpoint, body: &Map<String, Value>) -> Result<Asked, Problem> {
        match endpoint {
            Endpoint::Chat => {
                let asked = request::read(body.clone())?;
                if asked.streams {
                    return Err(errors::invalid("stream", "must be false: nobody reads the answer as it is said"));
                }
                Ok(Asked::Chat(Box::new(asked)))
            }
            Endpoint::Embeddings => embeddings::read(&self.assistant, body).map(Asked::Texts),
        }
    }

    /// Whether there is a model of this name that does this, for this caller.
    fn may_ask(&self, by: &Principal, asked: &Asked) -> Result<(), Denied> {
        let (models, name) = (&self.assistant.models, asked.model());
        let is_known = match asked {
            Asked::Chat(_) => models.chat.contains_key(name),
            Asked::Texts(_) => models.embeddings.contains_key(name),
        };
        match (is_known, by.may_ask(name)) {
            (true, true) => Ok(()),
            (true, false) => Err(Denied::NotForKey(name.to_owned())),
            (false, _) => Err(Denied::UnknownModel(name.to_owned())),
        }
    }

    async fn answer(
        &self,
        by: &Authorized<UseAssistant>,
        endpoint: Endpoint,
        id: &str,
        body: &Map<String, Value>,
    ) -> Result<(Bytes, domain::assistant::Usage), Not> {
        let (assistant, shop) = (&self.assistant, &self.shop);
        let asked = self.read(endpoint, body).map_err(Not::Read)?;
        let (kind, can_be_kept) = match &asked {
            Asked::Chat(asked) => (CallKind::Chat, chat::can_be_kept(&asked.request)),
            Asked::Texts(_) => (CallKind::Embedding, true),
        };
        let question = Question { kind, model: asked.model(), body };
        let looked = look(assistant, shop, by, id, question, Wishes::default(), can_be_kept).await;
        let keeping = match looked.map_err(Not::Denied)? {
            // What it used was used when it was made.
            Looked::Hit { answer, .. } => return Ok((answer.body, domain::assistant::Usage::default())),
            Looked::Ask { keeping, .. } => keeping,
            Looked::Off => None,
        };
        if let Some(after) = spare(assistant, by.principal().user, asked.model()).await {
            return Err(Not::Denied(Denied::Limited(after)));
        }
        let made = match asked {
            Asked::Chat(asked) => chat::make(assistant, shop, by, id, *asked, keeping).await,
            Asked::Texts(asked) => embeddings::make(assistant, shop, by, id, &asked, keeping).await,
        };
        made.map(|made| (made.body, made.usage)).map_err(Not::Denied)
    }

    /// What a refusal means for a line.
    fn refused(&self, why: Denied) -> Said {
        let now = self.shop.now();
        let after = match &why {
            Denied::Limited(after) => Some(*after),
            Denied::Budget(refusal) => Some((refusal.ends_at - now).to_std().unwrap_or_default()),
            Denied::Fault(fault) => fault.retry_after,
            _ => None,
        };
        said(&errors::denied(why, now), after)
    }
}

fn said(problem: &Problem, after: Option<Duration>) -> Said {
    let status = problem.status();
    let body = String::from_utf8_lossy(&errors::body(problem)).into_owned();
    let is_passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    let status = status.as_u16();
    match after {
        Some(after) if is_passing => Said::Later { after, status, body },
        None if is_passing => Said::Failed { status, body },
        _ => Said::Refused { status, body },
    }
}

fn fault(problem: &Problem) -> LineFault {
    let detail = |name: &str| problem.details().get(name).and_then(Value::as_str).map(str::to_owned);
    let code = detail("code").unwrap_or_else(|| problem.code().to_lowercase());
    LineFault { code, message: problem.message().to_owned(), line: None, param: detail("param") }
}

#[async_trait]
impl LineDoor for Lines {
    fn check(&self, by: &Principal, endpoint: Endpoint, body: &Map<String, Value>) -> Result<(), LineFault> {
        let asked = self.read(endpoint, body).map_err(|problem| fault(&problem))?;
        self.may_ask(by, &asked).map_err(|why| fault(&errors::denied(why, self.shop.now())))
    }

    async fn ask(
        &self,
        by: &Authorized<UseAssistant>,
        endpoint: Endpoint,
        request_id: &str,
        body: Map<String, Value>,
    ) -> Said {
        match self.answer(by, endpoint, request_id, &body).await {
            Ok((body, usage)) => match serde_json::from_slice::<Value>(&body) {
                // However its provider wrote it, it is one line here.
                Ok(body) => Said::Answer { body: body.to_string(), usage },
                Err(_) => self.refused(Denied::Fault(domain::assistant::Fault::new(
                    domain::assistant::FaultClass::InvalidAnswer,
                    "The provider's answer is no JSON",
                ))),
            },
            Err(Not::Read(problem)) => said(&problem, None),
            Err(Not::Denied(why)) => self.refused(why),
        }
    }
}
