//! Writing what came of a batch: its answers and its refusals, each in the order of the lines.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{BufMut as _, Bytes, BytesMut};
use serde_json::json;

use super::{
    AssistantFile, Batch, BatchState, Carrier, EndedLine, Endpoint, FilePurpose, LineEnd,
    carry::{Carried, end, in_hand},
    events,
    ports::BatchQueries,
};
use crate::{
    assets::{Chunks, Kept, Terms, ports::Reach},
    error::{Error, Result},
    id::AssistantBatchId,
    shop::Shop,
    store::Tx,
};

/// Lines that are read at once: of answers several, and of vectors, which may be tens of megabytes, one.
fn portion(endpoint: Endpoint) -> u32 {
    match endpoint {
        Endpoint::Chat => 20,
        Endpoint::Embeddings => 1,
    }
}

impl Carrier {
    /// Writes the files of a batch, which is over then. The same lines give the same bytes, so that who comes after a kill writes them again.
    pub(super) async fn finish(&self, shop: &Shop, batch: &Batch) -> Result<Carried> {
        let answers = self.written(shop, batch, true, batch.counts.completed > 0).await?;
        let refusals = self.written(shop, batch, false, batch.counts.failed > 0).await?;
        let (answers, refusals) = (&answers, &refusals);
        let ended = shop.write("finish_batch", |mut tx| async move {
            let Some(mut batch) = in_hand(&mut *tx, batch).await? else { return tx.commit(None).await };
            let now = tx.now();
            // Both are held in the order of their digests, as by everybody.
            let digest = |kept: &Option<Kept>| kept.as_ref().map(Kept::digest);
            let answers_first = digest(answers) <= digest(refusals);
            if answers_first {
                batch.output = keep(shop, &mut *tx, &batch, answers.as_ref(), "output").await?;
            }
            batch.refusals = keep(shop, &mut *tx, &batch, refusals.as_ref(), "errors").await?;
            if !answers_first {
                batch.output = keep(shop, &mut *tx, &batch, answers.as_ref(), "output").await?;
            }
            let ending = batch.ending.unwrap_or(BatchState::Cancelled);
            batch.over(ending, now);
            end(shop, &mut *tx, &batch).await?;
            tx.commit(Some(ending)).await
        });
        Ok(Carried { ended: ended.await?, ..Carried::default() })
    }

    async fn written(&self, shop: &Shop, batch: &Batch, are_answers: bool, any: bool) -> Result<Option<Kept>> {
        if !any {
            return Ok(None);
        }
        let queries = Arc::clone(&self.queries);
        let portion = portion(batch.endpoint);
        let mut source = Written { queries, id: batch.id, are_answers, portion, after: 0 };
        // What we made ourselves of what was answered; its length is that of its lines.
        let terms = Terms::at_most(i64::MAX.unsigned_abs()).unscanned();
        self.room.put(shop, &mut source, &terms).await.map(Some)
    }
}

/// Makes a file of bytes that were put away.
async fn keep(
    shop: &Shop,
    tx: &mut dyn Tx,
    batch: &Batch,
    kept: Option<&Kept>,
    what: &str,
) -> Result<Option<crate::id::AssistantFileId>> {
    let Some(kept) = kept else { return Ok(None) };
    let file = AssistantFile {
        id: shop.id(),
        owner: batch.owner,
        purpose: FilePurpose::BatchOutput,
        name: format!("batch_{}_{what}.jsonl", batch.id.0.simple()),
        digest: kept.digest(),
        size: kept.size,
        created_at: shop.now(),
    };
    // It counts like all that is theirs; an answer that was paid for is kept beyond what they may bring.
    if !tx.usage().charge(file.holder(), file.size, i64::MAX.unsigned_abs()).await? {
        return Err(Error::internal("what came of a batch has more bytes than can be counted"));
    }
    tx.blobs().hold(kept, Reach::Private).await?;
    tx.batches().insert_file(&file).await?;
    shop.record(tx, None, events::file_created(&file)).await?;
    Ok(Some(file.id))
}

/// The lines of a file that is written.
struct Written {
    queries: Arc<dyn BatchQueries>,
    id: AssistantBatchId,
    are_answers: bool,
    portion: u32,
    /// The line that was written last.
    after: u64,
}

#[async_trait]
impl Chunks for Written {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let lines = self.queries.ended(self.id, self.are_answers, self.after, self.portion).await?;
        let Some(last) = lines.last() else { return Ok(None) };
        self.after = last.number;
        let mut text = BytesMut::new().writer();
        for line in &lines {
            serde_json::to_writer(&mut text, &written(self.id, line)?).map_err(Error::internal)?;
            text.get_mut().put_u8(b'\n');
        }
        Ok(Some(text.into_inner().freeze()))
    }
}

/// A line as it is written. Its id is made of what it is, so that it is the same however often it is written.
fn written(batch: AssistantBatchId, line: &EndedLine) -> Result<serde_json::Value> {
    let (response, error) = match &line.end {
        LineEnd::Answered { status, request, body } => {
            let body: serde_json::Value = serde_json::from_str(body).map_err(Error::internal)?;
            (json!({ "status_code": status, "request_id": request, "body": body }), serde_json::Value::Null)
        }
        LineEnd::Unasked { code, message } => (serde_json::Value::Null, json!({ "code": code, "message": message })),
    };
    let id = format!("batch_req_{}_{}", batch.0.simple(), line.number);
    Ok(json!({ "id": id, "custom_id": line.custom_id, "response": response, "error": error }))
}
