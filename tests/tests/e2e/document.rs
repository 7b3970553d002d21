//! The operations as `openapi.json` tells them, and a small world in which each can be called.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use souk_e2e::{Client, Reply, Server};

use crate::{models3d, shop};

/// One operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `list_products` and so on.
    pub id: String,
    /// In upper case.
    pub method: String,
    /// The template, such as `/api/v1/products/{id}`.
    pub path: String,
    /// The scopes it asks for; none when everybody may call it.
    pub scopes: Option<Vec<String>>,
    /// The names of its query parameters.
    pub query: Vec<String>,
    /// Its body, as the document's own example shows it.
    pub body: Option<Value>,
    /// The fields of its body that hold any text.
    pub texts: Vec<String>,
}

/// Every operation of a document.
pub fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "delete", "patch", "head", "options"] {
            let Some(operation) = item.get(method) else { continue };
            let parameters = [&item["parameters"], &operation["parameters"]];
            let query = parameters
                .iter()
                .filter_map(|list| list.as_array())
                .flatten()
                .filter(|parameter| parameter["in"] == "query")
                .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                .collect();
            all.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                scopes: scopes(operation.get("security").or_else(|| document.get("security"))),
                query,
                body: body(document, operation),
                texts: texts(document, operation),
            });
        }
    }
    assert!(all.len() >= 15, "the document has only {} operations", all.len());
    all
}

fn scopes(security: Option<&Value>) -> Option<Vec<String>> {
    let choices = security?.as_array()?;
    // `{}` among the choices means: a token is welcome, not needed.
    if choices.is_empty() || choices.iter().any(|choice| choice.as_object().is_some_and(serde_json::Map::is_empty)) {
        return None;
    }
    let names = choices.iter().flat_map(|choice| choice.as_object().unwrap().values());
    Some(names.flat_map(|scopes| scopes.as_array().unwrap()).map(|s| s.as_str().unwrap().to_owned()).collect())
}

/// A body made of the document's own examples: of the whole, or of each field that has one.
fn body(document: &Value, operation: &Value) -> Option<Value> {
    // Bytes are no example of anything.
    let content = operation.get("requestBody")?.get("content")?.get("application/json")?;
    let schema = resolve(document, &content["schema"]);
    let whole = content.get("example").or_else(|| example(schema));
    if let Some(Value::Object(whole)) = whole {
        let mut whole = whole.clone();
        // The ids of the example are nobody's here, and its version is another product's.
        let required = |name: &String| schema["required"].as_array().is_some_and(|list| list.contains(&json!(name)));
        whole.retain(|name, _| required(name) || (schema["properties"][name]["format"] != "uuid" && name != "version"));
        return Some(whole.into());
    }
    let mut body = serde_json::Map::new();
    for (name, field) in schema["properties"].as_object().unwrap() {
        let example = example(field).or_else(|| example(resolve(document, field)));
        let required = schema["required"].as_array().is_some_and(|list| list.contains(&json!(name)));
        if example.is_none() && required && field["items"]["format"] == "uuid" {
            body.insert(name.clone(), json!(["019f0000-0000-7000-8000-000000000000"]));
            continue;
        }
        assert!(example.is_some() || !required, "{}: {name} has no example", operation["operationId"]);
        // The example of a version is of another product's.
        if let Some(example) = example.filter(|_| name != "version") {
            body.insert(name.clone(), example.clone());
        }
    }
    Some(body.into())
}

fn texts(document: &Value, operation: &Value) -> Vec<String> {
    let content = operation["requestBody"]["content"].get("application/json");
    let Some(properties) = content.and_then(|content| resolve(document, &content["schema"])["properties"].as_object())
    else {
        return Vec::new();
    };
    let any_text = |field: &Value| {
        let kind = &field["type"];
        let text = kind == "string" || kind.as_array().is_some_and(|kinds| kinds.contains(&json!("string")));
        text && field["format"] != "uuid" && field.get("enum").is_none()
    };
    properties.iter().filter(|(_, field)| any_text(field)).map(|(name, _)| name.clone()).collect()
}

fn example(schema: &Value) -> Option<&Value> {
    schema.get("example").or_else(|| schema["examples"].get(0))
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// A draft of one seller, a category and a buyer's review: what the templates of paths stand for. Things the document
/// does not know yet are not there.
#[derive(Debug, Clone)]
pub struct World {
    /// Every operation of the document.
    pub operations: Vec<Operation>,
    /// The draft, seen by its seller only.
    pub draft: Value,
    /// A published product, seen by everybody.
    pub product: Value,
    category: Option<Value>,
    review: Option<Value>,
    job: Option<Value>,
    /// A private room of the buyer, with somebody else in it who is banned, muted, and has said something.
    room: Option<Value>,
    /// That somebody.
    guest: Option<String>,
    /// Somebody who owns nothing here.
    person: Option<Value>,
    /// An API key of the buyer.
    key: Option<Value>,
    /// The seller's account.
    account: Option<Value>,
    /// An invitation to it.
    invitation: Option<Value>,
    /// A 3D model of the draft.
    model: Option<Value>,
    /// A library of large files of the seller.
    library: Option<Value>,
    /// An upload of the seller that is not at its end.
    upload: Option<Value>,
    /// A file of the draft, which the guest was granted.
    file: Option<Value>,
    /// A webhook that came in.
    hook: Option<Value>,
    /// A conversation of the buyer.
    /// The path of a prompt, below `/api/v1`.
    prompt: Option<String>,
    conversation: Option<Value>,
    /// How much may be spent on models.
    budget: Option<Value>,
    /// A webhook endpoint of the buyer, and a message for it.
    webhook: Option<(Value, String)>,
}

impl World {
    /// Makes one, with the demo accounts as owners.
    pub async fn new(server: &Server) -> Self {
        let document = server.client().get("/api-docs/openapi.json").await.expect(200).json();
        let seller = server.signed_in("seller").await;
        let buyer = server.signed_in("buyer").await;
        let admin = server.signed_in("admin").await;
        Self::of(operations(&document), &seller, &buyer, &admin).await
    }

    /// Makes another one for the same document, with these owners.
    pub async fn again(&self, seller: &Client, buyer: &Client, admin: &Client) -> Self {
        Self::of(self.operations.clone(), seller, buyer, admin).await
    }

    async fn of(operations: Vec<Operation>, seller: &Client, buyer: &Client, admin: &Client) -> Self {
        let knows = |path: &str| operations.iter().any(|known| known.method == "POST" && known.path == path);
        let (hooks, talks) = (knows("/api/v1/webhooks/endpoints"), knows("/api/v1/conversations"));
        let mut body = shop::lamp();
        body["name"] = json!("Xylophone of the world");
        let product = shop::create(seller, &body).await;
        body["status"] = json!("draft");
        body["name"] = json!("Quixotic draft of the world");
        let draft = shop::create(seller, &body).await;
        let mut budget = None;
        if knows("/api/v1/assistant/budgets") {
            budget = Some(budgeted(admin, &product).await);
        }
        let (mut category, mut review, mut job) = (None, None, None);
        if knows("/api/v1/categories") {
            // Siblings have different names, and a world may not be the first.
            let body = json!({ "name": format!("Things of {}", product["id"]) });
            category = Some(admin.post("/api/v1/categories", &body).await.expect(201).json());
        }
        if knows("/api/v1/products/{id}/reviews") {
            let body = json!({ "stars": 4, "comment": "Sounds well" });
            review = Some(buyer.post(&format!("{}/reviews", shop::path(&product)), &body).await.expect(201).json());
        }
        if knows("/api/v1/schedules/{name}/run") {
            job = Some(admin.post("/api/v1/schedules/purge/run", &json!({})).await.expect(202).json());
        }
        let (mut room, mut guest) = (None, None);
        if knows("/api/v1/rooms") {
            let (made, other) = room_with_guest(buyer, seller, &product).await;
            (room, guest) = (Some(made), Some(other));
        }
        let (mut person, mut key, mut account, mut invitation) = (None, None, None, None);
        if knows("/api/v1/api-keys") {
            let email = format!("{}@world.example", product["id"].as_str().unwrap());
            let body = json!({ "email": email, "password": "correct horse battery" });
            person = Some(admin.anonymous().post("/api/v1/auth/register", &body).await.expect(201).json());
            let body = json!({ "name": "Robot", "scopes": ["account:own"] });
            key = Some(buyer.post("/api/v1/api-keys", &body).await.expect(201).json());
            let mine = json!({ "id": product["sellerId"] });
            let path = format!("/api/v1/sellers/{}/invitations", product["sellerId"].as_str().unwrap());
            invitation = Some(seller.post(&path, &json!({ "email": email })).await.expect(201).json());
            account = Some(mine);
        }
        let mut model = None;
        if knows("/api/v1/models3d") {
            let path = format!("/api/v1/models3d?fileName=cube.stl&productId={}", draft["id"].as_str().unwrap());
            let request = seller.request("POST", &path).body(models3d::binary());
            model = Some(seller.send(request).await.expect(201).json());
        }
        let mut library = None;
        if operations.iter().any(|known| known.path == "/api/v1/libraries") {
            library = Some(pushed(seller).await);
        }
        let mut upload = None;
        if operations.iter().any(|known| known.path == "/api/v1/uploads/{id}") {
            upload = Some(begun_upload(seller, &draft).await);
        }
        let mut hook = None;
        if knows("/api/v1/hooks/{source}") {
            hook = Some(admin.walk(&json!({ "product": product["id"] })).await.expect(202).json());
        }
        let mut file = None;
        if knows("/api/v1/products/{id}/files") {
            let path = shop::path(&draft);
            let bytes = draft["id"].to_string();
            let sent = seller.request("POST", &format!("{path}/files?name=plan.stl")).body(bytes);
            file = Some(seller.send(sent).await.expect(201).json());
            let guest = guest.as_deref().unwrap();
            seller.put(&format!("{path}/grants/{guest}"), &json!({})).await.expect(200);
        }
        let mut written = None;
        if knows("/api/v1/assistant/prompts") {
            written = Some(prompt(admin, &product).await);
        }
        Self {
            operations,
            draft,
            product,
            category,
            review,
            job,
            room,
            guest,
            person,
            key,
            account,
            invitation,
            model,
            library,
            upload,
            file,
            hook,
            prompt: written,
            conversation: if talks { Some(conversation(buyer).await) } else { None },
            budget,
            webhook: if hooks { Some(webhook(buyer).await) } else { None },
        }
    }

    /// The path of an operation with the ids of this world in it.
    pub fn path(&self, operation: &Operation) -> String {
        let product = if operation.path.contains("/reviews") { &self.product } else { &self.draft };
        let mut path = operation.path.clone();
        for (before, thing) in [
            ("/products/{", Some(product)),
            ("/categories/{", self.category.as_ref()),
            ("/reviews/{", self.review.as_ref()),
            ("/jobs/{", self.job.as_ref()),
            ("/rooms/{", self.room.as_ref()),
            ("/users/{", self.person.as_ref()),
            ("/api-keys/{", self.key.as_ref()),
            ("/sellers/{", self.account.as_ref()),
            ("/invitations/{", self.invitation.as_ref()),
            ("/models3d/{", self.model.as_ref()),
            ("/files/{", self.file.as_ref()),
            ("/libraries/{", self.library.as_ref()),
            ("/uploads/{", self.upload.as_ref()),
            ("/hook-events/{", self.hook.as_ref()),
            ("/conversations/{", self.conversation.as_ref()),
            ("/assistant/budgets/{", self.budget.as_ref()),
            ("/webhooks/endpoints/{", self.webhook.as_ref().map(|(endpoint, _)| endpoint)),
        ] {
            if let (Some(start), Some(thing)) = (path.find(before), thing) {
                let start = start + before.len() - 1;
                let end = start + path[start..].find('}').unwrap() + 1;
                path.replace_range(start..end, thing["id"].as_str().unwrap());
            }
        }
        if path.starts_with("/api/v1/conversations/") {
            // Of no message: nothing is said without a model.
            path = path.replace("{messageId}", "019f0000-0000-7000-8000-000000000000");
        }
        path = path
            .replace("{chatId}", "chat-1")
            // Nobody's: a walk through all operations signs nobody out.
            .replace("/sessions/{id}", "/sessions/019f0000-0000-7000-8000-000000000000")
            .replace("{sessionId}", "019f0000-0000-7000-8000-000000000000")
            .replace("/me/exports/{id}", "/me/exports/019f0000-0000-7000-8000-000000000000")
            .replace("/me/passkeys/{id}", "/me/passkeys/019f0000-0000-7000-8000-000000000000")
            .replace("{imageId}", self.draft["images"][0]["id"].as_str().unwrap())
            // Of no picture.
            .replace("{file}", "AAAAAAAAAAAAAAAAAAAAA.jpg")
            .replace("{userId}", self.guest.as_deref().unwrap_or("{userId}"))
            .replace("/messages/{offset}", "/messages/1")
            .replace("{messageId}", self.webhook.as_ref().map_or("{messageId}", |(_, message)| message))
            .replace("/assistant/prompts/{name}", self.prompt.as_deref().unwrap_or("/assistant/prompts/{name}"))
            .replace("/schedules/{name}", "/schedules/purge")
            .replace("/versions/{number}", "/versions/1")
            .replace("{provider}", "google")
            .replace("{source}", "walk")
            .replace("/roles/{name}", "/roles/seller")
            // There is none.
            .replace("/assistant/providers/{name}", "/assistant/providers/near")
            .replace("/assistant/generations/{id}", "/assistant/generations/019f0000-0000-7000-8000-000000000000")
            .replace("/assistant/prices/{id}", "/assistant/prices/019f0000-0000-7000-8000-000000000000")
            .replace("/content/{name}", "/content/nothing")
            .replace("/roles/{role}", "/roles/user")
            .replace("{slug}", self.draft["slug"].as_str().unwrap());
        // What is asked for before anybody looks whose it is.
        path += match operation.id.as_str() {
            "create_file" => "?name=plan.stl",
            "create_model3d_version" => "?fileName=cube.stl",
            "search_products" => "?q=lamp",
            _ => "",
        };
        assert!(!path.contains('{'), "tell this test what stands for the parameters of {}", operation.path);
        path
    }
}

/// A library with one object.
async fn pushed(seller: &Client) -> Value {
    // That of nothing at all.
    let oid = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let slug = seller.get("/api/v1/users/me/sellers").await.expect(200).json()["items"][0]["slug"].clone();
    let slug = slug.as_str().unwrap();
    let sent = seller.request("PUT", &format!("/lfs/{slug}/walk/objects/{oid}"));
    seller.send(sent).await.expect(200);
    seller.get("/api/v1/libraries").await.expect(200).json()["items"][0].clone()
}

/// An upload in portions, of which nothing has come yet.
async fn begun_upload(seller: &Client, draft: &Value) -> Value {
    let product = BASE64_STANDARD.encode(draft["id"].as_str().unwrap());
    let metadata = format!("filename {},productId {product}", BASE64_STANDARD.encode("plan.stl"));
    let begun = seller
        .request("POST", "/api/v1/uploads")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", "10")
        .header("upload-metadata", metadata);
    let begun = seller.send(begun).await.expect(201);
    seller.get(begun.header("location")).await.expect(200).json()
}

/// The path of a prompt that serves.
async fn prompt(admin: &Client, product: &Value) -> String {
    // Names are unique, and a world may not be the first.
    let name = format!("prompt-{}", &product["id"].as_str().unwrap()[24..]);
    admin.post("/api/v1/assistant/prompts", &json!({ "name": name })).await.expect(201);
    let path = format!("/api/v1/assistant/prompts/{name}");
    let version = json!({
        "messages": [{ "role": "user", "template": "Describe {{ title }}." }],
        "variables": [{ "name": "title", "type": "text", "default": "Lamp" }],
    });
    admin.post(&format!("{path}/versions"), &version).await.expect(201);
    // Twice, so that there is something to go back to.
    for weight in [50, 100] {
        let split = json!({ "shares": [{ "version": 1, "weight": weight }] });
        admin.put(&format!("{path}/split"), &split).await.expect(200);
    }
    path.trim_start_matches("/api/v1").to_owned()
}

/// A conversation in which nothing was said.
async fn conversation(owner: &Client) -> Value {
    owner.post("/api/v1/conversations", &json!({})).await.expect(201).json()
}

/// A budget that nobody comes near.
async fn budgeted(admin: &Client, product: &Value) -> Value {
    // Names are unique, and a world may not be the first.
    let name = format!("world-{}", product["id"].as_str().unwrap());
    let body = json!({ "name": name, "by": "user", "span": "day", "cost": "1000" });
    admin.post("/api/v1/assistant/budgets", &body).await.expect(201).json()
}

/// A webhook endpoint of one person, and a message that waits for it.
async fn webhook(owner: &Client) -> (Value, String) {
    // Nobody has that name.
    let body = json!({ "url": "https://webhook.invalid/hook" });
    let made = owner.post("/api/v1/webhooks/endpoints", &body).await.expect(201).json();
    let path = format!("/api/v1/webhooks/endpoints/{}/test", made["id"].as_str().unwrap());
    let queued = owner.post(&path, &json!({})).await.expect(202).json();
    (made, queued["messageId"].as_str().unwrap().to_owned())
}

/// A private room of one person, with another in it.
async fn room_with_guest(owner: &Client, guest: &Client, product: &Value) -> (Value, String) {
    // Names are unique, and a world may not be the first.
    let name = format!("room-{}", &product["id"].as_str().unwrap()[24..]);
    let room = owner.post("/api/v1/rooms", &json!({ "name": name, "kind": "private" })).await.expect(201).json();
    let id = guest.get("/api/v1/users/me").await.expect(200).json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/rooms/{}", room["id"].as_str().unwrap());
    let mut socket = owner.socket().await;
    let said = socket.ask(&json!({ "type": "message", "room": name, "content": "Here we are" })).await;
    assert_eq!(said["type"], "ack", "{said}");
    socket.close().await;
    for what in ["members", "bans", "mutes"] {
        owner.put(&format!("{path}/{what}/{id}"), &json!({})).await.expect(200);
    }
    (room, id)
}

/// Calls an operation with the document's own example as body.
pub async fn call(client: &Client, world: &World, operation: &Operation) -> Reply {
    let mut request = client.request(&operation.method, &world.path(operation));
    if let Some(body) = &operation.body {
        request = request.json(body);
    }
    client.send(request).await
}
