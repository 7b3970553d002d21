//! Batches of questions, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx};
use crate::{
    assistant::batches::{
        AssistantFile, Batch, EndedLine, FilePurpose, LineEnd, NewLine, Owner, Waiting, WaitingLine,
        ports::{BatchQueries, BatchRepo},
    },
    clock::Timestamp,
    error::Result,
    id::{AssistantBatchId, AssistantFileId, UserId},
};

/// A line as it is stored.
#[derive(Debug, Clone)]
struct Line {
    new: NewLine,
    attempts: u32,
    due: Option<Timestamp>,
    end: Option<LineEnd>,
}

/// Files, batches and their lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Batches {
    files: BTreeMap<AssistantFileId, AssistantFile>,
    all: BTreeMap<AssistantBatchId, Batch>,
    lines: BTreeMap<(AssistantBatchId, u64), Line>,
}

impl Batches {
    fn lines_of(&self, id: AssistantBatchId) -> impl Iterator<Item = &Line> {
        self.lines.range((id, 0)..=(id, u64::MAX)).map(|(_, line)| line)
    }

    fn is_read(&self, id: AssistantFileId) -> bool {
        self.all.values().any(|batch| batch.input == id && !batch.state.is_over())
    }
}

fn is_of(stored: Owner, asked: Owner) -> bool {
    stored.user == asked.user && (asked.key.is_none() || stored.key == asked.key)
}

fn some<T>(found: impl Iterator<Item = T>, limit: u32) -> Vec<T> {
    found.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()
}

#[async_trait]
impl BatchRepo for MemoryTx {
    async fn insert_file(&mut self, file: &AssistantFile) -> Result<()> {
        self.write().batches.files.insert(file.id, file.clone());
        Ok(())
    }

    async fn file(&mut self, id: AssistantFileId) -> Result<Option<AssistantFile>> {
        Ok(self.state.batches.files.get(&id).cloned())
    }

    async fn delete_file(&mut self, id: AssistantFileId) -> Result<()> {
        self.write().batches.files.remove(&id);
        Ok(())
    }

    async fn is_read(&mut self, id: AssistantFileId) -> Result<bool> {
        Ok(self.state.batches.is_read(id))
    }

    async fn insert(&mut self, batch: &Batch) -> Result<()> {
        self.write().batches.all.insert(batch.id, batch.clone());
        Ok(())
    }

    async fn find(&mut self, id: AssistantBatchId) -> Result<Option<Batch>> {
        Ok(self.state.batches.all.get(&id).cloned())
    }

    async fn update(&mut self, batch: &Batch) -> Result<()> {
        if let Some(stored) = self.write().batches.all.get_mut(&batch.id) {
            let Batch { owner, seller, input, endpoint, metadata, .. } = stored.clone();
            *stored = Batch { owner, seller, input, endpoint, metadata, ..batch.clone() };
        }
        Ok(())
    }

    async fn delete(&mut self, id: AssistantBatchId) -> Result<()> {
        let kept = &mut self.write().batches;
        kept.all.remove(&id);
        kept.lines.retain(|(batch, _), _| *batch != id);
        Ok(())
    }

    async fn put_lines(&mut self, id: AssistantBatchId, lines: &[NewLine]) -> Result<()> {
        let kept = &mut self.write().batches;
        kept.lines.retain(|(batch, _), _| *batch != id);
        let stored = |new: &NewLine| ((id, new.number), Line { new: new.clone(), attempts: 0, due: None, end: None });
        kept.lines.extend(lines.iter().map(stored));
        Ok(())
    }

    async fn put_off(&mut self, id: AssistantBatchId, number: u64, attempts: u32, due: Timestamp) -> Result<()> {
        let line = self.write().batches.lines.get_mut(&(id, number));
        if let Some(line) = line.filter(|line| line.end.is_none()) {
            (line.attempts, line.due) = (attempts, Some(due));
        }
        Ok(())
    }

    async fn end_line(&mut self, id: AssistantBatchId, number: u64, end: &LineEnd) -> Result<bool> {
        let line = self.write().batches.lines.get_mut(&(id, number));
        let Some(line) = line.filter(|line| line.end.is_none()) else { return Ok(false) };
        line.end = Some(end.clone());
        Ok(true)
    }

    async fn end_waiting(&mut self, id: AssistantBatchId, end: &LineEnd) -> Result<u64> {
        let lines = &mut self.write().batches.lines;
        let waiting = lines.range_mut((id, 0)..=(id, u64::MAX)).map(|(_, line)| line);
        let mut ended = 0;
        for line in waiting.filter(|line| line.end.is_none()) {
            line.end = Some(end.clone());
            ended += 1;
        }
        Ok(ended)
    }

    async fn forget_lines(&mut self, id: AssistantBatchId) -> Result<()> {
        self.write().batches.lines.retain(|(batch, _), _| *batch != id);
        Ok(())
    }
}

#[async_trait]
impl BatchQueries for MemoryStore {
    async fn get_file(&self, id: AssistantFileId) -> Result<Option<AssistantFile>> {
        Ok(self.state().batches.files.get(&id).cloned())
    }

    async fn files(
        &self,
        of: Owner,
        purpose: Option<FilePurpose>,
        after: Option<AssistantFileId>,
        is_rising: bool,
        limit: u32,
    ) -> Result<Vec<AssistantFile>> {
        let state = self.state();
        let fits = |file: &&AssistantFile| is_of(file.owner, of) && purpose.is_none_or(|one| file.purpose == one);
        let mut own: Vec<_> = state.batches.files.values().filter(fits).cloned().collect();
        if is_rising {
            own.retain(|file| after.is_none_or(|after| file.id > after));
        } else {
            own.reverse();
            own.retain(|file| after.is_none_or(|after| file.id < after));
        }
        Ok(some(own.into_iter(), limit))
    }

    async fn get(&self, id: AssistantBatchId) -> Result<Option<Batch>> {
        Ok(self.state().batches.all.get(&id).cloned())
    }

    async fn list(&self, of: Owner, after: Option<AssistantBatchId>, limit: u32) -> Result<Vec<Batch>> {
        let state = self.state();
        let own = state.batches.all.values().rev().filter(|batch| is_of(batch.owner, of));
        Ok(some(own.filter(|batch| after.is_none_or(|after| batch.id < after)).cloned(), limit))
    }

    async fn due(&self, id: AssistantBatchId, now: Timestamp, limit: u32) -> Result<Vec<WaitingLine>> {
        let state = self.state();
        let due = state.batches.lines_of(id).filter(|line| line.end.is_none() && line.due.is_none_or(|due| due <= now));
        let waiting = due.map(|line| WaitingLine {
            number: line.new.number,
            place: line.new.place.clone(),
            attempts: line.attempts,
        });
        Ok(some(waiting, limit))
    }

    async fn waiting(&self, id: AssistantBatchId) -> Result<Waiting> {
        let state = self.state();
        let waiting: Vec<_> = state.batches.lines_of(id).filter(|line| line.end.is_none()).collect();
        // One that was never asked is due at once.
        let due = if waiting.iter().any(|line| line.due.is_none()) {
            None
        } else {
            waiting.iter().filter_map(|line| line.due).min()
        };
        Ok(Waiting { lines: u64::try_from(waiting.len()).unwrap_or(u64::MAX), due })
    }

    async fn ended(&self, id: AssistantBatchId, are_answers: bool, after: u64, limit: u32) -> Result<Vec<EndedLine>> {
        let state = self.state();
        let ended = state.batches.lines_of(id).filter(|line| line.new.number > after).filter_map(|line| {
            let end = line.end.clone().filter(|end| end.is_answer() == are_answers)?;
            Some(EndedLine { number: line.new.number, custom_id: line.new.custom_id.clone(), end })
        });
        Ok(some(ended, limit))
    }

    async fn open(&self, after: Option<AssistantBatchId>, limit: u32) -> Result<Vec<Batch>> {
        let state = self.state();
        let open = state.batches.all.values().filter(|batch| !batch.state.is_over());
        Ok(some(open.filter(|batch| after.is_none_or(|after| batch.id > after)).cloned(), limit))
    }

    async fn ended_before(&self, before: Timestamp, limit: u32) -> Result<Vec<AssistantBatchId>> {
        let state = self.state();
        let old = state.batches.all.values().filter(|batch| batch.times.ended_at.is_some_and(|end| end < before));
        Ok(some(old.map(|batch| batch.id), limit))
    }

    async fn files_before(&self, before: Timestamp, limit: u32) -> Result<Vec<AssistantFileId>> {
        let state = self.state();
        let mut old: Vec<_> = state.batches.files.values().filter(|file| file.created_at < before).collect();
        old.retain(|file| !state.batches.is_read(file.id));
        old.sort_by_key(|file| file.created_at);
        Ok(some(old.into_iter().map(|file| file.id), limit))
    }

    async fn of_person(&self, user: UserId, limit: u32) -> Result<(Vec<AssistantBatchId>, Vec<AssistantFileId>)> {
        let state = self.state();
        let batches = state.batches.all.values().filter(|batch| batch.owner.user == user).map(|batch| batch.id);
        let files = state.batches.files.values().filter(|file| file.owner.user == user).map(|file| file.id);
        Ok((some(batches, limit), some(files, limit)))
    }
}
