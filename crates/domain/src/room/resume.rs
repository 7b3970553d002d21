//! Going on in a room where somebody was.

use super::{Epoch, Reach};

/// Where somebody goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resume {
    /// The messages after this offset come next.
    pub after: u64,
    /// Why some are missing before that.
    pub gap: Option<Gap>,
}

/// Why messages are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// They are not kept any more.
    Expired,
    /// The room has not come so far: its messages were put back to an earlier state.
    AheadOfRoom,
    /// The offset is one of another row: the room of this name is another one now.
    OtherEpoch,
}

impl Resume {
    /// For somebody who had everything up to `offset` of `epoch`. Whoever has lost more than is kept goes on with what is.
    pub fn of(offset: u64, epoch: Option<&Epoch>, reach: &Reach) -> Self {
        let begin = reach.first.saturating_sub(1);
        if epoch.is_some_and(|epoch| *epoch != reach.epoch) {
            Self { after: begin, gap: Some(Gap::OtherEpoch) }
        } else if offset > reach.last {
            Self { after: reach.last, gap: Some(Gap::AheadOfRoom) }
        } else if offset < begin {
            Self { after: begin, gap: Some(Gap::Expired) }
        } else {
            Self { after: offset, gap: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_goes_on_where_they_were_or_is_told_what_they_missed() {
        let epoch = Epoch("a".into());
        let reach = Reach { first: 5, last: 9, epoch: epoch.clone() };
        let of = |offset| Resume::of(offset, Some(&epoch), &reach);
        assert_eq!(of(9), Resume { after: 9, gap: None });
        assert_eq!(of(4), Resume { after: 4, gap: None });
        assert_eq!(of(3), Resume { after: 4, gap: Some(Gap::Expired) });
        assert_eq!(of(10), Resume { after: 9, gap: Some(Gap::AheadOfRoom) });
        let other = Resume::of(7, Some(&Epoch("b".into())), &reach);
        assert_eq!(other, Resume { after: 4, gap: Some(Gap::OtherEpoch) });
        assert_eq!(Resume::of(7, None, &reach), Resume { after: 7, gap: None });
        let empty = Reach { first: 1, last: 0, epoch };
        assert_eq!(Resume::of(0, None, &empty), Resume { after: 0, gap: None });
        assert_eq!(Resume::of(u64::MAX, None, &empty).gap, Some(Gap::AheadOfRoom));
    }
}
