//! What a verification of the audit log finds wrong.

use std::fmt;

use crate::id::AuditId;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The entry under this link was changed, or the link was.
    Altered(u64),
    /// Entries, links or both from the one number to the other are gone.
    Missing {
        /// The first one.
        from: u64,
        /// The last one.
        to: u64,
    },
    /// A link stands where none can be: before the beginning of the chain.
    Stray(i64),
    /// Links end here although the sealed head says there were more.
    CutTail {
        /// The last link found.
        found: u64,
        /// The last link there was.
        expected: u64,
    },
    /// Links go on after the sealed head, so the head was put back.
    PastHead {
        /// Where the head stands.
        head: u64,
        /// The last link found.
        found: u64,
    },
    /// The mark at the end of the chain is gone or its seal does not fit.
    ForgedHead,
    /// The mark at the beginning of the chain does not fit its seal.
    ForgedBase,
    /// An entry stands outside the chain and no event waits to bring it in: somebody put it there.
    Inserted(AuditId),
    /// The log does not reach what an operator wrote down, or says otherwise there.
    NotAsNoted(u64),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered(seq) => write!(f, "entry {seq} was altered"),
            Self::Missing { from, to } if from == to => write!(f, "entry {from} is missing"),
            Self::Missing { from, to } => write!(f, "entries {from} to {to} are missing"),
            Self::Stray(seq) => write!(f, "a link numbered {seq} stands before the beginning of the chain"),
            Self::CutTail { found, expected } => write!(f, "the log ends at {found}, it reached {expected}"),
            Self::PastHead { head, found } => {
                write!(f, "the sealed head stands at {head}, the log reaches {found}: an older head was put back")
            }
            Self::ForgedHead => f.write_str("the sealed head of the chain is gone or does not verify"),
            Self::ForgedBase => f.write_str("the sealed beginning of the chain does not verify"),
            Self::Inserted(id) => write!(f, "entry {id} was inserted: it is not in the chain and nothing waits for it"),
            Self::NotAsNoted(seq) => write!(f, "the log does not hold entry {seq} as it was noted"),
        }
    }
}
