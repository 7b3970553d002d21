//! Looking at all lines of a batch, before any of them is asked.

use std::{collections::HashSet, time::Duration};

use super::{
    Batch, BatchState, Carrier, LineFault, NewLine,
    carry::{Carried, end, in_hand, long, pass_on},
    line,
    lines::{Line, Lines},
};
use crate::{
    error::Result,
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// Most faults that are told.
const FAULTS: usize = 100;

/// What was found so far.
#[derive(Default)]
struct Found {
    lines: Vec<NewLine>,
    names: HashSet<String>,
    faults: Vec<LineFault>,
}

impl Carrier {
    /// Stores the lines of a batch, or what is wrong with them.
    pub(super) async fn validate(&self, shop: &Shop, batch: &Batch) -> Result<Carried> {
        let found = match self.rights.of(batch, shop.now()).await? {
            Ok(proof) => self.look_through(batch, &proof).await?,
            Err(fault) => Err(vec![fault]),
        };
        let found = &found;
        let ended = shop.write("validate_batch", |mut tx| async move {
            let stored = in_hand(&mut *tx, batch).await?.filter(|stored| stored.state == BatchState::Validating);
            let Some(mut batch) = stored else { return tx.commit(None).await };
            let now = tx.now();
            let ended = match found {
                Ok(lines) => {
                    tx.batches().put_lines(batch.id, lines).await?;
                    batch.counts.total = long(lines.len())?;
                    batch.state = BatchState::InProgress;
                    batch.times.began_at = Some(now);
                    pass_on(shop, &mut *tx, &mut batch, Duration::ZERO).await?;
                    None
                }
                Err(faults) => {
                    batch.faults.clone_from(faults);
                    batch.over(BatchState::Failed, now);
                    end(shop, &mut *tx, &batch).await?;
                    Some(BatchState::Failed)
                }
            };
            tx.commit(ended).await
        });
        Ok(Carried { ended: ended.await?, ..Carried::default() })
    }

    async fn look_through(
        &self,
        batch: &Batch,
        proof: &Authorized<UseAssistant>,
    ) -> Result<std::result::Result<Vec<NewLine>, Vec<LineFault>>> {
        let bytes = match self.input(batch).await? {
            Some(file) => self.room.read(&file.digest, None).await?,
            None => None,
        };
        let Some(bytes) = bytes else {
            return Ok(Err(vec![LineFault::new("file_not_found", "The input file is gone")]));
        };
        let (mut lines, mut found) = (Lines::new(bytes, self.rules.line_bytes), Found::default());
        while let Some(line) = lines.next().await? {
            if let Err(fault) = self.look_at(batch, proof, &line, &mut found) {
                found.faults.push(LineFault { line: Some(line.number), ..fault });
            }
            let is_full = long(found.lines.len())? > self.rules.lines;
            if is_full {
                let message = format!("A batch has at most {} lines; make several of this file", self.rules.lines);
                found.faults.insert(0, LineFault::new("too_many_lines", message));
            }
            if is_full || found.faults.len() >= FAULTS {
                break;
            }
        }
        if found.lines.is_empty() && found.faults.is_empty() {
            found.faults.push(LineFault::new("empty_file", "The input file has no lines"));
        }
        Ok(if found.faults.is_empty() { Ok(found.lines) } else { Err(found.faults) })
    }

    fn look_at(
        &self,
        batch: &Batch,
        proof: &Authorized<UseAssistant>,
        line: &Line,
        found: &mut Found,
    ) -> std::result::Result<(), LineFault> {
        let Some(text) = &line.text else {
            let message = format!("A line has at most {} bytes", self.rules.line_bytes);
            return Err(LineFault::new("line_too_long", message));
        };
        // The end of a file, most often.
        if text.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let read = line::read(text, batch.endpoint)?;
        if !found.names.insert(read.custom_id.clone()) {
            let message = "Another line has this 'custom_id' already";
            return Err(LineFault::new("duplicate_custom_id", message).of("custom_id"));
        }
        self.door.check(proof.principal(), batch.endpoint, &read.body)?;
        found.lines.push(NewLine { number: line.number, custom_id: read.custom_id, place: line.place.clone() });
        Ok(())
    }
}
