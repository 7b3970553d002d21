//! Walking along the chain, link by link, and telling what does not fit.

use super::{Finding, StoredEntry, StoredLink, link};
use crate::secrets::Mac;

/// A walk along the chain.
pub(super) struct Walk<'a> {
    key: &'a dyn Mac,
    /// The number of the last link passed.
    pub(super) seq: u64,
    /// What the hash of the last link may be. More than one after a link that did not fit: its own text, and what it
    /// should have been. None when the link itself is gone.
    previous: Vec<[u8; 32]>,
    /// Whether the link passed last was reported.
    pub(super) broken: bool,
}

impl<'a> Walk<'a> {
    /// A walk that begins after this link.
    pub(super) fn after(key: &'a dyn Mac, seq: u64, hash: [u8; 32]) -> Self {
        Self { key, seq, previous: vec![hash], broken: false }
    }

    /// Passes one link; gives what is wrong with it and with the stretch before it.
    pub(super) fn pass(&mut self, found: &StoredLink) -> Vec<Finding> {
        let mut findings = Vec::new();
        let Some(seq) = u64::try_from(found.seq).ok().filter(|seq| *seq > self.seq) else {
            return vec![Finding::Stray(found.seq)];
        };
        if seq > self.seq + 1 {
            findings.push(Finding::Missing { from: self.seq + 1, to: seq - 1 });
            self.previous.clear();
        }
        self.seq = seq;
        let here = findings.len();
        let mut next = vec![found.hash];
        match &found.entry {
            StoredEntry::Gone => findings.push(Finding::Missing { from: seq, to: seq }),
            StoredEntry::Unreadable(_) => findings.push(Finding::Altered(seq)),
            StoredEntry::Found(entry) => {
                let right: Vec<_> = self.previous.iter().map(|hash| link(self.key, seq, hash, entry).hash).collect();
                // After a lost link there is nothing to check this one against; the next one vouches for it.
                if !right.is_empty() && !right.contains(&found.hash) {
                    findings.push(Finding::Altered(seq));
                    next.extend(right);
                }
            }
        }
        self.previous = next;
        self.broken = findings.len() > here;
        findings
    }
}
