//! What tools give to whom, and that nothing is written that nobody confirmed.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{Outcome, Proposal, Toolbox, words};
use crate::{
    actor::{Actor, Principal},
    catalog::{
        Product, ProductStatus,
        similar::{Finder, Index, Keeping, follow, keep_vectors},
    },
    error::Error,
    id::ApiKeyId,
    permission::{Permission as _, Role, UseAssistant, WriteProducts},
    testing::{Fixtures, PlainEmbedder, PlainMac, memory::MemoryStore},
};

struct Given {
    fixtures: Fixtures,
    store: MemoryStore,
    tools: Toolbox,
}

impl Given {
    fn new() -> Self {
        let (fixtures, store) = Fixtures::in_memory();
        let reader = Arc::new(store.clone());
        let finder = Finder {
            index: Arc::new(Index::new()),
            embedder: Arc::<PlainEmbedder>::default(),
            products: reader.clone(),
        };
        let tools = Toolbox { shop: fixtures.shop.clone(), finder, categories: reader, mac: Arc::new(PlainMac) };
        Self { fixtures, store, tools }
    }

    async fn keep(&self) {
        let reader = Arc::new(self.store.clone());
        let keeping = Keeping {
            vectors: reader.clone(),
            feed: reader.clone(),
            products: reader.clone(),
            export: reader.clone(),
            categories: reader,
            embedder: self.tools.finder.embedder.clone(),
        };
        while keep_vectors(&keeping).await.unwrap().more {}
        follow(&self.tools.finder.index, &self.store).await.unwrap();
    }

    async fn product(&self, owner: &Principal, name: &str, status: ProductStatus) -> Product {
        let change = |product: &mut Product| (product.name, product.status) = (name.to_owned(), status);
        self.fixtures.stored_product(owner.seller.unwrap(), change).await
    }

    async fn done(&self, who: &Actor, tool: &str, arguments: Value) -> Value {
        match self.tools.call(who, tool, &arguments).await.unwrap() {
            Outcome::Done(found) => found,
            other => panic!("{tool} {arguments}: {other:?}"),
        }
    }

    async fn refused(&self, who: &Actor, tool: &str, arguments: Value) -> String {
        match self.tools.call(who, tool, &arguments).await.unwrap() {
            Outcome::Refused(error) => words(&error),
            other => panic!("{tool} {arguments}: {other:?}"),
        }
    }

    async fn proposed(&self, who: &Actor, arguments: &Value) -> Proposal {
        match self.tools.call(who, "draft_listing", arguments).await.unwrap() {
            Outcome::Proposed(proposal) => proposal,
            other => panic!("{arguments}: {other:?}"),
        }
    }

    async fn confirmed(&self, who: &Actor, arguments: &Value, confirmation: &str) -> Outcome {
        self.tools.confirm(who, "draft_listing", arguments, confirmation).await.unwrap()
    }
}

fn signed(who: &Principal) -> Actor {
    Actor::Signed(who.clone())
}

fn names(found: &Value) -> Vec<&str> {
    found["products"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn everybody_is_told_of_the_tools_they_may_use() {
    let given = Given::new();
    let (seller, buyer) = (given.fixtures.seller().await, given.fixtures.person(Role::User).await);
    let told = |who: &Actor| given.tools.specs(who).iter().map(|spec| spec.name).collect::<Vec<_>>();
    assert_eq!(told(&signed(&seller)), super::NAMES);
    let reading = ["search_products", "read_product", "list_similar_products"];
    assert_eq!((told(&Actor::Anonymous), told(&signed(&buyer))), (reading.to_vec(), reading.to_vec()));
    let key = |scopes| Actor::Signed(seller.clone().through_key(ApiKeyId(uuid::Uuid::nil()), scopes));
    assert_eq!(told(&key(UseAssistant::SET)), reading, "a key is for what it is for");
    assert_eq!(told(&key(WriteProducts::SET)), super::NAMES);
    for spec in given.tools.specs(&signed(&seller)) {
        assert_eq!(spec.parameters["additionalProperties"], false, "{}", spec.name);
        assert_eq!(spec.writes, spec.name == "draft_listing");
    }
}

#[tokio::test]
async fn published_products_are_found_read_and_compared() {
    let given = Given::new();
    let seller = given.fixtures.seller().await;
    let boat = given.product(&seller, "Model boat", ProductStatus::Published).await;
    given.product(&seller, "Model ship", ProductStatus::Published).await;
    given.product(&seller, "Secret ship", ProductStatus::Draft).await;
    given.keep().await;
    let found = given.done(&Actor::Anonymous, "search_products", json!({ "query": "ship" })).await;
    assert_eq!(found["mode"], "hybrid");
    let mut found = names(&found);
    found.sort_unstable();
    assert_eq!(found, ["Model boat", "Model ship"], "by meaning, and no draft");
    let text = json!({ "query": "ship", "mode": "text", "maxPrice": "10.00", "limit": 1 });
    assert_eq!(names(&given.done(&Actor::Anonymous, "search_products", text).await), ["Model ship"]);
    let read = given.done(&Actor::Anonymous, "read_product", json!({ "productId": boat.id })).await;
    assert_eq!((&read["price"], &read["currency"], &read["stock"]), (&json!("10.00"), &json!("EUR"), &json!(10)));
    let like = given.done(&Actor::Anonymous, "list_similar_products", json!({ "productId": boat.id })).await;
    assert_eq!(names(&like), ["Model ship"]);
}

#[tokio::test]
async fn what_is_said_to_a_model_gets_nobody_what_is_not_theirs() {
    let given = Given::new();
    let (mallory, victim) = (given.fixtures.seller().await, given.fixtures.seller().await);
    let secret = given.product(&victim, "Secret lamp", ProductStatus::Draft).await;
    given.product(&mallory, "Own lamp", ProductStatus::Draft).await;
    given.keep().await;
    for who in [signed(&mallory), Actor::Anonymous] {
        // As a text that a model read may have told it to.
        for tool in ["read_product", "list_similar_products"] {
            assert_eq!(given.refused(&who, tool, json!({ "productId": secret.id })).await, "Product not found");
        }
        let found = given.done(&who, "search_products", json!({ "query": "secret lamp" })).await;
        assert!(names(&found).is_empty(), "{found}");
    }
    let who = signed(&mallory);
    let of_victim = json!({ "sellerId": victim.seller });
    assert_eq!(given.refused(&who, "list_own_products", of_victim).await, "Seller not found");
    assert_eq!(names(&given.done(&who, "list_own_products", json!({})).await), ["Own lamp"]);
    let by_victim = json!({ "name": "Lamp", "price": "1", "sellerId": victim.seller });
    let refused = given.refused(&who, "draft_listing", by_victim).await;
    assert_eq!(refused, "Validation failed: /sellerId is no argument of this tool");
    let for_all = json!({ "name": "Lamp", "price": "1", "status": "published" });
    assert!(given.refused(&who, "draft_listing", for_all).await.contains("/status"));
    let nobody = given.refused(&Actor::Anonymous, "list_own_products", json!({ "page": "x" })).await;
    assert_eq!(nobody, "Authentication required", "who may not use it is told nothing of its arguments");
    let buyer = signed(&given.fixtures.person(Role::User).await);
    assert_eq!(given.refused(&buyer, "draft_listing", json!({})).await, "Role seller required");
    assert_eq!(given.store.traces(), []);
}

#[tokio::test]
async fn a_draft_is_written_when_it_is_confirmed_and_once() {
    let given = Given::new();
    let seller = given.fixtures.seller().await;
    let who = signed(&seller);
    let arguments = json!({ "name": "Reading lamp", "price": "19.95", "stock": 3, "sku": "R-1" });
    let proposal = given.proposed(&who, &arguments).await;
    assert!(proposal.summary.contains("\"Reading lamp\" at 19.95 EUR, 3 in stock"), "{}", proposal.summary);
    assert_eq!((given.store.traces(), Value::Object(proposal.arguments)), (vec![], arguments.clone()));
    let other_order =
        json!({ "sku": "R-1", "stock": 3, "price": "19.95", "name": "Reading lamp", "description": null });
    let mut made = Vec::new();
    for again in [&arguments, &other_order] {
        let Outcome::Done(product) = given.confirmed(&who, again, &proposal.confirmation).await else { panic!() };
        assert_eq!((&product["status"], &product["price"]), (&json!("draft"), &json!("19.95")));
        made.push(product["id"].clone());
    }
    assert_eq!(made[0], made[1], "the same answer");
    assert_eq!(given.store.traces().len(), 1);
    assert_eq!(names(&given.done(&who, "list_own_products", json!({ "status": "draft" })).await), ["Reading lamp"]);
    let again = given.proposed(&who, &arguments).await;
    let Outcome::Refused(Error::Conflict(_)) = given.confirmed(&who, &arguments, &again.confirmation).await else {
        panic!("the sku is in use by now");
    };
}

#[tokio::test]
async fn a_confirmation_is_for_one_person_one_deed_and_a_short_time() {
    let given = Given::new();
    let (seller, other) = (given.fixtures.seller().await, given.fixtures.seller().await);
    let arguments = json!({ "name": "Reading lamp", "price": "19.95" });
    let word = given.proposed(&signed(&seller), &arguments).await.confirmation;
    let dearer = json!({ "name": "Reading lamp", "price": "1.00" });
    let elsewhere = Principal { seller: other.seller, sellers: other.sellers, ..seller.clone() };
    let bad = [
        (signed(&other), &arguments, word.as_str()),
        (signed(&elsewhere), &arguments, word.as_str()),
        (signed(&seller), &dearer, word.as_str()),
        (signed(&seller), &arguments, "00"),
        (signed(&seller), &arguments, "yes"),
        (signed(&seller), &arguments, ""),
    ];
    for (who, arguments, word) in bad {
        let Outcome::Refused(error) = given.confirmed(&who, arguments, word).await else { panic!("{word}") };
        assert!(words(&error).contains("/confirmation was not given to you"), "{}", words(&error));
    }
    let Outcome::Refused(_) =
        given.tools.confirm(&signed(&seller), "search_products", &json!({"query": "a"}), &word).await.unwrap()
    else {
        panic!("there is nothing to confirm")
    };
    given.fixtures.clock.advance(Duration::from_mins(10));
    let Outcome::Refused(error) = given.confirmed(&signed(&seller), &arguments, &word).await else { panic!() };
    assert!(words(&error).contains("/confirmation has ended"), "{}", words(&error));
    assert_eq!(given.store.traces(), []);
}

#[tokio::test]
async fn arguments_keep_their_schema_and_the_rules_of_products() {
    let given = Given::new();
    let seller = signed(&given.fixtures.seller().await);
    for (tool, arguments, pointer) in [
        ("search_products", json!({}), "/query"),
        ("search_products", json!({ "query": "a", "limit": 21 }), "/limit"),
        ("search_products", json!({ "query": "a", "minPrice": "2", "maxPrice": "1" }), "/minPrice"),
        ("search_products", json!({ "query": "a", "minPrice": "0.001" }), "/minPrice"),
        ("read_product", json!({ "productId": "lamp" }), "/productId"),
        ("draft_listing", json!({ "name": "x", "price": "0" }), "/price"),
        ("draft_listing", json!({ "name": "x", "price": "1" }), "/name"),
        ("draft_listing", json!({ "name": "Lamp", "price": 1 }), "/price"),
        ("draft_listing", json!({ "name": "Lamp", "price": "1", "categoryId": uuid::Uuid::nil() }), "/categoryId"),
    ] {
        let refused = given.refused(&seller, tool, arguments).await;
        assert!(refused.starts_with("Validation failed") && refused.contains(pointer), "{refused}");
    }
    assert_eq!(given.refused(&seller, "drop_tables", json!({})).await, "Tool not found");
    assert_eq!(given.store.traces(), []);
}
