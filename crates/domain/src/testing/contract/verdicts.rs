//! Who may know of what and do what to it: every kind of caller, every kind of product, every way to it. The rule is written
//! down here a second time, in the plainest form, and every surface must agree with it.

use std::collections::BTreeSet;

use super::{Harness, begin, fixtures, known, page};
use crate::{
    Actor, Error, Principal,
    access::{BanInput, KeyInput, Keys, RoleInput, ban_user, create_key, create_role, set_role},
    catalog::{
        Product, ProductPatch, ProductStatus, Statuses, StockChange, adjust_stock, delete_product,
        policy::Scope,
        queries::{BySlug, Order, ProductFilter, ProductSort, SortBy},
        restore_product, update_product,
    },
    clock::Timestamp,
    error::Violations,
    event::{Entity, Event},
    id::{EventId, SellerId, UserId},
    idempotency::Once,
    identity::{Known, RoleChange},
    organisation::MemberRole,
    page::Limit,
    permission::{Role, WriteProducts},
    realtime::Notice,
    relay::Numbered,
    testing::{Fixtures, PlainMac},
    text::Search,
};

/// What the rule says of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    /// Knows of what is published, and changes nothing: for want of an account, or of the role or scope.
    Look(Without),
    /// Besides, sees and changes what these accounts have: the first, the second.
    Own(bool, bool),
    /// Sees and changes everything.
    All,
    /// Sees everything, and lacks what changing takes.
    Oversee,
}

/// What somebody lacks who changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    SignIn,
    Permission,
}

/// What came of something that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    Unauthenticated,
    Forbidden,
    NotFound,
}

impl Verdict {
    pub(super) fn of<T>(outcome: &crate::Result<T>) -> Self {
        match outcome {
            Ok(_) => Self::Done,
            Err(Error::Unauthenticated) => Self::Unauthenticated,
            Err(Error::Forbidden(_)) => Self::Forbidden,
            Err(Error::NotFound(_)) => Self::NotFound,
            Err(other) => panic!("no verdict: {other:?}"),
        }
    }
}

impl May {
    fn sees(self, first: bool, product: &Product) -> bool {
        product.deleted.is_none() && (product.status == ProductStatus::Published || self.owns(first))
    }

    fn owns(self, first: bool) -> bool {
        match self {
            Self::Look(_) => false,
            Self::Own(one, two) => {
                if first {
                    one
                } else {
                    two
                }
            }
            Self::All | Self::Oversee => true,
        }
    }

    /// What comes of changing a product that is there.
    fn changes(self, first: bool, product: &Product) -> Verdict {
        match self {
            Self::Look(Without::SignIn) => Verdict::Unauthenticated,
            Self::Look(Without::Permission) | Self::Oversee => Verdict::Forbidden,
            _ if self.owns(first) => Verdict::Done,
            _ if self.sees(first, product) => Verdict::Forbidden,
            _ => Verdict::NotFound,
        }
    }
}

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    let given = fixtures(harness);
    let (one, two) = (given.seller().await, given.seller().await);
    let accounts = [one.seller.unwrap(), two.seller.unwrap()];
    let callers = callers(harness, &given, &one, &two).await;
    let mut tried = 0;
    for (first, seller) in [(true, accounts[0]), (false, accounts[1])] {
        for status in ProductStatus::ALL {
            for deleted in [false, true] {
                for (who, actor, may) in &callers {
                    let product = product(&given, &one, seller, status, deleted).await;
                    let what = format!("{who}: {status:?}, deleted {deleted}, of the first account {first}");
                    reads(harness, actor, *may, first, &product, &what).await;
                    writes(harness, &given, actor, *may, first, &product, &what).await;
                    tried += 1;
                }
            }
        }
    }
    assert_eq!(tried, 12 * callers.len());
}

/// A product that nothing else is like.
async fn product(given: &Fixtures, by: &Principal, seller: SellerId, status: ProductStatus, deleted: bool) -> Product {
    let now = given.shop.now();
    let word = format!("verdict{}", given.serial());
    given
        .stored_product(seller, |product| {
            product.slug = crate::catalog::Slug::of(&word);
            product.name = word;
            product.status = status;
            product.deleted = deleted.then_some(crate::catalog::Deleted { at: now, by: by.user });
        })
        .await
}

/// Every kind of caller, as the store says they are, with what the rule says of them.
async fn callers(
    harness: &impl Harness,
    given: &Fixtures,
    one: &Principal,
    two: &Principal,
) -> Vec<(&'static str, Actor, May)> {
    let now = given.shop.now();
    let accounts = [one.seller.unwrap(), two.seller.unwrap()];
    let admin = given.person(Role::Admin).await;
    let member = async |of: &[SellerId], role| {
        let person = given.person(Role::Seller).await;
        let mut tx = begin(harness).await;
        for seller in of {
            tx.organisations().put(*seller, person.user, role, now).await.unwrap();
        }
        tx.commit().await.unwrap();
        person.user
    };
    let with = async |permissions: &[&str]| with_role(given, &admin, permissions).await;
    let gone = member(&accounts, MemberRole::Owner).await;
    banned(given, &admin, gone).await;
    let people = [
        ("a buyer", given.person(Role::User).await.user, May::Look(Without::Permission)),
        ("an owner of the first", one.user, May::Own(true, false)),
        ("an owner of the second", two.user, May::Own(false, true)),
        ("a member of the first", member(&accounts[..1], MemberRole::Member).await, May::Own(true, false)),
        ("a manager of the second", member(&accounts[1..], MemberRole::Manager).await, May::Own(false, true)),
        ("a member of both", member(&accounts, MemberRole::Member).await, May::Own(true, true)),
        ("a seller of a third", given.seller().await.user, May::Own(false, false)),
        ("a curator", with(&["catalog:manage", "products:write"]).await, May::All),
        ("one who oversees", with(&["catalog:manage"]).await, May::Oversee),
        ("an administrator", admin.user, May::All),
    ];
    let mut callers = vec![("nobody", Actor::Anonymous, May::Look(Without::SignIn))];
    for (who, user, may) in people {
        callers.push((who, Actor::Signed(harness.users().principal(user).await.unwrap().unwrap()), may));
    }
    let gone = harness.users().principal(gone).await.unwrap().map_or(Actor::Anonymous, Actor::Signed);
    callers.push(("a banned owner of both", gone, May::Look(Without::SignIn)));
    let as_owner = Actor::Signed(one.clone().impersonated(&admin));
    callers.push(("an administrator as an owner of the first", as_owner, May::Own(true, false)));
    for (who, by, scopes, seller, may) in [
        ("a key for products", one, "products:write", None, May::Own(true, false)),
        ("a key for something else", one, "account:own", None, May::Look(Without::Permission)),
        ("a key of the second account", two, "products:write", two.seller, May::Own(false, true)),
        ("a narrow key of an administrator", &admin, "products:write", None, May::Own(false, false)),
        ("a key of an administrator that oversees", &admin, "catalog:manage", None, May::Oversee),
    ] {
        let input = KeyInput {
            name: Some("Robot".to_owned()),
            scopes: Some(vec![scopes.to_owned()]),
            seller,
            ..KeyInput::default()
        };
        let new = input.check(now, &mut Violations::default()).unwrap();
        let made =
            create_key(&given.shop, &PlainMac, given.fresh(by), new, &Once::always()).await.unwrap().fresh().unwrap();
        let known = known(harness).await;
        let keys = Keys { known: &known, mac: &PlainMac };
        let caller = keys.caller(made.text.expose(), now).await.unwrap().unwrap();
        callers.push((who, Actor::Signed(caller.principal), may));
    }
    callers
}

/// Somebody with a role of their own that may do this.
pub(super) async fn with_role(given: &Fixtures, admin: &Principal, permissions: &[&str]) -> UserId {
    let input = RoleInput {
        name: Some(format!("verdict-{}", given.serial())),
        level: Some(50),
        permissions: Some(permissions.iter().map(|one| (*one).to_owned()).collect()),
    };
    let new = input.check(&mut Violations::default()).unwrap();
    let made = create_role(&given.shop, given.authorized(admin), new, &Once::always()).await;
    let role = made.unwrap().fresh().unwrap().role;
    let user = given.person(Role::User).await.user;
    set_role(&given.shop, given.authorized(admin), user, RoleChange::Grant, role.name()).await.unwrap();
    user
}

/// Bans somebody.
pub(super) async fn banned(given: &Fixtures, admin: &Principal, user: UserId) {
    let input = BanInput { until: None, reason: Some("Because".to_owned()) };
    let ban = input.check(given.shop.now(), &mut Violations::default()).unwrap();
    ban_user(&given.shop, given.authorized(admin), user, ban).await.unwrap();
}

/// Who calls with a key of this person for this alone.
pub(super) async fn key(given: &Fixtures, known: &Known, by: &Principal, scope: &str, now: Timestamp) -> Principal {
    let scopes = Some(vec![scope.to_owned()]);
    let input = KeyInput { name: Some("Robot".to_owned()), scopes, ..KeyInput::default() };
    let new = input.check(now, &mut Violations::default()).unwrap();
    let made = create_key(&given.shop, &PlainMac, given.fresh(by), new, &Once::always()).await;
    let made = made.unwrap().fresh().unwrap();
    let keys = Keys { known, mac: &PlainMac };
    keys.caller(made.text.expose(), now).await.unwrap().unwrap().principal
}

/// Every way to know of a product: alone, by name, in lists, counts and searches, over streams, among the deleted ones.
async fn reads(harness: &impl Harness, actor: &Actor, may: May, first: bool, product: &Product, what: &str) {
    let scope = Scope::of(actor);
    let expected = may.sees(first, product);
    let products = harness.products();
    assert_eq!(products.get(product.id, scope).await.unwrap().is_some(), expected, "get, {what}");
    let by_slug = products.by_slug(&product.slug, scope).await.unwrap();
    assert_eq!(matches!(by_slug, Some(BySlug::Here(_))), expected, "by slug, {what}");
    let filter = ProductFilter {
        statuses: ProductStatus::ALL.iter().copied().collect::<Statuses>(),
        seller: Some(product.seller),
        ..ProductFilter::published(scope)
    };
    let sort = ProductSort { by: SortBy::CreatedAt, order: Order::Descending };
    let mut listed = BTreeSet::new();
    let mut number = 1;
    let total = loop {
        let one = products.list(&filter, sort, page(number, 100)).await.unwrap();
        listed.extend(one.items.iter().map(|item| item.product.id));
        if u64::from(number) >= one.pages {
            break one.total;
        }
        number += 1;
    };
    assert_eq!(listed.contains(&product.id), expected, "list, {what}");
    assert_eq!(u64::try_from(listed.len()).unwrap(), total, "count, {what}");
    let search = ProductFilter { search: Some(Search::new(&product.name)), ..filter.clone() };
    let found = products.list(&search, sort, page(1, 20)).await.unwrap();
    assert_eq!((found.total, found.items.len()), (u64::from(expected), usize::from(expected)), "search, {what}");
    let slice = products.slice(&search, sort, None, Limit::default()).await.unwrap();
    assert_eq!(slice.items.len(), usize::from(expected), "slice, {what}");
    if product.deleted.is_none() {
        assert_eq!(notice(product).heard(scope).is_some(), expected, "stream, {what}");
    } else {
        // All of them: other suites leave many that were deleted at the same moment.
        let (mut told, mut number) = (false, 1);
        loop {
            let one = products.deleted(scope, page(number, 100)).await.unwrap();
            told |= one.items.iter().any(|item| item.product.id == product.id);
            if u64::from(number) >= one.pages {
                break;
            }
            number += 1;
        }
        assert_eq!(told, may.owns(first), "deleted ones, {what}");
    }
}

/// That the product was changed, as streams are told.
fn notice(product: &Product) -> Notice {
    let payload = serde_json::json!({
        "productId": product.id, "sellerId": product.seller, "categoryId": null, "status": product.status,
        "name": product.name, "slug": product.slug, "priceMinor": product.price, "stock": 1, "version": 1,
    });
    let event = Event {
        id: EventId(product.id.0),
        kind: "product.updated".to_owned(),
        entity: Entity::new("product", product.id),
        actor: None,
        at: product.created_at,
        payload,
    };
    Notice::of(&Numbered { seq: 1, event }).unwrap()
}

/// Every way to change a product; the last one deletes it.
async fn writes(
    harness: &impl Harness,
    given: &Fixtures,
    actor: &Actor,
    may: May,
    first: bool,
    product: &Product,
    what: &str,
) {
    let shop = &given.shop;
    let by = || actor.authorize::<WriteProducts>();
    let expected = may.changes(first, product);
    if product.deleted.is_some() {
        // Of what is deleted only its own know, and they may bring it back.
        let restored = match by() {
            Ok(by) => restore_product(shop, by, product.id).await.map(|_| ()),
            Err(refused) => Err(refused),
        };
        assert_eq!(Verdict::of(&restored), expected, "restore, {what}");
        return;
    }
    let mut patch = ProductPatch::default();
    patch.description("Changed", &mut Violations::default());
    let updated = match by() {
        Ok(by) => update_product(shop, by, product.id, patch, None).await.map(|_| ()),
        Err(refused) => Err(refused),
    };
    assert_eq!(Verdict::of(&updated), expected, "update, {what}");
    let change = StockChange { delta: 1, expected: None, reason: None };
    let adjusted = match by() {
        Ok(by) => adjust_stock(shop, by, product.id, change, &Once::always()).await.map(|_| ()),
        Err(refused) => Err(refused),
    };
    assert_eq!(Verdict::of(&adjusted), expected, "adjust stock, {what}");
    let gone = match by() {
        Ok(by) => delete_product(shop, by, product.id, None).await,
        Err(refused) => Err(refused),
    };
    assert_eq!(Verdict::of(&gone), expected, "delete, {what}");
    let still = begin(harness).await.products().find(product.id).await.unwrap().unwrap();
    assert_eq!(still.deleted.is_some(), expected == Verdict::Done, "{what}");
}
