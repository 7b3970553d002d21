//! What to do with a batch of pending events: the pure half of the relay.

use super::{Entry, Pending, Position};
use crate::{
    audit::{ChainLink, End, Mark, link},
    error::{Error, Result},
    event::{Event, Fact},
    id::EventId,
    job::{NewJob, Reactions, Request},
    secrets::Mac,
};

/// What one transaction of the relay writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Events with the numbers they get.
    pub numbered: Vec<(EventId, u64)>,
    /// Events to set aside, each with its reason.
    pub failed: Vec<(EventId, String)>,
    /// New links of the audit chain.
    pub links: Vec<ChainLink>,
    /// The new head, when there are new links.
    pub head: Option<Mark>,
    /// The last number given, by this plan or before it.
    pub last_seq: u64,
    /// What is to be done about the numbered events.
    pub wanted: Vec<(EventId, Request)>,
    /// The jobs that become of it.
    pub jobs: Vec<NewJob>,
}

/// Numbers events that every consumer can read and chains every audit entry that can be read. An event that is not
/// numbered is set aside with its reason; its audit entry is chained all the same, because it tells what was done. What
/// `reactions` want done about a numbered event is part of the plan.
///
/// # Errors
/// [`Error::Internal`] when the head of the chain does not verify. Then nothing may be chained to it, or the relay would
/// seal what somebody forged; everything waits until an operator has restored the head.
pub fn plan(key: &dyn Mac, reactions: Reactions, position: &Position, pending: &[Pending]) -> Result<Plan> {
    let mut head = head(key, position)?;
    let mut plan = Plan { last_seq: position.last_seq, ..Plan::default() };
    for waiting in pending {
        if let Entry::Waiting(entry) = &waiting.entry {
            let made = link(key, head.seq + 1, &head.hash, entry);
            head = Mark { seq: made.seq, hash: made.hash, seal: [0; 32] };
            plan.links.push(made);
        }
        match readable(waiting) {
            Ok(event) => {
                plan.last_seq += 1;
                plan.numbered.push((waiting.id, plan.last_seq));
                plan.wanted.extend(reactions.to(event).into_iter().map(|request| (waiting.id, request)));
            }
            Err(reason) => plan.failed.push((waiting.id, reason)),
        }
    }
    if !plan.links.is_empty() {
        plan.head = Some(Mark::sealed(key, End::Head, head.seq, head.hash));
    }
    Ok(plan)
}

fn head(key: &dyn Mac, position: &Position) -> Result<Mark> {
    match position.head {
        Some(head) if head.holds(key, End::Head) => Ok(head),
        None if position.last_seq == 0 => Ok(Mark { seq: 0, hash: [0; 32], seal: [0; 32] }),
        _ => Err(Error::internal(
            "the sealed head of the audit chain is gone or does not verify; events wait: run `souk audit verify`",
        )),
    }
}

fn readable(waiting: &Pending) -> Result<&Event, String> {
    let event = waiting.event.as_ref().map_err(|reason| format!("the event does not decode: {reason}"))?;
    match &waiting.entry {
        Entry::Missing => return Err("its audit entry is missing".to_owned()),
        Entry::Unreadable(reason) => return Err(format!("its audit entry does not decode: {reason}")),
        Entry::Linked | Entry::Waiting(_) => {}
    }
    Fact::of(event).map(|_| event)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::{audit::AuditEntry, clock::Timestamp, event::Entity, id::AuditId};

    /// Not a keyed hash, but different for different bytes.
    struct Toy;

    impl Mac for Toy {
        fn mac(&self, bytes: &[u8]) -> [u8; 32] {
            let mut out = [0_u8; 32];
            for (i, byte) in bytes.iter().enumerate() {
                let place = &mut out[i % 32];
                *place = place.wrapping_mul(31).wrapping_add(*byte);
            }
            out
        }
    }

    fn pending(n: u128, kind: &str) -> Pending {
        let id = Uuid::from_u128(n);
        let entity = Entity::new("user", id);
        let at = Timestamp::UNIX_EPOCH;
        Pending {
            id: EventId(id),
            event: Ok(Event {
                id: EventId(id),
                kind: kind.to_owned(),
                entity: entity.clone(),
                actor: None,
                at,
                payload: json!({ "userId": id }),
            }),
            entry: Entry::Waiting(AuditEntry {
                id: AuditId(id),
                actor: None,
                impersonator: None,
                action: "user.create".to_owned(),
                entity,
                metadata: json!({}),
                at,
            }),
        }
    }

    const START: Position = Position { last_seq: 0, head: None };

    #[test]
    fn numbers_and_links_go_on_where_the_last_batch_ended() {
        let first = plan(&Toy, Reactions::default(), &START, &[pending(1, "user.created"), pending(2, "user.created")])
            .unwrap();
        assert_eq!(first.numbered.iter().map(|(_, seq)| *seq).collect::<Vec<_>>(), [1, 2]);
        let position = Position { last_seq: first.last_seq, head: first.head };
        let second = plan(&Toy, Reactions::default(), &position, &[pending(3, "user.created")]).unwrap();
        assert_eq!(second.numbered, [(EventId(Uuid::from_u128(3)), 3)]);
        let Entry::Waiting(entry) = pending(3, "user.created").entry else { unreachable!() };
        assert_eq!(second.links, [link(&Toy, 3, &first.head.unwrap().hash, &entry)]);
    }

    #[test]
    fn a_poisoned_event_leaves_no_gap_and_its_entry_is_chained() {
        let mut torn = pending(3, "user.created");
        torn.event = Err("payload is not JSON".to_owned());
        let mut alone = pending(4, "user.created");
        alone.entry = Entry::Missing;
        let batch = [pending(1, "user.created"), pending(2, "user.exploded"), torn, alone, pending(5, "user.created")];
        let plan = plan(&Toy, Reactions::default(), &START, &batch).unwrap();
        let seqs: Vec<_> = plan.numbered.iter().map(|(id, seq)| (id.0.as_u128(), *seq)).collect();
        assert_eq!(seqs, [(1, 1), (5, 2)]);
        assert_eq!(plan.links.iter().map(|link| link.audit.0.as_u128()).collect::<Vec<_>>(), [1, 2, 3, 5]);
        let reasons: Vec<_> = plan.failed.iter().map(|(_, reason)| reason.as_str()).collect();
        assert!(reasons[0].contains("unknown kind"), "{reasons:?}");
        assert!(reasons[1].contains("not JSON"), "{reasons:?}");
        assert!(reasons[2].contains("missing"), "{reasons:?}");
    }

    #[test]
    fn an_event_that_is_tried_again_is_not_chained_twice() {
        let mut again = pending(1, "user.created");
        again.entry = Entry::Linked;
        let plan = plan(&Toy, Reactions::default(), &START, &[again]).unwrap();
        assert_eq!((plan.numbered.len(), plan.links.len(), plan.head), (1, 0, None));
    }

    #[test]
    fn nothing_is_chained_to_a_head_that_does_not_verify() {
        let batch = [pending(1, "user.created")];
        let good = Mark::sealed(&Toy, End::Head, 4, [7; 32]);
        for head in [
            None,
            Some(Mark { seq: 3, ..good }),
            Some(Mark { hash: [8; 32], ..good }),
            Some(Mark::sealed(&Toy, End::Base, 4, [7; 32])),
        ] {
            assert!(plan(&Toy, Reactions::default(), &Position { last_seq: 4, head }, &batch).is_err(), "{head:?}");
        }
        assert!(plan(&Toy, Reactions::default(), &Position { last_seq: 4, head: Some(good) }, &batch).is_ok());
    }
}
