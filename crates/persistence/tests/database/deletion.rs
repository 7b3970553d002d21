//! What is left of somebody who was deleted: every place in the schema that names a person is decided, and nothing says who they were.

use std::{collections::BTreeSet, fmt::Write as _};

use domain::{
    Principal,
    access::Ban,
    behalf::Impersonator,
    identity::{ActionCode, Client, Email, Impersonation, Purpose, Seller, StoredSession, delete_person},
    organisation::MemberRole,
    permission::Role,
    secrets::hex,
    testing::Fixtures,
};
use sea_orm_migration::sea_orm::{ConnectionTrait, Statement};
use souk_persistence::{Database, Engine};

use crate::harness::{Fresh, migrated};

crate::on_both!(every_place_that_names_a_person_is_decided, nothing_says_who_they_were);

/// The form of one engine or of the other.
fn pick(engine: Engine, sqlite: String, postgres: String) -> String {
    match engine {
        Engine::Sqlite => sqlite,
        Engine::Postgres => postgres,
    }
}

/// What becomes of the rows that name somebody in this column.
pub(crate) enum Fate {
    /// They go.
    Go,
    /// They stay, under an id that says nothing of anybody, for this reason.
    Stay(&'static str),
}

use Fate::{Go, Stay};

/// Columns that hold the id of a person. Who adds one decides here, and in `identity/erase.rs`.
pub(crate) const NAMED: &[(&str, Fate)] = &[
    ("action_codes.user_id", Go),
    ("api_keys.user_id", Go),
    ("assistant_batches.user_id", Stay("a job that follows at once takes them out, since their files let bytes go")),
    ("assistant_files.user_id", Stay("as batches: no cascade may remove what holds bytes")),
    ("assistant_calls.user_id", Stay("what was spent must add up; it is an id and numbers")),
    ("audit_logs.actor_id", Stay("what was done must stay provable; it holds ids alone")),
    ("audit_logs.impersonator_id", Stay("as the actor")),
    ("conversations.user_id", Go),
    ("data_exports.user_id", Go),
    ("events.actor_id", Stay("as the audit log")),
    ("grants.by_id", Stay("who let somebody take files away is an id")),
    ("grants.user_id", Go),
    ("library_locks.owner_id", Go),
    ("library_objects.added_by", Stay("the object belongs to the library")),
    ("hook_events.user_id", Stay("that something was told of them; what it said goes")),
    ("idempotency_keys.actor_id", Go),
    ("model_versions.uploaded_by", Stay("the model belongs to the product")),
    ("passkeys.user_id", Go),
    ("presence.user_id", Stay("it is true of this moment only, and goes with the connection that deletion ends")),
    ("product_files.uploaded_by", Stay("the file belongs to the product")),
    ("product_views.user_id", Go),
    ("products.deleted_by", Stay("who deleted a product is an id")),
    ("prompt_generations.user_id", Stay("how a prompt did must add up; it is an id, and nothing that was said")),
    ("prompt_splits.set_by", Stay("who let a version serve is an id")),
    ("prompt_versions.written_by", Stay("the version belongs to the shop")),
    ("recovery_codes.user_id", Go),
    ("reviews.author_id", Stay("a review is for others, and counts in the rating")),
    ("room_members.user_id", Go),
    ("room_messages.user_id", Stay("what was said in a room is for others, and its offsets have no gap")),
    ("room_reads.user_id", Go),
    ("room_sanctions.by_id", Stay("who sanctioned somebody is an id")),
    ("room_sanctions.user_id", Go),
    ("rooms.owner_id", Stay("the room is for others")),
    ("seller_invitations.by_id", Stay("who invited somebody else is an id")),
    ("seller_members.user_id", Go),
    (
        "sessions.impersonator_id",
        Stay("it tells every node what holds no more until it is purged, without device, address and reason"),
    ),
    ("sessions.user_id", Stay("as those of an operator")),
    ("sign_in_challenges.user_id", Go),
    ("sign_in_places.user_id", Go),
    ("storage_usage.user_id", Stay("a number, which goes down with the files they brought")),
    ("stream_tickets.impersonator_id", Go),
    ("stream_tickets.user_id", Go),
    ("totp_factors.user_id", Go),
    ("uploads.user_id", Stay("it is forgotten within a day, and its bytes with it")),
    ("user_bans.by_id", Stay("who banned somebody is an id")),
    ("user_bans.user_id", Go),
    ("user_identities.user_id", Go),
    ("user_roles.user_id", Stay("everybody keeps the role user; all others go")),
    ("webhook_endpoints.user_id", Stay("those of seller accounts and of the shop; their own go")),
];

async fn rows(database: &Database, sql: &str) -> Vec<String> {
    let on = database.migration_connection();
    let found = on.query_all_raw(Statement::from_string(on.get_database_backend(), sql)).await.unwrap();
    found.iter().map(|row| row.try_get_by_index::<Option<String>>(0).unwrap().unwrap_or_default()).collect()
}

async fn every_place_that_names_a_person_is_decided(engine: Engine) {
    let fresh = migrated(engine).await;
    let suffixes = ["user_id", "author_id", "by_id", "actor_id", "owner_id", "impersonator_id", "deleted_by"];
    let (columns, keys) = match engine {
        Engine::Sqlite => (
            "SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'",
            "SELECT m.name || '.' || f.\"from\" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
             WHERE m.type = 'table' AND f.\"table\" = 'users'",
        ),
        Engine::Postgres => (
            "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'",
            "SELECT c.conrelid::regclass::text || '.' || a.attname FROM pg_constraint c \
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] \
             WHERE c.contype = 'f' AND c.confrelid = 'users'::regclass",
        ),
    };
    let named = rows(&fresh.database, columns).await.into_iter();
    let mut found: BTreeSet<_> = named.filter(|column| suffixes.iter().any(|one| column.ends_with(one))).collect();
    found.extend(rows(&fresh.database, keys).await);
    let decided: BTreeSet<_> = NAMED.iter().map(|(column, _)| (*column).to_owned()).collect();
    assert_eq!(found, decided);
    assert!(NAMED.iter().all(|(_, fate)| !matches!(fate, Stay(""))));
}

/// Words that stand nowhere but in what somebody told of themselves.
pub(crate) const PLANTED: [&str; 14] = [
    "zanzibar-name",
    "zanzibar-mail@example.com",
    "$zanzibar$hash",
    "zanzibar-device",
    "zanzibar-address",
    "zanzibar-key",
    "zanzibar-ban",
    "zanzibar-mute",
    "zanzibar-shop",
    "zanzibar-passkey",
    "zanzibar-elsewhere",
    "zanzibar-other@example.com",
    "zanzibar-talk",
    "zanzibar-question",
];

pub(crate) struct Planted {
    pub(crate) fresh: Fresh,
    given: Fixtures,
    pub(crate) person: Principal,
    admin: Principal,
}

impl Planted {
    pub(crate) async fn new(engine: Engine) -> Self {
        let fresh = migrated(engine).await;
        let given = Fixtures::new(fresh.database.store(), std::sync::Arc::default());
        let (admin, friend) = (given.person(Role::Admin).await, given.seller().await);
        let mut user = given.user(Role::Seller);
        PLANTED[0].clone_into(&mut user.name);
        user.email = Email::stored(PLANTED[1].to_owned());
        let person = Principal::delivered(user.id, user.roles.clone());
        let (now, id) = (given.shop.now(), user.id);
        let client = Client { device: Some(PLANTED[3].to_owned()), address: Some(PLANTED[4].to_owned()) };
        let product = given.stored_product(friend.seller.unwrap(), |_| ()).await;
        let mut tx = given.tx().await;
        assert!(tx.users().insert(&user, PLANTED[2]).await.unwrap());
        let own = StoredSession { client: client.clone(), ..given.session(id) };
        let by = Impersonator { user: id, session: own.id };
        let acted = StoredSession {
            client,
            impersonation: Some(Impersonation { by, reason: "zanzibar-ban".to_owned() }),
            ..given.session(friend.user)
        };
        for session in [&own, &acted] {
            assert!(tx.sessions().insert(session, None).await.unwrap());
        }
        let ban = Ban { user: id, until: None, reason: PLANTED[6].to_owned(), by: Some(admin.user), at: now };
        tx.bans().put(&ban).await.unwrap();
        let code = ActionCode {
            user: id,
            purpose: Purpose::ResetPassword,
            digest: [1; 32],
            email: user.email.clone(),
            expires_at: now + std::time::Duration::from_hours(1),
        };
        tx.codes().put(&code, now).await.unwrap();
        let shop = given.shop.id();
        let seller = Seller { id: shop, name: PLANTED[8].to_owned(), slug: PLANTED[8].to_owned(), created_at: now };
        assert!(tx.sellers().insert(&seller, id).await.unwrap());
        tx.organisations().put(friend.seller.unwrap(), id, MemberRole::Member, now).await.unwrap();
        assert!(tx.reviews().insert(&given.review(product.id, id, 5)).await.unwrap());
        tx.commit().await.unwrap();
        let planted = Self { fresh, given, person, admin };
        planted.plant_by_hand(engine, friend.seller.unwrap().0, product.id.0).await;
        planted.plant_a_lock(engine).await;
        planted
    }

    /// A file that they work on, one that they bring, and what a webhook told of them.
    async fn plant_a_lock(&self, engine: Engine) {
        let uuid = |id: uuid::Uuid| pick(engine, format!("x'{}'", id.simple()), format!("'{id}'"));
        let (library, lock, user) = (uuid(self.given.shop.id()), uuid(self.given.shop.id()), uuid(self.person.user.0));
        let at = "'2099-01-02T03:04:05+00:00'";
        let told = hex(PLANTED[1].as_bytes());
        let told = pick(engine, format!("x'{told}'"), format!("'\\x{told}'"));
        let (talk, question) = (PLANTED[12], PLANTED[13]);
        for sql in [
            format!(
                "INSERT INTO libraries (id, seller_id, name, created_at) SELECT {library}, id, 'models', {at} \
                 FROM sellers ORDER BY id LIMIT 1"
            ),
            format!(
                "INSERT INTO library_locks (id, library_id, path, owner_id, locked_at) \
                 VALUES ({lock}, {library}, 'cube.stl', {user}, {at})"
            ),
            format!(
                "INSERT INTO uploads (id, user_id, seller_id, purpose, length, position, state, created_at, expires_at) \
                 SELECT {lock}, {user}, id, '{{}}', 1, 0, 'receiving', {at}, {at} FROM sellers ORDER BY id LIMIT 1"
            ),
            format!(
                "INSERT INTO hook_events (id, source, known_by, received_at, headers, size, body, state, user_id, job_id) \
                 VALUES ({lock}, 'clerk', 'id:1', {at}, '{{}}', 1, {told}, 'done', {user}, {lock})"
            ),
            format!(
                "INSERT INTO webhook_endpoints (id, owner, user_id, seller_id, url, description, types, filter, form, ordering, \
                 created_at, updated_at) VALUES ({lock}, 'shop', {user}, NULL, 'https://example.com', '', '', '{{}}', 'full', \
                 'none', {at}, {at})"
            ),
            format!(
                "INSERT INTO conversations (id, user_id, title, search_text, archived, version, created_at, updated_at) \
                 VALUES ({lock}, {user}, '{talk}', '{talk}', FALSE, 1, {at}, {at})"
            ),
            format!(
                "INSERT INTO conversation_messages (id, conversation_id, speaker, parts, search_text, state, pinned, created_at, \
                 written_at) VALUES ({lock}, {lock}, 'user', '[\"{question}\"]', '{question}', 'done', FALSE, {at}, {at})"
            ),
        ] {
            self.fresh.database.maintain(&sql).await.unwrap();
        }
    }

    /// What is written by no repository alone.
    async fn plant_by_hand(&self, engine: Engine, seller: uuid::Uuid, product: uuid::Uuid) {
        let uuid = |id: uuid::Uuid| pick(engine, format!("x'{}'", id.simple()), format!("'{id}'"));
        let bytes = |text: &str| {
            let hex = hex(text.as_bytes());
            pick(engine, format!("x'{hex}'"), format!("'\\x{hex}'"))
        };
        let (user, other, at) = (uuid(self.person.user.0), uuid(self.admin.user.0), "'2099-01-02T03:04:05+00:00'");
        let (global, one) =
            (uuid("00000000-0000-7000-8000-000000000001".parse().unwrap()), || uuid(self.given.shop.id()));
        let (email, key, mute) = (PLANTED[1], PLANTED[5], PLANTED[7]);
        let body = bytes(&format!("{{\"id\":\"{}\",\"email\":\"{email}\"}}", self.person.user));
        let nobody = uuid(uuid::Uuid::nil());
        for sql in [
            format!(
                "INSERT INTO api_keys (id, digest, name, user_id, scopes, hint, created_at) \
                 VALUES ({}, {}, '{key}', {user}, '', '{key}', {at})",
                one(),
                bytes("k")
            ),
            format!(
                "INSERT INTO passkeys (id, user_id, name, credential, key, created_at) \
                 VALUES ({}, {user}, '{}', {}, {}, {at})",
                one(),
                PLANTED[9],
                bytes("c"),
                bytes("k")
            ),
            format!(
                "INSERT INTO user_identities (issuer, subject, provider, user_id, email, linked_at) \
                 VALUES ('https://id.example', '{}', 'work', {user}, '{}', {at})",
                PLANTED[10], PLANTED[11]
            ),
            format!(
                "INSERT INTO totp_factors (user_id, sealed, last_step, created_at) VALUES ({user}, {}, 0, {at})",
                bytes("s")
            ),
            format!(
                "INSERT INTO data_exports (id, user_id, created_at, expires_at) VALUES ({}, {user}, {at}, {at})",
                one()
            ),
            format!(
                "INSERT INTO grants (id, product_id, user_id, by_id, created_at) VALUES ({}, {}, {user}, {other}, {at})",
                one(),
                uuid(product)
            ),
            format!("INSERT INTO recovery_codes (user_id, digest) VALUES ({user}, {})", bytes("r")),
            format!(
                "INSERT INTO sign_in_challenges (digest, user_id, methods, guesses, expires_at) \
                 VALUES ({}, {user}, 'password', 0, {at})",
                bytes("h")
            ),
            format!("INSERT INTO sign_in_places (user_id, place, seen_at) VALUES ({user}, {}, {at})", bytes("p")),
            format!(
                "INSERT INTO stream_tickets (digest, user_id, session_until, expires_at) VALUES ({}, {user}, {at}, {at})",
                bytes("t")
            ),
            format!(
                "INSERT INTO stream_tickets (digest, user_id, session_until, expires_at, impersonator_id) \
                 VALUES ({}, {other}, {at}, {at}, {user})",
                bytes("u")
            ),
            format!(
                "INSERT INTO product_views (user_id, product_id, viewed_at) VALUES ({user}, {}, {at})",
                uuid(product)
            ),
            format!(
                "INSERT INTO room_members (room_id, user_id, role, since) VALUES ({global}, {user}, 'member', {at})"
            ),
            format!(
                "INSERT INTO room_sanctions (room_id, user_id, kind, by_id, reason, created_at) \
                 VALUES ({global}, {user}, 'mute', {other}, '{mute}', {at})"
            ),
            format!(
                "INSERT INTO room_reads (room_id, user_id, message_offset, read_at) VALUES ({global}, {user}, 1, {at})"
            ),
            format!(
                "INSERT INTO seller_invitations (id, digest, seller_id, email, role, by_id, expires_at, created_at) \
                 VALUES ({}, {}, {}, '{email}', 'member', {other}, {at}, {at})",
                one(),
                bytes("i"),
                uuid(seller)
            ),
            format!(
                "INSERT INTO idempotency_keys (actor_id, operation, key, fingerprint, status, headers, body, created_at) \
                 VALUES ({user}, 'create_review', 'k', {}, 201, '[]', {body}, {at})",
                bytes("f")
            ),
            format!(
                "INSERT INTO idempotency_keys (actor_id, operation, key, fingerprint, status, headers, body, created_at) \
                 VALUES ({nobody}, 'register', 'k', {}, 201, '[]', {body}, {at})",
                bytes("f")
            ),
        ] {
            self.fresh.database.maintain(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
    }

    async fn count(&self, engine: Engine, column: &str) -> usize {
        let (table, column) = column.split_once('.').unwrap();
        let id = self.person.user;
        let user = pick(engine, format!("x'{}'", id.0.simple()), format!("'{id}'"));
        rows(&self.fresh.database, &format!("SELECT 'x' FROM {table} WHERE {column} = {user}")).await.len()
    }

    /// Every row of every table as text; bytes are hexadecimal digits.
    async fn dump(&self, engine: Engine) -> String {
        let tables = match engine {
            Engine::Sqlite => {
                "SELECT m.name || '|' || group_concat('quote(\"' || c.name || '\")', ' || '','' || ') FROM sqlite_master m \
                 JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' GROUP BY m.name"
            }
            Engine::Postgres => {
                "SELECT table_name || '|' || 't::text' FROM information_schema.tables \
                 WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            }
        };
        let mut dump = String::new();
        for table in rows(&self.fresh.database, tables).await {
            let (name, columns) = table.split_once('|').unwrap();
            let found = rows(&self.fresh.database, &format!("SELECT {columns} FROM {name} t")).await;
            for row in found {
                writeln!(dump, "{name}: {row}").unwrap();
            }
        }
        dump.to_lowercase()
    }
}

/// The planted words that stand in a dump, as text or as bytes.
fn found(dump: &str) -> Vec<&'static str> {
    PLANTED.into_iter().filter(|word| dump.contains(*word) || dump.contains(&hex(word.as_bytes()))).collect()
}

async fn nothing_says_who_they_were(engine: Engine) {
    let planted = Planted::new(engine).await;
    assert_eq!(found(&planted.dump(engine).await), PLANTED, "all of it was there");
    for (column, fate) in NAMED {
        if matches!(fate, Go) {
            assert!(planted.count(engine, column).await > 0, "nothing is tried of {column}");
        }
    }
    let by = planted.given.authorized(&planted.admin);
    delete_person(&planted.given.shop, &by, planted.person.user).await.unwrap();
    let dump = planted.dump(engine).await;
    let left = found(&dump);
    let lines = dump.lines().filter(|line| left.iter().any(|word| line.contains(word))).collect::<Vec<_>>();
    assert!(left.is_empty(), "{left:?} stand in {lines:?}");
    for (column, fate) in NAMED {
        if matches!(fate, Go) {
            assert_eq!(planted.count(engine, column).await, 0, "{column}");
        }
    }
    assert_eq!(planted.count(engine, "reviews.author_id").await, 1);
    assert_eq!(planted.count(engine, "audit_logs.actor_id").await, 0);
    assert_eq!(planted.fresh.database.users().principal(planted.person.user).await.unwrap(), None);
    let people = planted.fresh.database.people();
    assert!(people.person(planted.person.user).await.unwrap().is_none());
    assert!(people.person(planted.admin.user).await.unwrap().is_some());
}
