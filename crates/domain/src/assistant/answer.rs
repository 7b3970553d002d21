//! An answer that comes piece by piece, counted as it passes.

use super::{
    ChatEvent, Denied, Fault,
    held::Held,
    ports::{ChatStream, Frame},
};

/// An answer on its way. Dropped before its end, the provider is asked no further, and what came until then is counted.
pub struct Answer {
    /// `None` after its end.
    stream: Option<Box<dyn ChatStream>>,
    held: Held,
    model: String,
    /// Whether it came to its end, which is not written down yet.
    is_whole: bool,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("model", &self.model).finish_non_exhaustive()
    }
}

impl Answer {
    pub(super) fn new(stream: Box<dyn ChatStream>, held: Held, model: &str) -> Self {
        Self { stream: Some(stream), held, model: model.to_owned(), is_whole: false }
    }

    /// The model that answers, as callers know it.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// What was used so far, and whether that is a guess since its provider did not say.
    pub fn figures(&self) -> (super::Usage, bool) {
        self.held.figures()
    }

    /// What comes next; `None` at its end.
    ///
    /// # Errors
    /// When it breaks off: what came is not the whole. After an error there is nothing more.
    pub async fn next(&mut self) -> Result<Option<Frame>, Fault> {
        let Some(stream) = &mut self.stream else {
            self.close();
            return Ok(None);
        };
        match stream.next().await {
            Ok(Some(frame)) => {
                count(&mut self.held, &frame);
                Ok(Some(frame))
            }
            Ok(None) => {
                (self.stream, self.is_whole) = (None, true);
                // Who turns to something else meanwhile, and comes back, closes it above.
                self.held.reckon().await;
                self.close();
                Ok(None)
            }
            Err(fault) => {
                // Nothing is waited for here: whoever reads may turn to something else meanwhile, and a cut would pass for an end.
                // What was used is guessed by its bytes.
                self.stream = None;
                self.held.failed(&fault);
                Err(fault)
            }
        }
    }

    /// Writes down that it ended, once.
    fn close(&mut self) {
        if std::mem::take(&mut self.is_whole) {
            self.held.ended();
        }
    }

    /// All of it at once, for whoever has no use for pieces.
    ///
    /// # Errors
    /// As for [`Answer::next`].
    pub async fn whole(mut self) -> Result<super::ChatReply, Denied> {
        let mut gathered = super::Gathered::default();
        while let Some(frame) = self.next().await.map_err(Denied::Fault)? {
            frame.events.iter().for_each(|event| gathered.take(event));
        }
        Ok(gathered.reply())
    }
}

fn count(held: &mut Held, frame: &Frame) {
    for event in &frame.events {
        match event {
            ChatEvent::Text(text) | ChatEvent::Reasoning(text) => held.heard(text),
            ChatEvent::Tool { arguments, name, .. } => {
                held.heard(name.as_deref().unwrap_or_default());
                held.heard(arguments);
            }
            ChatEvent::Usage(usage) => held.told(*usage),
            ChatEvent::Finish(_) => {}
        }
    }
}
