//! Verifying the audit log: is it, entry by entry, what the relay once chained?

use super::{Chain, End, Finding, Mark, Note, walk::Walk};
use crate::{error::Result, secrets::Mac};

/// Links read at a time.
const STRETCH: u32 = 500;
/// Findings kept; the rest is only counted.
const KEPT: usize = 1_000;

/// The outcome of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Links that were read.
    pub entries: u64,
    /// Where the chain ends, by its sealed head: what an operator may write down. `None` without a head to trust.
    pub head: Option<Note>,
    /// Entries that wait for the relay; they are not protected yet and no fault.
    pub waiting: u64,
    /// What is wrong, in the order of the log; the first thousand.
    pub findings: Vec<Finding>,
    /// How many findings there are beyond those kept.
    pub more: u64,
}

impl Verified {
    /// True when nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.findings.is_empty()
    }

    fn tell(&mut self, finding: Finding) {
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }
}

/// Reads the whole log at one moment and tells what is wrong with it. `noted` is what an operator wrote down earlier:
/// it catches somebody who puts an old state of the database back, seals and all.
pub async fn verify(chain: &dyn Chain, key: &dyn Mac, noted: Option<&Note>) -> Result<Verified> {
    let mut log = chain.snapshot().await?;
    let mut result = Verified { entries: 0, head: None, waiting: 0, findings: Vec::new(), more: 0 };

    let base = log.mark(End::Base).await?;
    if base.is_some_and(|base| !base.holds(key, End::Base)) {
        result.tell(Finding::ForgedBase);
    }
    let base = base.unwrap_or_else(|| Mark::sealed(key, End::Base, 0, [0; 32]));
    let stored_head = log.mark(End::Head).await?;
    let head = stored_head.filter(|head| head.holds(key, End::Head));
    result.head = head.map(|head| head.note());

    let mut noted_link = noted.filter(|note| note.seq == base.seq).map(|_| base.hash);
    let mut walk = Walk::after(key, base.seq, base.hash);
    let mut after = i64::MIN;
    loop {
        let stretch = log.links(after, STRETCH).await?;
        let Some(last) = stretch.last() else { break };
        after = last.seq;
        for found in &stretch {
            result.entries += 1;
            for finding in walk.pass(found) {
                result.tell(finding);
            }
            let number = u64::try_from(found.seq).unwrap_or_default();
            if noted.is_some_and(|note| note.seq == number) {
                noted_link = Some(found.hash);
            }
            // A last link whose hash was changed has no successor to show it.
            if head.is_some_and(|head| head.seq == number && head.hash != found.hash) && !walk.broken {
                result.tell(Finding::Altered(number));
            }
        }
    }

    let reached = walk.seq;
    match head {
        Some(head) if reached < head.seq => result.tell(Finding::CutTail { found: reached, expected: head.seq }),
        Some(head) if reached > head.seq => result.tell(Finding::PastHead { head: head.seq, found: reached }),
        Some(_) => {}
        // A log that nothing was ever written to has no head yet.
        None if stored_head.is_none() && reached == 0 && log.last_event().await? == 0 => {}
        None => result.tell(Finding::ForgedHead),
    }
    if let Some(note) = noted
        && note.seq >= base.seq
        && noted_link != Some(note.hash)
    {
        result.tell(Finding::NotAsNoted(note.seq));
    }
    for id in log.inserted(u32::try_from(KEPT).unwrap_or(u32::MAX)).await? {
        result.tell(Finding::Inserted(id));
    }
    result.waiting = log.waiting().await?;
    Ok(result)
}
