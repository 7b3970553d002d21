//! Templates in their plainest form: `{{ name }}` and nothing else.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::assistant::prompts::ports::{TemplateFault, Templates};

/// Puts values where their names stand in double braces.
#[derive(Debug, Default)]
pub struct PlainTemplates;

fn fault(line: usize, message: &str) -> TemplateFault {
    TemplateFault { line: u32::try_from(line).ok(), message: message.to_owned(), is_lasting: true }
}

/// Gives each piece of text and each name, in order.
fn pieces(template: &str, mut piece: impl FnMut(Result<&str, &str>)) -> Result<(), TemplateFault> {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let line = template.len() - after.len();
        let line = template.get(..line).unwrap_or_default().lines().count();
        let Some((name, after)) = after.split_once("}}") else { return Err(fault(line, "is not closed")) };
        piece(Ok(before));
        piece(Err(name.trim()));
        rest = after;
    }
    piece(Ok(rest));
    Ok(())
}

#[async_trait]
impl Templates for PlainTemplates {
    async fn names(&self, template: &str) -> Result<BTreeSet<String>, TemplateFault> {
        let mut names = BTreeSet::new();
        pieces(template, |piece| names.extend(piece.err().map(str::to_owned)))?;
        Ok(names)
    }

    async fn render(
        &self,
        template: &str,
        values: &Arc<Map<String, Value>>,
        most: usize,
    ) -> Result<String, TemplateFault> {
        let mut text = String::new();
        pieces(template, |piece| match piece {
            Ok(words) => text.push_str(words),
            Err(name) => match values.get(name) {
                Some(Value::String(value)) => text.push_str(value),
                Some(value) => text.push_str(&value.to_string()),
                None => {}
            },
        })?;
        if text.len() > most { Err(TemplateFault { is_lasting: false, ..fault(1, "is too long") }) } else { Ok(text) }
    }
}
