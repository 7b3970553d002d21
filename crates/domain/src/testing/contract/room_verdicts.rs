//! Who may do what in which room: every kind of caller, both kinds of room, every way into it. The rule is written down here a second
//! time, in the plainest form, and every surface must agree with it.

use super::{
    Harness, begin, fixtures, known, page,
    verdicts::{Verdict, banned, key, with_role},
};
use crate::{
    Actor, Principal,
    id::UserId,
    permission::{ManageRooms, Role, UseRooms},
    room::{
        self, Member, Message, MessageInput, Room, RoomKind, RoomPatch, RoomRole, Sanction, SanctionInput,
        SanctionKind, policy, ports::Listed,
    },
    testing::Fixtures,
};

/// What somebody lacks who may do nothing in rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lacks {
    Nothing,
    SignIn,
    Scope,
}

/// A kind of caller: what they are in the room, what stands against them, and what they may everywhere.
#[derive(Debug, Clone)]
struct Caller {
    who: &'static str,
    actor: Actor,
    lacks: Lacks,
    role: Option<RoomRole>,
    sanction: Option<SanctionKind>,
    keeper: bool,
}

impl Caller {
    fn enters(&self, kind: RoomKind) -> Verdict {
        match (self.keeper, kind, self.role, self.sanction) {
            (true, ..) => Verdict::Done,
            (_, RoomKind::Private, None, _) => Verdict::NotFound,
            (_, _, _, Some(SanctionKind::Ban)) => Verdict::Forbidden,
            _ => Verdict::Done,
        }
    }

    /// What comes of something that takes being in the room and this besides.
    fn does(&self, kind: RoomKind, fits: bool) -> Verdict {
        match (self.lacks, self.enters(kind)) {
            (Lacks::SignIn, _) => Verdict::Unauthenticated,
            (Lacks::Scope, _) => Verdict::Forbidden,
            (Lacks::Nothing, Verdict::Done) if !fits => Verdict::Forbidden,
            (Lacks::Nothing, entered) => entered,
        }
    }

    fn rank(&self) -> Option<RoomRole> {
        if self.keeper { Some(RoomRole::Owner) } else { self.role }
    }
}

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    let given = fixtures(harness);
    let callers = callers(harness, &given).await;
    let owner = given.person(Role::User).await;
    for kind in [RoomKind::Public, RoomKind::Private] {
        for caller in &callers {
            let room = room_of(harness, &given, &owner, kind, caller).await;
            let what = format!("{}: {kind:?}", caller.who);
            reads(harness, caller, &room, &what).await;
            writes(harness, &given, caller, &owner, &room, &what).await;
        }
    }
    assert_eq!(callers.len(), 13);
}

/// Every kind of caller, as the store says they are.
async fn callers(harness: &impl Harness, given: &Fixtures) -> Vec<Caller> {
    let (now, admin) = (given.shop.now(), given.person(Role::Admin).await);
    let person = async || given.person(Role::User).await.user;
    let as_stored =
        async |user: UserId| harness.users().principal(user).await.unwrap().map_or(Actor::Anonymous, Actor::Signed);
    let keeper = with_role(given, &admin, &["rooms:use", "rooms:manage"]).await;
    let (owner, gone) = (person().await, person().await);
    banned(given, &admin, gone).await;
    let Actor::Signed(acted) = as_stored(owner).await else { panic!("the owner is there") };
    let caller = |who, actor, role| {
        let (lacks, sanction) = (Lacks::Nothing, None);
        Caller { who, actor, lacks, role, sanction, keeper: false }
    };
    let robot = Principal::clone(&acted);
    let known = known(harness).await;
    let through = async |by: &Principal, scope| Actor::Signed(key(given, &known, by, scope, now).await);
    vec![
        Caller { lacks: Lacks::SignIn, ..caller("nobody", Actor::Anonymous, None) },
        caller("a stranger", as_stored(person().await).await, None),
        caller("a member", as_stored(person().await).await, Some(RoomRole::Member)),
        caller("a moderator", as_stored(person().await).await, Some(RoomRole::Moderator)),
        caller("an owner", as_stored(owner).await, Some(RoomRole::Owner)),
        Caller {
            sanction: Some(SanctionKind::Ban),
            ..caller("who is banned from it", as_stored(person().await).await, Some(RoomRole::Member))
        },
        Caller {
            sanction: Some(SanctionKind::Mute),
            ..caller("who is muted in it", as_stored(person().await).await, Some(RoomRole::Member))
        },
        Caller { keeper: true, ..caller("who keeps rooms", as_stored(keeper).await, None) },
        Caller { keeper: true, ..caller("an administrator", as_stored(admin.user).await, None) },
        caller("an owner's key for rooms", through(&robot, "rooms:use").await, Some(RoomRole::Owner)),
        Caller {
            lacks: Lacks::Scope,
            ..caller("an owner's key for something else", through(&robot, "account:own").await, Some(RoomRole::Owner))
        },
        caller("an administrator as the owner", Actor::Signed(acted.impersonated(&admin)), Some(RoomRole::Owner)),
        Caller { lacks: Lacks::SignIn, ..caller("who is banned everywhere", as_stored(gone).await, None) },
    ]
}

/// A room of somebody else, in which the caller is what they are, with one message.
async fn room_of(harness: &impl Harness, given: &Fixtures, owner: &Principal, kind: RoomKind, caller: &Caller) -> Room {
    let room = given.stored_room(kind, owner).await;
    let (now, mut tx) = (given.shop.now(), begin(harness).await);
    let first = Member { user: owner.user, role: RoomRole::Owner, since: now };
    assert!(tx.rooms().set_member(room.id, &first).await.unwrap());
    if let Some(who) = caller.actor.principal() {
        if let Some(role) = caller.role {
            assert!(tx.rooms().set_member(room.id, &Member { user: who.user, role, since: now }).await.unwrap());
        }
        if let Some(kind) = caller.sanction {
            let sanction =
                Sanction { kind, user: who.user, until: None, by: owner.user, reason: String::new(), at: now };
            assert!(tx.rooms().set_sanction(room.id, &sanction).await.unwrap());
        }
    }
    tx.commit().await.unwrap();
    room
}

/// Every way to know of a room: looking at it, being in it already, lists.
async fn reads(harness: &impl Harness, caller: &Caller, room: &Room, what: &str) {
    let now = fixtures(harness).shop.now();
    let (rooms, who) = (harness.rooms(), caller.actor.principal());
    let user = who.map(|who| who.user);
    let expected = caller.enters(room.kind);
    for seen in [rooms.seen(room.id, user, now).await, rooms.seen_by_name(&room.name, user, now).await] {
        let seen = seen.unwrap().unwrap();
        assert_eq!(Verdict::of(&policy::may_enter(who, &seen.room, &seen.standing)), expected, "enter, {what}");
    }
    // Those who are in it already stay by the same rule.
    let admitted = rooms.admission(room.id, now).await.unwrap().unwrap();
    let is_in = |users: &std::collections::HashSet<UserId>| user.is_some_and(|user| users.contains(&user));
    let stays =
        caller.keeper || !is_in(&admitted.banned) && (admitted.kind == RoomKind::Public || is_in(&admitted.members));
    assert_eq!(stays, expected == Verdict::Done, "stay, {what}");
    let listed = match who {
        Some(who) if who.may::<ManageRooms>() => Listed::All,
        Some(who) => Listed::Of(who.user),
        None => Listed::Public,
    };
    let (mut number, mut told) = (1, false);
    loop {
        let one = rooms.list(listed, page(number, 100)).await.unwrap();
        told |= one.items.iter().any(|item| item.id == room.id);
        if u64::from(number) >= one.pages {
            break;
        }
        number += 1;
    }
    let shown = caller.keeper || room.kind == RoomKind::Public || caller.role.is_some();
    assert_eq!(told, shown, "list, {what}");
}

/// Every way to change something in a room; the last one deletes it.
async fn writes(harness: &impl Harness, given: &Fixtures, caller: &Caller, owner: &Principal, room: &Room, what: &str) {
    let (shop, kind) = (&given.shop, room.kind);
    let by = || caller.actor.authorize::<UseRooms>();
    let other = said(given, owner, room, "Hello").await;
    let muted = caller.sanction == Some(SanctionKind::Mute) && !caller.keeper;
    let posted = match by() {
        Ok(by) => room::post_message(shop, by, room.id, text("Me too")).await.map(|posted| posted.message),
        Err(refused) => Err(refused),
    };
    assert_eq!(Verdict::of(&posted), caller.does(kind, !muted), "write, {what}");
    if let Ok(own) = posted {
        room::erase_message(shop, by().unwrap(), room.id, own.offset).await.unwrap();
    }
    let moderates = caller.rank() >= Some(RoomRole::Moderator);
    let erased = match by() {
        Ok(by) => room::erase_message(shop, by, room.id, other.offset).await,
        Err(refused) => Err(refused),
    };
    assert_eq!(Verdict::of(&erased), caller.does(kind, moderates), "erase, {what}");
    let stranger = given.person(Role::User).await.user;
    let muting = match by() {
        Ok(by) => {
            let input = SanctionInput::default();
            room::sanction(shop, by, room.id, stranger, SanctionKind::Mute, input).await.map(|_| ())
        }
        Err(refused) => Err(refused),
    };
    assert_eq!(Verdict::of(&muting), caller.does(kind, moderates), "mute, {what}");
    let owns = caller.rank() >= Some(RoomRole::Owner);
    let updated = match by() {
        Ok(by) => room::update_room(shop, by, room.id, RoomPatch::default(), None).await.map(|_| ()),
        Err(refused) => Err(refused),
    };
    assert_eq!(Verdict::of(&updated), caller.does(kind, owns), "update, {what}");
    let gone = match by() {
        Ok(by) => room::delete_room(shop, by, room.id, None).await,
        Err(refused) => Err(refused),
    };
    assert_eq!(Verdict::of(&gone), caller.does(kind, owns), "delete, {what}");
    let left = begin(harness).await.rooms().find(room.id).await.unwrap();
    assert_eq!(left.is_none(), gone.is_ok(), "{what}");
}

fn text(content: &str) -> room::NewMessage {
    let input = MessageInput { content: Some(content.to_owned()), client_id: None };
    input.check(&mut crate::Violations::default()).unwrap()
}

async fn said(given: &Fixtures, by: &Principal, room: &Room, content: &str) -> Message {
    room::post_message(&given.shop, given.authorized(by), room.id, text(content)).await.unwrap().message
}
