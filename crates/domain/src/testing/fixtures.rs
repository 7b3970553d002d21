//! People, sellers, products and categories for tests, no two alike.
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a fixture that cannot be stored ends its test")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Map, json};

use super::{FakeClock, SeededEntropy, memory::MemoryStore};
use crate::{
    Actor, Principal, Rules, Shop, Store, Tx,
    assets::{
        Digest,
        image::{Key, Picture, Piece, Rendition, Source, View},
    },
    catalog::{Category, Image, Product, ProductStatus, Rating, Review, Slug, Version, ports::Stored},
    id::{CategoryId, ImageId, ProductId, ReviewId, RoomId, SellerId, SessionId, UserId},
    identity::{Client, Email, Fresh, Method, Methods, Seller, StoredSession, User},
    money::Amount,
    permission::{Authorized, Permission, Role, Roles},
    room::{Epoch, Room, RoomKind, RoomName},
};

/// Counts through the whole process, so that names stay unique in a store that several tests share.
static SERIAL: AtomicU64 = AtomicU64::new(1);

/// Makes and stores what a test stands on.
#[derive(Debug, Clone)]
pub struct Fixtures {
    /// The shop over the store of the test.
    pub shop: Shop,
    /// Its clock.
    pub clock: Arc<FakeClock>,
}

impl Fixtures {
    /// Fixtures in this store, at the time of this clock.
    pub fn new(store: Arc<dyn Store>, clock: Arc<FakeClock>) -> Self {
        let entropy = Arc::new(SeededEntropy::new(SERIAL.fetch_add(1, Ordering::Relaxed) << 32));
        let shop = Shop {
            store,
            clock: Arc::<FakeClock>::clone(&clock),
            entropy,
            meter: Arc::new(()),
            rules: Rules::default(),
        };
        Self { shop, clock }
    }

    /// Fixtures in a new store in memory.
    pub fn in_memory() -> (Self, MemoryStore) {
        let store = MemoryStore::new();
        (Self::new(Arc::new(store.clone()), Arc::new(FakeClock::default())), store)
    }

    /// A number no other call gets.
    pub fn serial(&self) -> u64 {
        SERIAL.fetch_add(1, Ordering::Relaxed)
    }

    /// An open transaction.
    pub async fn tx(&self) -> Box<dyn Tx> {
        self.shop.store.begin().await.expect("a transaction begins")
    }

    /// A person, not stored.
    pub fn user(&self, role: Role) -> User {
        let n = self.serial();
        let now = self.shop.now();
        User {
            id: self.shop.id::<UserId>(),
            email: Email::stored(format!("person{n}@example.com")),
            name: format!("Person {n}"),
            email_verified_at: None,
            // A guest is nothing else.
            roles: if role == Role::Guest { Roles::new([role]) } else { Roles::new([Role::User, role]) },
            created_at: now,
            updated_at: now,
        }
    }

    /// A stored person.
    pub async fn person(&self, role: Role) -> Principal {
        let user = self.user(role);
        let mut tx = self.tx().await;
        assert!(tx.users().insert(&user, "plain$correct horse").await.expect("a user is stored"));
        tx.commit().await.expect("a user is committed");
        Principal::delivered(user.id, user.roles)
    }

    /// Makes the address of a stored person proven.
    pub async fn prove_email(&self, user: UserId) {
        let mut tx = self.tx().await;
        let found = tx.users().find(user).await.expect("a user is read").expect("the user is there");
        let now = self.shop.now();
        assert!(tx.users().set_email(user, &found.email, Some(now), now).await.expect("an address is stored"));
        tx.commit().await.expect("an address is committed");
    }

    /// A session that began now, not stored.
    pub fn session(&self, user: UserId) -> StoredSession {
        let now = self.shop.now();
        let mut family = [0; 32];
        self.shop.entropy.fill(&mut family);
        StoredSession {
            id: self.shop.id::<SessionId>(),
            user,
            family,
            generation: 0,
            rotated_at: now,
            client: Client { device: Some("Firefox on Linux".to_owned()), address: Some("192.0.2.7".to_owned()) },
            created_at: now,
            authenticated_at: now,
            methods: Methods::of(Method::Password),
            last_used_at: now,
            idle_until: now + Duration::from_hours(24),
            expires_at: now + Duration::from_hours(48),
            tokens_until: now + Duration::from_mins(15),
            ended: None,
            impersonation: None,
        }
    }

    /// A stored session; the sign-in leaves no trace.
    pub async fn stored_session(&self, user: UserId) -> StoredSession {
        let session = self.session(user);
        let mut tx = self.tx().await;
        assert!(tx.sessions().insert(&session, None).await.expect("a session is stored"));
        tx.commit().await.expect("a session is committed");
        session
    }

    /// A stored person with a seller account.
    pub async fn seller(&self) -> Principal {
        let principal = self.person(Role::Seller).await;
        let n = self.serial();
        let id = self.shop.id::<SellerId>();
        let created_at = self.shop.now();
        let seller = Seller { id, name: format!("Shop {n}"), slug: format!("shop-{n}"), created_at };
        let mut tx = self.tx().await;
        assert!(tx.sellers().insert(&seller, principal.user).await.expect("a seller is stored"));
        tx.commit().await.expect("a seller is committed");
        principal.of_seller(id)
    }

    /// A published product, not stored: 10 pieces at 10.00, with one picture.
    pub fn product(&self, seller: SellerId) -> Product {
        let n = self.serial();
        let now = self.shop.now();
        let name = format!("Lamp {n}");
        let metadata = json!({ "colour": "green", "serial": n });
        Product {
            id: self.shop.id::<ProductId>(),
            seller,
            category: None,
            sku: Some(format!("SKU-{n}")),
            slug: Slug::of(&name),
            name,
            description: "Brass and glass".to_owned(),
            price: Amount(1000),
            stock: 10,
            status: ProductStatus::Published,
            metadata: metadata.as_object().cloned().unwrap_or_else(Map::new),
            images: vec![self.image()],
            rating: Rating::default(),
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
            deleted: None,
        }
    }

    /// A picture.
    pub fn image(&self) -> Image {
        let url = format!("https://example.com/{}.jpg", self.serial());
        Image { id: self.shop.id::<ImageId>(), url, alt: Some("A lamp".to_owned()), picture: None }
    }

    /// What is kept of an uploaded picture; its bytes are nowhere.
    pub fn picture(&self) -> Picture {
        let piece = || Piece { digest: Digest::of(&self.serial().to_be_bytes()), size: 1000 + self.serial() };
        let rendition = |edge| Rendition { width: edge, height: edge, jpeg: piece(), webp: piece() };
        Picture {
            key: Key::new(&*self.shop.entropy),
            revision: 1,
            recipe: "plain".to_owned(),
            source: Source {
                piece: piece(),
                media_type: "image/png".to_owned(),
                width: 2000,
                height: 2000,
                orientation: 1,
            },
            main: rendition(1200),
            thumbnail: rendition(300),
            placeholder: "1QcSHQRnh493V4dIh4eXh1h4kJUI".to_owned(),
            colour: "#a08040".to_owned(),
        }
    }

    /// An uploaded picture of this product; its bytes are nowhere.
    pub fn uploaded(&self, product: ProductId) -> Image {
        let picture = self.picture();
        Image { url: picture.address(product, View::Main), picture: Some(Box::new(picture)), ..self.image() }
    }

    /// A stored product, changed by `with` before it is stored.
    pub async fn stored_product(&self, seller: SellerId, with: impl FnOnce(&mut Product)) -> Product {
        let mut product = self.product(seller);
        with(&mut product);
        let mut tx = self.tx().await;
        assert_eq!(tx.products().insert(&mut product).await.expect("a product is stored"), Stored::Yes);
        tx.commit().await.expect("a product is committed");
        product
    }

    /// A category, not stored.
    pub fn category(&self, parent: Option<&Category>) -> Category {
        let n = self.serial();
        let now = self.shop.now();
        let id = self.shop.id::<CategoryId>();
        Category {
            id,
            parent: parent.map(|parent| parent.id),
            name: format!("Things {n}"),
            slug: format!("things-{n}"),
            path: Category::path_below(parent, id),
            rank: 0,
            created_at: now,
            updated_at: now,
        }
    }

    /// A stored category.
    pub async fn stored_category(&self, parent: Option<&Category>) -> Category {
        let category = self.category(parent);
        let mut tx = self.tx().await;
        assert!(tx.categories().insert(&category).await.expect("a category is stored"));
        tx.commit().await.expect("a category is committed");
        category
    }

    /// A review, not stored and not counted.
    pub fn review(&self, product: ProductId, author: UserId, stars: i32) -> Review {
        let now = self.shop.now();
        Review {
            id: self.shop.id::<ReviewId>(),
            product,
            author,
            stars,
            comment: "Bright enough".to_owned(),
            hidden: false,
            created_at: now,
            updated_at: now,
        }
    }

    /// A stored review by a new person; the product's rating is left alone.
    pub async fn stored_review(&self, product: ProductId, stars: i32) -> Review {
        let author = self.person(Role::User).await.user;
        let review = self.review(product, author, stars);
        let mut tx = self.tx().await;
        assert!(tx.reviews().insert(&review).await.expect("a review is stored"));
        tx.commit().await.expect("a review is committed");
        review
    }

    /// A room, not stored.
    pub fn room(&self, kind: RoomKind, owner: &Principal) -> Room {
        let now = self.shop.now();
        let name = format!("room-{}", self.serial());
        Room {
            id: self.shop.id::<RoomId>(),
            title: name.clone(),
            name: RoomName::stored(name),
            kind,
            owner: Some(owner.user),
            last_offset: 0,
            epoch: Epoch::draw(&*self.shop.entropy),
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
        }
    }

    /// A stored room; the change leaves no trace.
    pub async fn stored_room(&self, kind: RoomKind, owner: &Principal) -> Room {
        let room = self.room(kind, owner);
        let mut tx = self.tx().await;
        assert!(tx.rooms().insert(&room).await.expect("a room is stored"));
        tx.commit().await.expect("a room is committed");
        room
    }

    /// The proof that this person may, and proved just now, in some session, who they are.
    pub fn fresh<P: Permission>(&self, principal: &Principal) -> Fresh<P> {
        Fresh::assumed(self.authorized(principal), self.shop.id())
    }

    /// The proof that this person may.
    pub fn authorized<P: Permission>(&self, principal: &Principal) -> Authorized<P> {
        Actor::Signed(principal.clone()).authorize().expect("the person has the permission")
    }
}
