//! Who may do what to which review: every kind of caller, shown and hidden ones, of products seen and unseen. The rule is written down
//! here a second time, in the plainest form, and every surface must agree with it.

use super::{
    Harness, begin, fixtures, known, page,
    verdicts::{Verdict, banned, key, with_role},
};
use crate::{
    Actor, Principal, Violations,
    catalog::{
        Product, ProductStatus, Review, ReviewInput, ReviewPatch, delete_review, moderate_review, read_review,
        update_review, write_review,
    },
    id::UserId,
    idempotency::Once,
    permission::{ModerateReviews, Role, WriteReviews},
    testing::Fixtures,
};

/// What a caller is to a review and its product.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
#[derive(Debug, Clone, Copy, Default)]
struct Is {
    signed_in: bool,
    /// Has the permission, or the scope, to write reviews.
    writes: bool,
    author: bool,
    /// May moderate reviews.
    moderator: bool,
    /// Sells the product.
    seller: bool,
    /// Sees every product.
    overseer: bool,
}

impl Is {
    fn first(self, otherwise: Verdict) -> Verdict {
        match self {
            Self { signed_in: false, .. } => Verdict::Unauthenticated,
            Self { writes: false, .. } => Verdict::Forbidden,
            _ => otherwise,
        }
    }

    /// What comes of reading one by its id, of a product that is published or not.
    fn reads(self, hidden: bool, published: bool) -> Verdict {
        let sees = published || self.seller || self.overseer;
        match self {
            Self { author: true, .. } | Self { moderator: true, .. } => Verdict::Done,
            _ if sees && !hidden => Verdict::Done,
            _ => Verdict::NotFound,
        }
    }

    /// What comes of changing a review.
    fn changes(self, hidden: bool) -> Verdict {
        self.first(match (self.author || self.moderator, hidden) {
            (true, _) => Verdict::Done,
            (false, true) => Verdict::NotFound,
            (false, false) => Verdict::Forbidden,
        })
    }

    /// What comes of hiding one.
    fn moderates(self) -> Verdict {
        match self {
            Self { signed_in: false, .. } => Verdict::Unauthenticated,
            Self { moderator: false, .. } => Verdict::Forbidden,
            _ => Verdict::Done,
        }
    }

    /// What comes of writing one of a product that nobody has reviewed.
    fn reviews(self, product: &Product) -> Verdict {
        let sees = product.status == ProductStatus::Published || self.seller || self.overseer;
        self.first(match (sees, self.seller) {
            (false, _) => Verdict::NotFound,
            (true, true) => Verdict::Forbidden,
            (true, false) => Verdict::Done,
        })
    }
}

/// Runs the cases.
pub async fn run(harness: &impl Harness) {
    let given = fixtures(harness);
    let (selling, author) = (given.seller().await, given.person(Role::User).await);
    let callers = callers(harness, &given, &selling, &author).await;
    let mut tried = 0;
    for status in [ProductStatus::Published, ProductStatus::Draft] {
        for hidden in [false, true] {
            for (who, actor, is) in &callers {
                let what = format!("{who}: hidden {hidden}, of a product that is {status:?}");
                let product = given.stored_product(selling.seller.unwrap(), |product| product.status = status).await;
                writes(harness, &given, actor, *is, &product, author.user, hidden, &what).await;
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 4 * 11);
}

/// Every kind of caller, as the store says they are.
async fn callers(
    harness: &impl Harness,
    given: &Fixtures,
    selling: &Principal,
    author: &Principal,
) -> Vec<(&'static str, Actor, Is)> {
    let (now, admin) = (given.shop.now(), given.person(Role::Admin).await);
    let moderator = with_role(given, &admin, &["reviews:write", "reviews:moderate"]).await;
    let watcher = with_role(given, &admin, &["catalog:manage"]).await;
    let gone = given.person(Role::User).await.user;
    banned(given, &admin, gone).await;
    let stranger = given.person(Role::User).await.user;
    let as_stored =
        async |user: UserId| harness.users().principal(user).await.unwrap().map_or(Actor::Anonymous, Actor::Signed);
    let known = known(harness).await;
    let through = async |by: &Principal, scope| Actor::Signed(key(given, &known, by, scope, now).await);
    let person = Is { signed_in: true, writes: true, ..Is::default() };
    let as_author = Actor::Signed(author.clone().impersonated(&admin));
    vec![
        ("nobody", Actor::Anonymous, Is::default()),
        ("a buyer", as_stored(stranger).await, person),
        ("its author", as_stored(author.user).await, Is { author: true, ..person }),
        ("who sells the product", as_stored(selling.user).await, Is { seller: true, ..person }),
        ("a moderator", as_stored(moderator).await, Is { moderator: true, ..person }),
        ("one who oversees the catalogue", as_stored(watcher).await, Is { overseer: true, ..person }),
        ("an administrator", as_stored(admin.user).await, Is { moderator: true, overseer: true, ..person }),
        ("the author's key for reviews", through(author, "reviews:write").await, Is { author: true, ..person }),
        (
            "the author's key for something else",
            through(author, "account:own").await,
            Is { author: true, writes: false, ..person },
        ),
        ("an administrator as the author", as_author, Is { author: true, ..person }),
        ("who is banned", as_stored(gone).await, Is::default()),
    ]
}

/// Every way to read and to change a review, and what lists show of it; the last one deletes it.
#[expect(clippy::too_many_arguments, reason = "a case of the table")]
async fn writes(
    harness: &impl Harness,
    given: &Fixtures,
    actor: &Actor,
    is: Is,
    product: &Product,
    author: UserId,
    hidden: bool,
    what: &str,
) {
    let shop = &given.shop;
    let by = || actor.authorize::<WriteReviews>();
    let new = ReviewInput { stars: Some(3), comment: None }.check(&mut Violations::default()).unwrap();
    let written = match by() {
        Ok(by) => write_review(shop, by, product.id, new, &Once::always()).await.map(|_| ()),
        Err(refused) => Err(refused),
    };
    assert_eq!(Verdict::of(&written), is.reviews(product), "write, {what}");
    let other = given.stored_product(product.seller, |other| other.status = product.status).await;
    let review = Review { hidden, ..given.review(other.id, author, 5) };
    let mut tx = begin(harness).await;
    assert!(tx.reviews().insert(&review).await.unwrap());
    tx.reviews().update(&review).await.unwrap();
    tx.commit().await.unwrap();
    let listed = harness.reviews().of_product(other.id, page(1, 20)).await.unwrap();
    assert_eq!((listed.total, listed.items.len()), (u64::from(!hidden), usize::from(!hidden)), "list, {what}");
    let read = read_review(&*harness.reviews(), &*harness.products(), actor, review.id).await;
    assert_eq!(Verdict::of(&read), is.reads(hidden, product.status == ProductStatus::Published), "read, {what}");
    let updated = match by() {
        Ok(by) => update_review(shop, by, review.id, ReviewPatch::default(), None).await.map(|_| ()),
        Err(refused) => Err(refused),
    };
    assert_eq!(Verdict::of(&updated), is.changes(hidden), "update, {what}");
    let moderated = match actor.authorize::<ModerateReviews>() {
        Ok(by) => moderate_review(shop, by, review.id, hidden).await.map(|_| ()),
        Err(refused) => Err(refused),
    };
    assert_eq!(Verdict::of(&moderated), is.moderates(), "moderate, {what}");
    let gone = match by() {
        Ok(by) => delete_review(shop, by, review.id, None).await,
        Err(refused) => Err(refused),
    };
    assert_eq!(Verdict::of(&gone), is.changes(hidden), "delete, {what}");
    let left = begin(harness).await.reviews().find(review.id).await.unwrap();
    assert_eq!(left.is_none(), gone.is_ok(), "{what}");
}
