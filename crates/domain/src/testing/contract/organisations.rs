//! Members of seller accounts and invitations to them, through the use cases that change them.

use super::{Harness, begin, fixtures, page};
use crate::{
    Error, Principal, Result,
    error::Violations,
    id::{SellerId, UserId},
    idempotency::Once,
    identity::{Sellers, Verification},
    organisation::{
        INVITATION_LIFE, InvitationInput, Invited, MemberRole, accept_invitation, change_member, invite, remove_member,
        revoke_invitation,
    },
    permission::{Role, WriteProducts},
    testing::{Fixtures, PlainMac, Postbox},
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    who_is_invited_becomes_a_member(harness).await;
    a_code_is_for_one_address_once_and_for_a_time(harness).await;
    members_do_what_their_role_allows(harness).await;
    the_last_owner_stays(harness).await;
    who_is_a_member_of_none_is_no_seller(harness).await;
    nobody_is_a_member_of_too_many(harness).await;
}

async fn invited(given: &Fixtures, by: &Principal, email: &str, role: MemberRole) -> Result<Invited> {
    let input = InvitationInput { email: Some(email.to_owned()), role: Some(role) };
    let new = input.check(&mut Violations::default()).unwrap();
    let seller = by.seller.unwrap();
    let room = Postbox::room(Verification::Off);
    let made = invite(&given.shop, &PlainMac, &room, given.authorized(by), seller, new, &Once::always()).await?;
    Ok(made.fresh().unwrap())
}

async fn address(harness: &impl Harness, user: UserId) -> String {
    begin(harness).await.users().find(user).await.unwrap().unwrap().email.as_str().to_owned()
}

/// Makes somebody a member of an account, and gives who they are then.
async fn joined(
    harness: &impl Harness,
    given: &Fixtures,
    owner: &Principal,
    who: &Principal,
    role: MemberRole,
) -> Principal {
    let code = invited(given, owner, &address(harness, who.user).await, role).await.unwrap().code;
    given.prove_email(who.user).await;
    accept_invitation(&given.shop, &PlainMac, given.authorized(who), &code).await.unwrap();
    harness.users().principal(who.user).await.unwrap().unwrap()
}

async fn who_is_invited_becomes_a_member(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, bob) = (given.seller().await, given.person(Role::User).await);
    let account = ada.seller.unwrap();
    let made =
        invited(&given, &ada, &address(harness, bob.user).await.to_uppercase(), MemberRole::Manager).await.unwrap();
    assert!(!format!("{made:?}").contains(&made.code));
    let now = given.shop.now();
    let open = harness.organisations().invitations(account, now, page(1, 20)).await.unwrap();
    assert_eq!((open.total, &open.items[0]), (1, &made.invitation));
    let unproven = accept_invitation(&given.shop, &PlainMac, given.authorized(&bob), &made.code).await;
    assert!(matches!(unproven, Err(Error::Forbidden(_))), "the code may have come from who invites");
    given.prove_email(bob.user).await;
    let account_joined = accept_invitation(&given.shop, &PlainMac, given.authorized(&bob), &made.code).await.unwrap();
    assert_eq!((account_joined.seller.id, account_joined.role), (account, MemberRole::Manager));
    assert_eq!(harness.organisations().invitations(account, now, page(1, 20)).await.unwrap().total, 0);
    let bob = harness.users().principal(bob.user).await.unwrap().unwrap();
    assert_eq!((bob.seller, bob.roles.highest()), (Some(account), Role::Seller));
    assert!(bob.may::<WriteProducts>());
    let members = harness.organisations().members(account, page(1, 20)).await.unwrap();
    let told: Vec<_> = members.items.iter().map(|one| (one.user, one.role)).collect();
    assert_eq!(told, [(ada.user, MemberRole::Owner), (bob.user, MemberRole::Manager)]);
    assert_eq!(harness.organisations().role_in(account, bob.user).await.unwrap(), Some(MemberRole::Manager));
    let events = harness.events_of(account.0).await.unwrap();
    let event = events.iter().find(|event| event.kind == "seller.member_joined").unwrap();
    assert_eq!(crate::identity::known::concerns(event), Some(bob.user));
    let all = serde_json::to_string(&(events, harness.events_of(made.invitation.id.0).await.unwrap())).unwrap();
    assert!(!all.contains("example.com") && !all.contains(&made.code), "{all}");
}

async fn a_code_is_for_one_address_once_and_for_a_time(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, bob, eve) = (given.seller().await, given.person(Role::User).await, given.person(Role::User).await);
    let email = address(harness, bob.user).await;
    given.prove_email(bob.user).await;
    let accept = async |who: &Principal, code: &str| {
        accept_invitation(&given.shop, &PlainMac, given.authorized(who), code).await.map(|_| ())
    };
    let unknown = |refused: Result<()>| assert_eq!(refused.unwrap_err().to_string(), "Invitation not found");
    let made = invited(&given, &ada, &email, MemberRole::Member).await.unwrap();
    unknown(accept(&eve, &made.code).await);
    unknown(accept(&bob, "").await);
    unknown(accept(&bob, &made.code.replace(&made.code[..1], "x")).await);
    accept(&bob, &made.code).await.unwrap();
    unknown(accept(&bob, &made.code).await);
    let again = invited(&given, &ada, &email, MemberRole::Member).await.unwrap();
    assert!(matches!(accept(&bob, &again.code).await, Err(Error::Conflict(_))));

    let eves = address(harness, eve.user).await;
    let taken_back = invited(&given, &ada, &eves, MemberRole::Member).await.unwrap();
    let revoke = async |who: &Principal, id| revoke_invitation(&given.shop, given.authorized(who), id).await;
    unknown(revoke(&eve, taken_back.invitation.id).await);
    assert!(matches!(revoke(&bob, taken_back.invitation.id).await, Err(Error::Forbidden(_))));
    revoke(&ada, taken_back.invitation.id).await.unwrap();
    unknown(revoke(&ada, taken_back.invitation.id).await);
    unknown(accept(&eve, &taken_back.code).await);

    let late = invited(&given, &ada, &eves, MemberRole::Member).await.unwrap();
    given.clock.advance(INVITATION_LIFE);
    unknown(accept(&eve, &late.code).await);
    assert_eq!(
        begin(harness).await.organisations().open_invitations(ada.seller.unwrap(), given.shop.now()).await.unwrap(),
        0
    );
}

async fn members_do_what_their_role_allows(harness: &impl Harness) {
    let given = fixtures(harness);
    let owner = given.seller().await;
    let account = owner.seller.unwrap();
    let mut people = Vec::new();
    for role in [MemberRole::Member, MemberRole::Manager] {
        let person = given.person(Role::User).await;
        people.push(joined(harness, &given, &owner, &person, role).await);
    }
    let (member, manager) = (&people[0], &people[1]);
    let stranger = given.seller().await;
    let set =
        async |by: &Principal, user, role| change_member(&given.shop, given.authorized(by), account, user, role).await;
    let remove = async |by: &Principal, user| remove_member(&given.shop, given.authorized(by), account, user).await;
    for role in [MemberRole::Member, MemberRole::Manager, MemberRole::Owner] {
        let refused = invited(&given, member, "new@example.com", role).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{role:?}");
        let of_manager = invited(&given, manager, "new@example.com", role).await;
        assert_eq!(of_manager.is_ok(), role == MemberRole::Member, "{role:?}");
        assert!(matches!(set(manager, member.user, role).await, Err(Error::Forbidden(_))));
        assert!(matches!(set(&stranger, member.user, role).await, Err(Error::NotFound("Seller"))));
    }
    for who in [owner.user, manager.user] {
        assert!(matches!(remove(member, who).await, Err(Error::Forbidden(_))));
        assert!(matches!(remove(&stranger, who).await, Err(Error::NotFound("Seller"))));
    }
    assert!(matches!(remove(manager, owner.user).await, Err(Error::Forbidden(_))));
    assert!(matches!(remove(&owner, stranger.user).await, Err(Error::NotFound("Member"))));
    assert!(matches!(set(&owner, stranger.user, MemberRole::Member).await, Err(Error::NotFound("Member"))));
    set(&owner, member.user, MemberRole::Owner).await.unwrap();
    set(&owner, member.user, MemberRole::Owner).await.unwrap();
    assert!(matches!(remove(manager, member.user).await, Err(Error::Forbidden(_))));
    set(member, owner.user, MemberRole::Member).await.unwrap();
    remove(manager, owner.user).await.unwrap();
    let told: Vec<_> = harness.events_of(account.0).await.unwrap().into_iter().map(|event| event.kind).collect();
    assert_eq!(told.iter().filter(|kind| *kind == "seller.member_changed").count(), 2);
    assert_eq!(told.iter().filter(|kind| *kind == "seller.member_left").count(), 1);
}

async fn the_last_owner_stays(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, bob) = (given.seller().await, given.person(Role::User).await);
    let account = ada.seller.unwrap();
    let bob = joined(harness, &given, &ada, &bob, MemberRole::Manager).await;
    let set = async |role| change_member(&given.shop, given.authorized(&ada), account, ada.user, role).await;
    assert!(matches!(set(MemberRole::Manager).await, Err(Error::Conflict(_))));
    let leave = async |who: &Principal| remove_member(&given.shop, given.authorized(who), account, who.user).await;
    assert!(matches!(leave(&ada).await, Err(Error::Conflict(_))));
    change_member(&given.shop, given.authorized(&ada), account, bob.user, MemberRole::Owner).await.unwrap();
    leave(&ada).await.unwrap();
    assert!(matches!(leave(&bob).await, Err(Error::Conflict(_))));
}

async fn who_is_a_member_of_none_is_no_seller(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, bob, carl) = (given.seller().await, given.seller().await, given.person(Role::User).await);
    joined(harness, &given, &ada, &carl, MemberRole::Member).await;
    let carl = joined(harness, &given, &bob, &carl, MemberRole::Member).await;
    let both = Sellers::new([ada.seller.unwrap(), bob.seller.unwrap()]);
    assert_eq!((carl.sellers, carl.seller), (both, None), "which one is for them to say");
    let accounts = harness.organisations().accounts(carl.user).await.unwrap();
    assert_eq!(accounts.iter().map(|one| one.seller.id).collect::<Vec<_>>(), both.as_slice());
    let acting = carl.clone().acting_for(bob.seller.unwrap()).unwrap();
    assert_eq!(acting.seller, bob.seller);
    assert!(carl.clone().acting_for(SellerId(given.shop.id())).is_err());
    let leave = async |account| remove_member(&given.shop, given.authorized(&carl), account, carl.user).await.unwrap();
    leave(ada.seller.unwrap()).await;
    let now = harness.users().principal(carl.user).await.unwrap().unwrap();
    assert_eq!((now.seller, now.roles.highest()), (bob.seller, Role::Seller));
    leave(bob.seller.unwrap()).await;
    let now = harness.users().principal(carl.user).await.unwrap().unwrap();
    assert_eq!((now.sellers, now.roles.highest()), (Sellers::NONE, Role::User));
}

async fn nobody_is_a_member_of_too_many(harness: &impl Harness) {
    let given = fixtures(harness);
    let mut carl = given.person(Role::User).await;
    for _ in 0..Sellers::MAX {
        let owner = given.seller().await;
        carl = joined(harness, &given, &owner, &carl, MemberRole::Member).await;
    }
    assert_eq!(carl.sellers.as_slice().len(), Sellers::MAX);
    let owner = given.seller().await;
    let code = invited(&given, &owner, &address(harness, carl.user).await, MemberRole::Member).await.unwrap().code;
    let refused = accept_invitation(&given.shop, &PlainMac, given.authorized(&carl), &code).await;
    assert!(matches!(refused, Err(Error::Conflict(_))));
}
