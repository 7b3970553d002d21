//! What every keeper of presence is held to, as two nodes see it. Its moments are the cases' own.

use std::{task::Poll, time::Duration};

use uuid::Uuid;

use crate::{
    clock::Timestamp,
    id::{RoomId, UserId},
    room::{Change, Crowd, Moved, NodeId, Presence, Renewed},
};

/// How long a lease of the cases lasts.
const LEASE: Duration = Duration::from_secs(10);

/// Runs the cases. `here` and `there` may be the same, or two processes'. Nothing else may use them meanwhile.
pub async fn run(here: &dyn Presence, there: &dyn Presence) {
    a_person_on_two_nodes_is_there_once(here, there).await;
    entering_again_changes_nothing(here).await;
    a_batch_is_entered_in_order(here).await;
    a_crowd_is_capped_and_counted(here, there).await;
    the_dead_are_swept_once(here, there).await;
    who_comes_back_between_death_and_sweep_did_not_leave(here, there).await;
    a_swept_node_that_comes_back_is_told_so(here, there).await;
    at_the_same_moment_one_notices(here, there).await;
}

fn moment(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Ids that no other case has, by the number of the case.
struct Case {
    room: RoomId,
    nodes: [NodeId; 2],
    people: [UserId; 3],
}

impl Case {
    fn new(number: u128) -> Self {
        let id = |n: u128| Uuid::from_u128(0x70 << 120 | number << 8 | n);
        Self {
            room: RoomId(id(0)),
            nodes: [NodeId(id(1)), NodeId(id(2))],
            people: [UserId(id(3)), UserId(id(4)), UserId(id(5))],
        }
    }

    fn comes(&self, person: usize) -> Change {
        Change { room: self.room, user: self.people[person], present: true }
    }

    fn goes(&self, person: usize) -> Change {
        Change { present: false, ..self.comes(person) }
    }
}

/// Runs two calls at the same time.
pub(super) async fn both<T>(a: impl Future<Output = T>, b: impl Future<Output = T>) -> (T, T) {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut of_a, mut of_b) = (None, None);
    std::future::poll_fn(|context| {
        if of_a.is_none()
            && let Poll::Ready(value) = a.as_mut().poll(context)
        {
            of_a = Some(value);
        }
        if of_b.is_none()
            && let Poll::Ready(value) = b.as_mut().poll(context)
        {
            of_b = Some(value);
        }
        match (of_a.take(), of_b.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (of_a, of_b) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}

fn moved(change: Change, count: u64) -> Moved {
    Moved { change, count }
}

async fn a_person_on_two_nodes_is_there_once(here: &dyn Presence, there: &dyn Presence) {
    let case = Case::new(1);
    let ([one, two], comes, goes) = (case.nodes, case.comes(0), case.goes(0));
    assert_eq!(here.update(one, &[comes]).await.unwrap(), [moved(comes, 1)]);
    assert_eq!(there.update(two, &[comes]).await.unwrap(), []);
    assert_eq!(there.crowd(case.room, 10).await.unwrap().count, 1);
    assert_eq!(here.update(one, &[goes]).await.unwrap(), []);
    assert_eq!(here.crowd(case.room, 10).await.unwrap().some, [case.people[0]]);
    assert_eq!(there.update(two, &[goes]).await.unwrap(), [moved(goes, 0)]);
    assert_eq!(here.crowd(case.room, 10).await.unwrap(), Crowd::default());
}

async fn entering_again_changes_nothing(here: &dyn Presence) {
    let case = Case::new(2);
    let [one, two] = case.nodes;
    assert_eq!(here.update(one, &[case.goes(0)]).await.unwrap(), []);
    assert_eq!(here.update(one, &[case.comes(0), case.comes(0)]).await.unwrap().len(), 1);
    assert_eq!(here.update(one, &[case.comes(0)]).await.unwrap(), []);
    assert_eq!(here.update(two, &[case.goes(0)]).await.unwrap(), [], "it was never there on that node");
    assert_eq!(here.update(one, &[case.goes(0), case.goes(0)]).await.unwrap().len(), 1);
    assert!(here.update(one, &[]).await.unwrap().is_empty());
}

async fn a_batch_is_entered_in_order(here: &dyn Presence) {
    let case = Case::new(3);
    let batch = [case.comes(0), case.comes(1), case.goes(0), case.comes(2)];
    let told = here.update(case.nodes[0], &batch).await.unwrap();
    assert_eq!(told, batch.map(|change| moved(change, 2)));
    here.update(case.nodes[0], &[case.goes(1), case.goes(2)]).await.unwrap();
}

async fn a_crowd_is_capped_and_counted(here: &dyn Presence, there: &dyn Presence) {
    let case = Case::new(4);
    here.update(case.nodes[0], &[case.comes(0), case.comes(1)]).await.unwrap();
    there.update(case.nodes[1], &[case.comes(1), case.comes(2)]).await.unwrap();
    let few = here.crowd(case.room, 2).await.unwrap();
    assert_eq!((few.some.len(), few.count), (2, 3));
    let mut all = there.crowd(case.room, 3).await.unwrap();
    all.some.sort();
    assert_eq!(all.some, case.people);
    here.update(case.nodes[0], &[case.goes(0), case.goes(1)]).await.unwrap();
    there.update(case.nodes[1], &[case.goes(1), case.goes(2)]).await.unwrap();
}

async fn the_dead_are_swept_once(here: &dyn Presence, there: &dyn Presence) {
    let case = Case::new(5);
    let [lives, dies] = case.nodes;
    here.renew(lives, moment(100) + LEASE).await.unwrap();
    there.renew(dies, moment(100) + LEASE).await.unwrap();
    here.update(lives, &[case.comes(0)]).await.unwrap();
    there.update(dies, &[case.comes(0), case.comes(1), case.comes(2)]).await.unwrap();
    assert_eq!(here.sweep(moment(109)).await.unwrap(), [], "both live");
    assert_eq!(here.renew(lives, moment(120)).await.unwrap(), Renewed::Held);
    let (a, b) = both(here.sweep(moment(110)), there.sweep(moment(110))).await;
    let mut gone: Vec<_> = a.unwrap().into_iter().chain(b.unwrap()).collect();
    gone.sort_by_key(|moved| moved.change);
    assert_eq!(gone, [moved(case.goes(1), 1), moved(case.goes(2), 1)], "each once, and not who is on another node");
    assert_eq!(here.sweep(moment(119)).await.unwrap(), []);
    assert_eq!(here.crowd(case.room, 10).await.unwrap().some, [case.people[0]]);
    assert_eq!(here.sweep(moment(120)).await.unwrap(), [moved(case.goes(0), 0)]);
}

async fn who_comes_back_between_death_and_sweep_did_not_leave(here: &dyn Presence, there: &dyn Presence) {
    let case = Case::new(6);
    let [lives, dies] = case.nodes;
    there.renew(dies, moment(210)).await.unwrap();
    there.update(dies, &[case.comes(0)]).await.unwrap();
    assert_eq!(here.update(lives, &[case.comes(0)]).await.unwrap(), [], "nobody was told that they left");
    assert_eq!(here.sweep(moment(220)).await.unwrap(), []);
    assert_eq!(here.crowd(case.room, 10).await.unwrap().count, 1);
    assert_eq!(here.update(lives, &[case.goes(0)]).await.unwrap(), [moved(case.goes(0), 0)]);
}

async fn a_swept_node_that_comes_back_is_told_so(here: &dyn Presence, there: &dyn Presence) {
    let case = Case::new(7);
    let node = case.nodes[0];
    assert_ne!(here.renew(node, moment(310)).await.unwrap(), Renewed::Held);
    here.update(node, &[case.comes(0)]).await.unwrap();
    assert_eq!(there.sweep(moment(310)).await.unwrap(), [moved(case.goes(0), 0)]);
    assert_eq!(here.renew(node, moment(330)).await.unwrap(), Renewed::Swept);
    assert_eq!(here.renew(node, moment(340)).await.unwrap(), Renewed::Held);
    assert_eq!(here.update(node, &[case.comes(0)]).await.unwrap(), [moved(case.comes(0), 1)]);
    assert_eq!(there.sweep(moment(340)).await.unwrap().len(), 1);
}

async fn at_the_same_moment_one_notices(here: &dyn Presence, there: &dyn Presence) {
    let case = Case::new(8);
    for _ in 0..20 {
        for change in [case.comes(0), case.goes(0)] {
            let changes = [change];
            let (a, b) = both(here.update(case.nodes[0], &changes), there.update(case.nodes[1], &changes)).await;
            assert_eq!(a.unwrap().len() + b.unwrap().len(), 1, "{change:?}");
        }
    }
}
