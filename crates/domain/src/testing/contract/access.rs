//! Roles, bans, people and API keys, through the use cases that change them.

use std::time::Duration;

use super::{Harness, begin, fixtures, known, page};
use crate::{
    Actor, Error, Principal,
    access::{
        BanInput, KeyInput, KeyPatch, KeyText, Keys, LiftBan, MadeKey, NewKey, RoleInput, RolePatch, StoredRole,
        ban_user, create_key, create_role, delete_key, delete_role, lift_ban, ports::KeysOf, ports::PeopleFilter,
        set_role, table, unban_user, update_key, update_role,
    },
    catalog::Version,
    error::Violations,
    id::{ApiKeyId, SellerId},
    idempotency::Once,
    identity::RoleChange,
    permission::{ManageCatalog, ManageRoles, ManageUsers, Permission, Permissions, ReadAudit, Role, WriteProducts},
    testing::{Fixtures, PlainMac},
};

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    the_built_in_roles_are_there(harness).await;
    a_role_is_data_and_counts_at_once(harness).await;
    nobody_gives_what_they_do_not_have(harness).await;
    a_built_in_role_stays_but_for_what_it_may(harness).await;
    who_is_banned_is_nobody(harness).await;
    a_ban_ends_by_its_job(harness).await;
    people_are_found(harness).await;
    a_key_is_what_its_owner_is_and_no_more(harness).await;
    a_key_ends_with_its_owner_its_time_or_its_deletion(harness).await;
    keys_of_somebody_who_goes_rest(harness).await;
    a_key_of_an_account_is_its_own(harness).await;
    keys_are_listed_and_remember_their_use(harness).await;
}

fn new_role(given: &Fixtures, level: i64, permissions: &[&str]) -> RoleInput {
    RoleInput {
        name: Some(format!("role-{}", given.serial())),
        level: Some(level),
        permissions: Some(permissions.iter().map(|one| (*one).to_owned()).collect()),
    }
}

/// The kinds of the events about a thing, in the order of the alphabet.
async fn kinds(harness: &impl Harness, entity: uuid::Uuid) -> Vec<String> {
    let mut kinds: Vec<_> = harness.events_of(entity).await.unwrap().into_iter().map(|event| event.kind).collect();
    kinds.sort();
    kinds
}

/// A role made by an administrator.
async fn made_role(given: &Fixtures, level: i64, permissions: &[&str]) -> StoredRole {
    let admin = given.person(Role::Admin).await;
    let new = new_role(given, level, permissions).check(&mut Violations::default()).unwrap();
    create_role(&given.shop, given.authorized(&admin), new, &Once::always()).await.unwrap().fresh().unwrap()
}

/// A person with this role, as the store says they are.
async fn with_role(harness: &impl Harness, given: &Fixtures, role: Role) -> Principal {
    let admin = given.person(Role::Admin).await;
    let user = given.person(Role::User).await.user;
    set_role(&given.shop, given.authorized(&admin), user, RoleChange::Grant, role.name()).await.unwrap();
    harness.users().principal(user).await.unwrap().unwrap()
}

async fn the_built_in_roles_are_there(harness: &impl Harness) {
    let stored = harness.roles().all().await.unwrap();
    let built_in: Vec<_> = stored.iter().filter(|one| Role::ALL.contains(&one.role)).cloned().collect();
    assert_eq!(built_in.iter().map(|one| one.role).collect::<Vec<_>>(), Role::ALL);
    assert_eq!(
        built_in.iter().map(|one| one.id).collect::<Vec<_>>(),
        StoredRole::delivered().iter().map(|one| one.id).collect::<Vec<_>>()
    );
    assert!(stored.is_sorted_by_key(|one| one.role));
    assert!(table(&built_in).contains("roles:manage"));
}

async fn a_role_is_data_and_counts_at_once(harness: &impl Harness) {
    let given = fixtures(harness);
    let admin = given.person(Role::Admin).await;
    let role = made_role(&given, 20, &["audit:read"]).await;
    assert!(harness.roles().all().await.unwrap().contains(&role));
    let twice = RoleInput { name: Some(role.role.name().to_owned()), ..new_role(&given, 30, &[]) };
    let twice = twice.check(&mut Violations::default()).unwrap();
    let taken = create_role(&given.shop, given.authorized(&admin), twice, &Once::always()).await;
    assert!(matches!(taken, Err(Error::Conflict(_))));

    let mentored = with_role(harness, &given, role.role).await;
    assert_eq!((mentored.roles.highest(), mentored.is_admin()), (role.role, false));
    assert!(mentored.may::<ReadAudit>() && !mentored.may::<ManageCatalog>());
    assert_eq!(begin(harness).await.users().find(mentored.user).await.unwrap().unwrap().roles, mentored.roles);

    let mut patch = RolePatch::default();
    patch.level(60, &mut Violations::default());
    patch.permissions(&["catalog:manage".to_owned()], &mut Violations::default());
    let by = || given.authorized(&admin);
    let stale = update_role(&given.shop, by(), role.role.name(), patch, Some(&[Version(7)])).await;
    assert!(matches!(stale, Err(Error::Stale("Role"))));
    let changed = update_role(&given.shop, by(), role.role.name(), patch, Some(&[role.version])).await.unwrap();
    assert_eq!((changed.version, changed.role.level()), (Version(2), 60));
    let now = harness.users().principal(mentored.user).await.unwrap().unwrap();
    assert!(!now.may::<ReadAudit>() && now.may::<ManageCatalog>());
    assert_eq!((now.roles.highest(), now.roles.highest().level()), (changed.role, 60));
    let again = update_role(&given.shop, by(), role.role.name(), patch, None).await.unwrap();
    assert_eq!(again.version, Version(2), "what changes nothing leaves no trace");

    delete_role(&given.shop, by(), role.role.name(), None).await.unwrap();
    let now = harness.users().principal(mentored.user).await.unwrap().unwrap();
    assert_eq!(now.roles.iter().collect::<Vec<_>>(), [Role::User]);
    assert!(!now.may::<ManageCatalog>());
    let gone = set_role(&given.shop, by(), mentored.user, RoleChange::Grant, role.role.name()).await;
    assert!(matches!(gone, Err(Error::NotFound("Role"))));
    assert_eq!(kinds(harness, role.id.0).await, ["role.created", "role.deleted", "role.updated"]);
}

async fn nobody_gives_what_they_do_not_have(harness: &impl Harness) {
    let given = fixtures(harness);
    let steward = made_role(&given, 50, &["roles:manage", "users:manage", "account:own"]).await;
    let steward = with_role(harness, &given, steward.role).await;
    let by = || Actor::Signed(steward.clone()).authorize::<ManageRoles>().unwrap();
    let create = async |level, permissions: &[&str]| {
        let new = new_role(&given, level, permissions).check(&mut Violations::default()).unwrap();
        create_role(&given.shop, by(), new, &Once::always()).await.map(|made| made.fresh().unwrap())
    };
    let forbidden = |told: Error| assert!(matches!(told, Error::Forbidden(_)), "{told:?}");
    forbidden(create(10, &["audit:read"]).await.unwrap_err());
    forbidden(create(51, &["account:own"]).await.unwrap_err());
    let own = create(10, &["users:manage"]).await.unwrap();
    let mut patch = RolePatch::default();
    patch.permissions(&["users:manage".to_owned(), "audit:read".to_owned()], &mut Violations::default());
    forbidden(update_role(&given.shop, by(), own.role.name(), patch, None).await.unwrap_err());
    let mut patch = RolePatch::default();
    patch.level(99, &mut Violations::default());
    forbidden(update_role(&given.shop, by(), own.role.name(), patch, None).await.unwrap_err());

    let richer = made_role(&given, 10, &["audit:read"]).await;
    let (ada, admin) = (given.person(Role::User).await.user, given.person(Role::Admin).await.user);
    let turn = async |user, change, role: &str| set_role(&given.shop, by(), user, change, role).await;
    for role in ["admin", richer.role.name(), steward.roles.highest().name()] {
        for user in [ada, steward.user] {
            forbidden(turn(user, RoleChange::Grant, role).await.unwrap_err());
        }
    }
    forbidden(turn(admin, RoleChange::Revoke, "admin").await.unwrap_err());
    forbidden(turn(admin, RoleChange::Grant, own.role.name()).await.unwrap_err());
    assert!(turn(ada, RoleChange::Grant, own.role.name()).await.unwrap().roles.has(own.role));
    assert!(!turn(ada, RoleChange::Revoke, own.role.name()).await.unwrap().roles.has(own.role));
    assert!(matches!(turn(given.shop.id(), RoleChange::Grant, own.role.name()).await, Err(Error::NotFound("User"))));

    let banning = Actor::Signed(steward.clone()).authorize::<ManageUsers>().unwrap();
    forbidden(ban_user(&given.shop, banning, admin, new_ban(&given, None)).await.unwrap_err());
}

fn new_ban(given: &Fixtures, until: Option<Duration>) -> crate::access::NewBan {
    let now = given.shop.now();
    let input = BanInput { until: until.map(|time| now + time), reason: Some("Sold what was not theirs".to_owned()) };
    input.check(now, &mut Violations::default()).unwrap()
}

async fn a_built_in_role_stays_but_for_what_it_may(harness: &impl Harness) {
    let given = fixtures(harness);
    let admin = given.person(Role::Admin).await;
    let by = || given.authorized(&admin);
    let patch = |change: &dyn Fn(&mut RolePatch)| {
        let mut patch = RolePatch::default();
        change(&mut patch);
        patch
    };
    let narrow = patch(&|patch| patch.permissions(&["account:own".to_owned()], &mut Violations::default()));
    for (name, change) in [("admin", narrow), ("seller", patch(&|patch| patch.level(7, &mut Violations::default())))] {
        let refused = update_role(&given.shop, by(), name, change, None).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{name}: {refused:?}");
    }
    assert!(matches!(delete_role(&given.shop, by(), "user", None).await, Err(Error::Conflict(_))));
    let seller = given.seller().await;
    update_role(&given.shop, by(), "seller", narrow, None).await.unwrap();
    assert!(!harness.users().principal(seller.user).await.unwrap().unwrap().may::<WriteProducts>());
    update_role(&given.shop, by(), "seller", patch(&|patch| patch.as_delivered()), None).await.unwrap();
    assert_eq!(harness.users().principal(seller.user).await.unwrap(), Some(seller));
}

async fn who_is_banned_is_nobody(harness: &impl Harness) {
    let given = fixtures(harness);
    let (admin, ada) = (given.person(Role::Admin).await, given.seller().await);
    let email = begin(harness).await.users().find(ada.user).await.unwrap().unwrap().email;
    let ban = ban_user(&given.shop, given.authorized(&admin), ada.user, new_ban(&given, None)).await.unwrap();
    assert_eq!(harness.users().principal(ada.user).await.unwrap(), None);
    let account = harness.users().account(&email).await.unwrap().unwrap();
    assert_eq!((account.ban, account.seller), (Some(ban.clone()), ada.seller));
    assert_eq!(harness.people().person(ada.user).await.unwrap().unwrap().ban, Some(ban));
    // Again: another end, in place of the one before.
    let until =
        ban_user(&given.shop, given.authorized(&admin), ada.user, new_ban(&given, Some(Duration::from_hours(1))));
    let until = until.await.unwrap();
    assert_eq!(begin(harness).await.bans().find(ada.user).await.unwrap(), Some(until));
    unban_user(&given.shop, given.authorized(&admin), ada.user).await.unwrap();
    assert_eq!(harness.users().principal(ada.user).await.unwrap(), Some(ada.clone()));
    let twice = unban_user(&given.shop, given.authorized(&admin), ada.user).await;
    assert!(matches!(twice, Err(Error::NotFound("Ban"))));
    let oneself = ban_user(&given.shop, given.authorized(&admin), admin.user, new_ban(&given, None)).await;
    assert!(matches!(oneself, Err(Error::Conflict(_))));
    let events = harness.events_of(ada.user.0).await.unwrap();
    assert!(!format!("{events:?}").contains("Sold what"), "why is between the shop and them: {events:?}");
    assert_eq!(kinds(harness, ada.user.0).await, ["user.banned", "user.banned", "user.unbanned"]);
}

async fn a_ban_ends_by_its_job(harness: &impl Harness) {
    let given = fixtures(harness);
    let (admin, ada) = (given.person(Role::Admin).await, given.person(Role::User).await);
    let ban = ban_user(&given.shop, given.authorized(&admin), ada.user, new_ban(&given, Some(Duration::from_mins(5))));
    let until = ban.await.unwrap().until.unwrap();
    let job = LiftBan { user: ada.user, until };
    lift_ban(&given.shop, LiftBan { until: until + Duration::from_secs(1), ..job }).await.unwrap();
    assert_eq!(harness.users().principal(ada.user).await.unwrap(), None, "that is the job of another ban");
    for _ in 0..2 {
        lift_ban(&given.shop, job).await.unwrap();
        assert_eq!(harness.users().principal(ada.user).await.unwrap(), Some(ada.clone()));
    }
    assert_eq!(harness.events_of(ada.user.0).await.unwrap().len(), 2);
}

async fn people_are_found(harness: &impl Harness) {
    let given = fixtures(harness);
    let serial = given.serial();
    let mut made = Vec::new();
    for (email, name, role) in
        [("Zed", "Ärmel", Role::Admin), ("zoë", "ZEbra_x", Role::User), ("ze%", "percent", Role::User)]
    {
        // Ids sort by the time they were made.
        given.clock.advance(Duration::from_millis(1));
        let mut user = given.user(role);
        user.email = crate::identity::Email::stored(format!("{}{serial}@example.com", email.to_lowercase()));
        user.name = format!("{name}{serial}");
        let mut tx = begin(harness).await;
        assert!(tx.users().insert(&user, "plain$x").await.unwrap());
        tx.commit().await.unwrap();
        made.push(user);
    }
    let found = async |filter: PeopleFilter| {
        let found = harness.people().people(&filter, page(1, 100)).await.unwrap();
        let ours: Vec<_> =
            found.items.iter().map(|one| one.user.id).filter(|id| made.iter().any(|one| one.id == *id)).collect();
        (ours, found.total)
    };
    let search = |text: String| PeopleFilter { search: Some(text), ..PeopleFilter::default() };
    let ids = |places: &[usize]| places.iter().map(|place| made[*place].id).collect::<Vec<_>>();
    for (text, expected) in [
        (format!("zed{serial}@"), ids(&[0])),
        (format!("ZED{serial}"), ids(&[0])),
        (format!("zebra_X{serial}"), ids(&[1])),
        (format!("Ärmel{serial}"), ids(&[0])),
        (format!("zoë{serial}"), ids(&[1])),
        (format!("ze%{serial}"), ids(&[2])),
        (format!("ze_{serial}"), ids(&[])),
        (format!("{serial}@example"), ids(&[])),
        (format!("ebra_x{serial}"), ids(&[])),
    ] {
        assert_eq!(
            found(search(text.clone())).await,
            (expected.clone(), u64::try_from(expected.len()).unwrap()),
            "{text}"
        );
    }
    let (all, total) = found(PeopleFilter::default()).await;
    assert!(total >= 3);
    assert_eq!(all, ids(&[2, 1, 0]), "the newest first");
    let (admins, _) = found(PeopleFilter { role: Some("admin".to_owned()), ..PeopleFilter::default() }).await;
    assert_eq!(admins, ids(&[0]));
    let admin = given.person(Role::Admin).await;
    ban_user(&given.shop, given.authorized(&admin), made[1].id, new_ban(&given, None)).await.unwrap();
    let banned = |banned| PeopleFilter { banned: Some(banned), ..PeopleFilter::default() };
    assert_eq!(found(banned(true)).await.0, ids(&[1]));
    assert_eq!(found(banned(false)).await.0, ids(&[2, 0]));
    let far = harness.people().people(&PeopleFilter::default(), page(u32::MAX, 100)).await.unwrap();
    assert!(far.items.is_empty() && far.total >= 3);
    assert_eq!(harness.people().person(given.shop.id()).await.unwrap(), None);
}

fn new_key(given: &Fixtures, scopes: &[&str], seller: Option<SellerId>, life: Option<Duration>) -> NewKey {
    let now = given.shop.now();
    let input = KeyInput {
        name: Some("Stock robot".to_owned()),
        scopes: Some(scopes.iter().map(|one| (*one).to_owned()).collect()),
        seller,
        expires_at: life.map(|life| now + life),
        per_minute: Some(30),
        models: None,
    };
    input.check(now, &mut Violations::default()).unwrap()
}

async fn made_key(given: &Fixtures, by: &Principal, new: NewKey) -> crate::Result<MadeKey> {
    let made = create_key(&given.shop, &PlainMac, given.fresh(by), new, &Once::always()).await?;
    Ok(made.fresh().unwrap())
}

/// Who calls with this text now.
async fn caller(harness: &impl Harness, given: &Fixtures, text: &str) -> Option<Principal> {
    let known = known(harness).await;
    let keys = Keys { known: &known, mac: &PlainMac };
    let found = keys.caller(text, given.shop.now()).await.unwrap();
    if let Some(found) = &found {
        let still = keys.still(found.key.id, given.shop.now()).await.unwrap();
        assert_eq!(still.as_ref(), Some(found));
    }
    found.map(|found| found.principal)
}

async fn a_key_is_what_its_owner_is_and_no_more(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, admin) = (given.seller().await, given.person(Role::Admin).await);
    let made = made_key(&given, &ada, new_key(&given, &["products:write", "reviews:write"], None, None)).await.unwrap();
    let through = caller(harness, &given, made.text.expose()).await.unwrap();
    assert_eq!(through, ada.clone().through_key(made.key.id, made.key.scopes));
    assert!(through.may::<WriteProducts>() && !through.may::<ManageUsers>() && through.seller == ada.seller);
    let narrow = made_key(&given, &ada, new_key(&given, &["account:own"], None, None)).await.unwrap();
    let through = caller(harness, &given, narrow.text.expose()).await.unwrap();
    assert!(through.seller.is_none() && !through.may::<WriteProducts>());
    let more = made_key(&given, &ada, new_key(&given, &["audit:read"], None, None)).await;
    assert!(matches!(more, Err(Error::Forbidden(_))));

    // The right form and the right id, but not the text.
    let forged = KeyText::draw(made.key.id, &*given.shop.entropy);
    assert_eq!(caller(harness, &given, forged.expose()).await, None);
    let unknown = KeyText::draw(ApiKeyId(given.shop.id()), &*given.shop.entropy);
    assert_eq!(caller(harness, &given, unknown.expose()).await, None);

    // What the owner may do no more, the key may not either; and again when they may again.
    let of_admin = made_key(&given, &admin, new_key(&given, &["audit:read", "account:own"], None, None)).await.unwrap();
    assert!(caller(harness, &given, of_admin.text.expose()).await.unwrap().may::<ReadAudit>());
    let other = given.person(Role::Admin).await;
    for (change, may) in [(RoleChange::Revoke, false), (RoleChange::Grant, true)] {
        set_role(&given.shop, given.authorized(&other), admin.user, change, "admin").await.unwrap();
        assert_eq!(caller(harness, &given, of_admin.text.expose()).await.unwrap().may::<ReadAudit>(), may);
    }
    let events = harness.events_of(made.key.id.0).await.unwrap();
    let told = serde_json::to_string(&events).unwrap();
    assert!(!told.contains(made.text.expose()) && !told.contains("Stock robot"), "{told}");
}

fn key_patch(name: &str, models: Option<&[&str]>) -> KeyPatch {
    let mut patch = KeyPatch::default();
    patch.name(name, &mut Violations::default());
    let models = models.map(|models| models.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
    patch.models(models.as_deref(), &mut Violations::default());
    patch
}

async fn a_key_ends_with_its_owner_its_time_or_its_deletion(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, bob, admin) =
        (given.person(Role::User).await, given.person(Role::User).await, given.person(Role::Admin).await);
    let hour = Duration::from_hours(1);
    let made = made_key(&given, &ada, new_key(&given, &["account:own"], None, Some(hour))).await.unwrap();
    let text = made.text.expose();
    assert!(caller(harness, &given, text).await.is_some());
    ban_user(&given.shop, given.authorized(&admin), ada.user, new_ban(&given, None)).await.unwrap();
    assert_eq!(caller(harness, &given, text).await, None);
    unban_user(&given.shop, given.authorized(&admin), ada.user).await.unwrap();
    assert!(caller(harness, &given, text).await.is_some());
    given.clock.advance(hour);
    assert_eq!(caller(harness, &given, text).await, None);

    let made = made_key(&given, &ada, new_key(&given, &["account:own"], None, None)).await.unwrap();
    for id in [made.key.id, given.shop.id()] {
        for by in [&bob, &admin] {
            let refused = delete_key(&given.shop, given.authorized(by), id).await.unwrap_err();
            assert_eq!(refused.to_string(), "API key not found");
            let refused = update_key(&given.shop, given.authorized(by), id, key_patch("Mine", None)).await.unwrap_err();
            assert_eq!(refused.to_string(), "API key not found");
        }
    }
    let patch = key_patch("Robot 2", None);
    let renamed = update_key(&given.shop, given.authorized(&ada), made.key.id, patch).await.unwrap();
    assert_eq!(harness.api_keys().get(made.key.id).await.unwrap(), Some(renamed));
    assert!(caller(harness, &given, made.text.expose()).await.unwrap().may_ask("anything"));
    let patch = key_patch("Robot 2", Some(&["small", "large", "small"]));
    update_key(&given.shop, given.authorized(&ada), made.key.id, patch).await.unwrap();
    let through = caller(harness, &given, made.text.expose()).await.unwrap();
    assert_eq!(through.models, Some(vec!["large".to_owned(), "small".to_owned()]), "each once");
    assert!(through.may_ask("small") && !through.may_ask("other"));
    delete_key(&given.shop, given.authorized(&ada), made.key.id).await.unwrap();
    assert_eq!(caller(harness, &given, made.text.expose()).await, None);
    assert_eq!(harness.api_keys().get(made.key.id).await.unwrap(), None);
    assert_eq!(
        kinds(harness, made.key.id.0).await,
        ["api_key.created", "api_key.deleted", "api_key.renamed", "api_key.updated"]
    );
}

async fn keys_of_somebody_who_goes_rest(harness: &impl Harness) {
    let given = fixtures(harness);
    let ada = given.seller().await;
    let own = made_key(&given, &ada, new_key(&given, &["products:write"], None, None)).await.unwrap();
    let shared = made_key(&given, &ada, new_key(&given, &["products:write"], ada.seller, None)).await.unwrap();
    for (due, goes_on) in [(Some(given.shop.now()), false), (None, true)] {
        let mut tx = begin(harness).await;
        tx.users().set_deletion(ada.user, due).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(caller(harness, &given, own.text.expose()).await.is_some(), goes_on);
        assert!(caller(harness, &given, shared.text.expose()).await.is_some(), "the account's own");
    }
}

async fn a_key_of_an_account_is_its_own(harness: &impl Harness) {
    let given = fixtures(harness);
    let (ada, bob, carl) = (given.seller().await, given.seller().await, given.seller().await);
    let account = ada.seller.unwrap();
    let mut tx = begin(harness).await;
    let now = given.shop.now();
    tx.organisations().put(account, bob.user, crate::organisation::MemberRole::Owner, now).await.unwrap();
    tx.organisations().put(account, carl.user, crate::organisation::MemberRole::Manager, now).await.unwrap();
    tx.commit().await.unwrap();
    let new = |scopes: &[&str]| new_key(&given, scopes, Some(account), None);
    assert!(matches!(made_key(&given, &carl, new(&["products:write"])).await, Err(Error::Forbidden(_))));
    assert!(matches!(made_key(&given, &ada, new(&["account:own"])).await, Err(Error::Forbidden(_))));
    let stranger = given.seller().await;
    assert!(matches!(made_key(&given, &stranger, new(&["products:write"])).await, Err(Error::NotFound("Seller"))));
    let made = made_key(&given, &bob, new(&["products:write"])).await.unwrap();
    let through = caller(harness, &given, made.text.expose()).await.unwrap();
    assert_eq!((through.seller, through.sellers.as_slice()), (Some(account), &[account][..]), "and not for his own");
    assert_eq!(through.permissions, WriteProducts::SET);
    // Who made it leaves; it stays, and another owner ends it.
    let mut tx = begin(harness).await;
    tx.organisations().remove(account, bob.user).await.unwrap();
    tx.commit().await.unwrap();
    assert!(caller(harness, &given, made.text.expose()).await.is_some());
    assert!(delete_key(&given.shop, given.authorized(&bob), made.key.id).await.is_err());
    delete_key(&given.shop, given.authorized(&ada), made.key.id).await.unwrap();
    assert_eq!(caller(harness, &given, made.text.expose()).await, None);
}

async fn keys_are_listed_and_remember_their_use(harness: &impl Harness) {
    let given = fixtures(harness);
    let ada = given.seller().await;
    let mut made = Vec::new();
    for seller in [None, None, ada.seller] {
        given.clock.advance(Duration::from_millis(1));
        made.push(made_key(&given, &ada, new_key(&given, &["products:write"], seller, None)).await.unwrap().key);
    }
    let list = async |of| harness.api_keys().list(of, page(1, 20)).await.unwrap();
    let own = list(KeysOf::User(ada.user)).await;
    assert_eq!((own.total, own.items), (2, vec![made[1].clone(), made[0].clone()]));
    assert_eq!(list(KeysOf::Seller(ada.seller.unwrap())).await.items, [made[2].clone()]);
    assert_eq!(begin(harness).await.api_keys().count(KeysOf::User(ada.user)).await.unwrap(), 2);
    let (early, late) = (given.shop.now(), given.shop.now() + Duration::from_secs(5));
    let unknown = given.shop.id();
    harness.api_keys().used(&[(made[0].id, late), (made[0].id, early), (unknown, late)]).await.unwrap();
    harness.api_keys().used(&[(made[0].id, early)]).await.unwrap();
    assert_eq!(harness.api_keys().get(made[0].id).await.unwrap().unwrap().last_used_at, Some(late));
    assert_eq!(harness.api_keys().get(made[1].id).await.unwrap().unwrap().last_used_at, None);
    assert_eq!(Permissions::OF_SELLERS, made[2].scopes);
}
