//! What the cases start from: products, and people with accounts of their own.

use serde_json::{Value, json};
use souk_e2e::{Client, Server};

/// A body that makes a product.
pub fn lamp() -> Value {
    json!({
        "name": "Brass lamp",
        "description": "Warm light, 40 cm",
        "price": 19.95,
        "stock": 3,
        "images": ["https://images.example/lamp.jpg"],
        "metadata": { "material": "brass" }
    })
}

/// Makes a product and gives it back as the answer showed it.
pub async fn create(seller: &Client, body: &Value) -> Value {
    seller.post("/api/v1/products", body).await.expect(201).json()
}

/// The path of a product.
pub fn path(product: &Value) -> String {
    format!("/api/v1/products/{}", product["id"].as_str().unwrap())
}

/// A person who signed up just now, with the role user.
pub async fn person(server: &Server, email: &str) -> Client {
    let client = server.client();
    let body = json!({ "email": email, "password": "correct horse battery", "name": "Ada" });
    client.post("/api/v1/auth/register", &body).await.expect(201);
    client.sign_in(email, "correct horse battery").await
}

/// A person with a seller account of their own.
pub async fn seller(server: &Server, email: &str) -> Client {
    let person = person(server, email).await;
    person.post("/api/v1/sellers", &json!({ "name": email })).await.expect(201);
    // The role is read from the database at every request; a fresh token is for those that carry it.
    person.sign_in(email, "correct horse battery").await
}
