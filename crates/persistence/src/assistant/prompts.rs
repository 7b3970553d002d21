//! Prompts, their versions and their splits.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    assistant::prompts::{
        Generation, Outcome, Prompt, PromptVersion, Split, VersionNumber, VersionTally,
        ports::{GenerationStore, PromptQueries, PromptRepo},
    },
    catalog::Version,
    clock::Timestamp,
    id::{GenerationId, PromptId, UserId},
    page::{Page, PageRequest},
};
use sea_orm::QueryResult;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    database::Database,
    paging::{Paged, paged},
    statement::{at, count, execute, one, statement},
    tx::SeaTx,
};

const PROMPT: &str = "p.id, p.name, p.description, p.archived, p.latest, p.version, p.created_at, p.updated_at, \
    s.number, s.origin, s.shares, s.set_by, s.set_at";
const FROM: &str = "prompts p LEFT JOIN prompt_splits s ON s.prompt_id = p.id AND s.number = p.split";
const VERSION: &str = "prompt_id, number, content, written_by, written_at";
const SPLIT: &str = "prompt_id, number, origin, shares, set_by, set_at";

impl Database {
    /// What the shop asks of models.
    pub fn prompts(&self) -> Arc<dyn PromptQueries> {
        Arc::new(self.clone())
    }

    /// Answers that were asked for by prompts, as the schedule sees them.
    pub fn generations(&self) -> Arc<dyn GenerationStore> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl PromptRepo for SeaTx {
    async fn insert(&mut self, prompt: &Prompt) -> Result<bool> {
        let sql = "INSERT INTO prompts (id, name, description, archived, latest, split, version, created_at, updated_at) \
                   VALUES ($1, $2, $3, $4, NULL, NULL, $5, $6, $7) ON CONFLICT DO NOTHING";
        let values = [
            prompt.id.0.into(),
            prompt.name.as_str().into(),
            prompt.description.as_str().into(),
            prompt.is_archived.into(),
            prompt.version.0.into(),
            prompt.created_at.into(),
            prompt.updated_at.into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? == 1)
    }

    async fn find(&mut self, name: &str) -> Result<Option<Prompt>> {
        let held = self.engine.pick("", " FOR UPDATE OF p");
        let sql = format!("SELECT {PROMPT} FROM {FROM} WHERE p.name = $1{held}");
        let found = one(&self.tx, statement(self.engine, sql, [name.into()])).await?;
        found.map(|row| prompt(&row, 0)).transpose()
    }

    async fn update(&mut self, prompt: &Prompt) -> Result<()> {
        let sql = "UPDATE prompts SET description = $2, archived = $3, latest = $4, split = $5, version = $6, \
                   updated_at = $7 WHERE id = $1";
        let values = [
            prompt.id.0.into(),
            prompt.description.as_str().into(),
            prompt.is_archived.into(),
            prompt.latest.map(|latest| latest.0).into(),
            prompt.split.as_ref().map(|split| split.number).into(),
            prompt.version.0.into(),
            prompt.updated_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn delete(&mut self, id: PromptId) -> Result<()> {
        let sql = "DELETE FROM prompts WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await.map(|_| ())
    }

    async fn count(&mut self) -> Result<u64> {
        let counted = one(&self.tx, statement(self.engine, "SELECT count(*) FROM prompts", [])).await?;
        counted.map_or(Ok(0), |row| count(&row, 0))
    }

    async fn add_version(&mut self, version: &PromptVersion) -> Result<()> {
        let sql = format!("INSERT INTO prompt_versions ({VERSION}) VALUES ($1, $2, $3, $4, $5)");
        let values = [
            version.prompt.0.into(),
            version.number.0.into(),
            written(&version.content)?.into(),
            version.written_by.0.into(),
            version.written_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn add_split(&mut self, id: PromptId, split: &Split) -> Result<()> {
        let sql = format!("INSERT INTO prompt_splits ({SPLIT}) VALUES ($1, $2, $3, $4, $5, $6)");
        let values = [
            id.0.into(),
            split.number.into(),
            split.origin.into(),
            written(&split.shares)?.into(),
            split.set_by.0.into(),
            split.set_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn split(&mut self, id: PromptId, number: i64) -> Result<Option<Split>> {
        let sql = format!("SELECT {SPLIT} FROM prompt_splits WHERE prompt_id = $1 AND number = $2");
        let found = one(&self.tx, statement(self.engine, sql, [id.0.into(), number.into()])).await?;
        found.map(|row| split(&row, 1)).transpose()
    }

    async fn is_asked(&mut self, id: PromptId) -> Result<bool> {
        self.has_generations(id).await
    }

    async fn begin(&mut self, generation: &Generation) -> Result<()> {
        self.begin_generation(generation).await
    }

    async fn end(&mut self, generation: &Generation) -> Result<()> {
        self.end_generation(generation).await
    }

    async fn generation(&mut self, id: GenerationId) -> Result<Option<Generation>> {
        self.held_generation(id).await
    }

    async fn outcomes(&mut self, id: GenerationId) -> Result<Vec<Outcome>> {
        self.outcomes_of(id).await
    }

    async fn put_outcome(&mut self, id: GenerationId, outcome: &Outcome) -> Result<()> {
        self.replace_outcome(id, outcome).await
    }
}

#[async_trait]
impl PromptQueries for Database {
    async fn named(&self, name: &str) -> Result<Option<Prompt>> {
        let sql = format!("SELECT {PROMPT} FROM {FROM} WHERE p.name = $1");
        let found = one(&self.reader, statement(self.engine, sql, [name.into()])).await?;
        found.map(|row| prompt(&row, 0)).transpose()
    }

    async fn list(&self, archived: bool, page: PageRequest) -> Result<Page<Prompt>> {
        let order = format!("p.name {}", self.engine.pick("", "COLLATE \"C\""));
        let from = format!("{FROM} WHERE p.archived = $3");
        let listed = Paged { columns: PROMPT, from: &from, order: &order };
        paged(self, &listed, vec![archived.into()], page, prompt).await
    }

    async fn version(&self, id: PromptId, number: VersionNumber) -> Result<Option<PromptVersion>> {
        let sql = format!("SELECT {VERSION} FROM prompt_versions WHERE prompt_id = $1 AND number = $2");
        let found = one(&self.reader, statement(self.engine, sql, [id.0.into(), number.0.into()])).await?;
        found.map(|row| version(&row, 0)).transpose()
    }

    async fn versions(&self, id: PromptId, page: PageRequest) -> Result<Page<PromptVersion>> {
        let listed = Paged { columns: VERSION, from: "prompt_versions WHERE prompt_id = $3", order: "number DESC" };
        paged(self, &listed, vec![id.0.into()], page, version).await
    }

    async fn splits(&self, id: PromptId, page: PageRequest) -> Result<Page<Split>> {
        let listed = Paged { columns: SPLIT, from: "prompt_splits WHERE prompt_id = $3", order: "number DESC" };
        paged(self, &listed, vec![id.0.into()], page, |row, from| split(row, from + 1)).await
    }

    async fn generation(&self, id: GenerationId) -> Result<Option<(Generation, Vec<Outcome>)>> {
        self.generation_with_outcomes(id).await
    }

    async fn report(&self, id: PromptId, from: Timestamp, until: Timestamp) -> Result<Vec<VersionTally>> {
        self.tallies(id, from, until).await
    }
}

fn written(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

fn prompt(row: &QueryResult, from: usize) -> Result<Prompt> {
    let split = match at::<Option<i64>>(row, from + 8)? {
        Some(_) => Some(split(row, from + 8)?),
        None => None,
    };
    Ok(Prompt {
        id: PromptId(at(row, from)?),
        name: at(row, from + 1)?,
        description: at(row, from + 2)?,
        is_archived: at(row, from + 3)?,
        latest: at::<Option<i64>>(row, from + 4)?.map(VersionNumber),
        split,
        version: Version(at(row, from + 5)?),
        created_at: at(row, from + 6)?,
        updated_at: at(row, from + 7)?,
    })
}

fn version(row: &QueryResult, from: usize) -> Result<PromptVersion> {
    Ok(PromptVersion {
        prompt: PromptId(at(row, from)?),
        number: VersionNumber(at(row, from + 1)?),
        content: read(&at::<String>(row, from + 2)?)?,
        written_by: UserId(at(row, from + 3)?),
        written_at: at(row, from + 4)?,
    })
}

/// Begins at its number.
fn split(row: &QueryResult, from: usize) -> Result<Split> {
    Ok(Split {
        number: at(row, from)?,
        origin: at(row, from + 1)?,
        shares: read(&at::<String>(row, from + 2)?)?,
        set_by: UserId(at(row, from + 3)?),
        set_at: at(row, from + 4)?,
    })
}
