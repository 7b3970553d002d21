//! What people and seller accounts look like in JSON.

use chrono::{DateTime, Utc};
use domain::{
    catalog::queries::ProductView,
    id::{ProductId, SellerId},
    identity::{Profile, Seller, SellerInput, SignedIn, User, UserInput},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::Fields;

/// What signs a person up.
#[derive(Debug, ToSchema)]
pub struct Registration {
    /// Their address.
    #[schema(example = "ada@example.com", format = Email, max_length = 255)]
    pub email: String,
    /// The password they choose.
    #[schema(example = "correct horse battery", min_length = 8, max_length = 1024, format = Password)]
    pub password: String,
    /// The name they go by; without one, the part of the address before the `@`.
    #[schema(example = "Ada", min_length = 1, max_length = 100)]
    pub name: Option<String>,
}

/// Reads a [`Registration`].
pub fn registration(fields: &mut Fields<'_>) -> UserInput {
    UserInput { email: fields.text("email"), password: fields.text("password"), name: fields.text("name") }
}

/// What signs a person in.
#[derive(Debug, ToSchema)]
pub struct LoginRequest {
    /// Their address.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// Their password.
    #[schema(example = "correct horse battery", format = Password)]
    pub password: String,
}

/// What opens a seller account.
#[derive(Debug, ToSchema)]
pub struct NewSeller {
    /// The name shown to buyers.
    #[schema(example = "Ada's Lamps", min_length = 1, max_length = 100)]
    pub name: String,
}

/// Reads a [`NewSeller`].
pub fn new_seller(fields: &mut Fields<'_>) -> SellerInput {
    SellerInput { name: fields.text("name") }
}

/// A person, as they see themselves.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    /// Their id.
    pub id: Uuid,
    /// Their address.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// The name they go by.
    #[schema(example = "Ada")]
    pub name: String,
    /// Their highest role: user, seller or admin.
    #[schema(example = "seller")]
    pub role: &'static str,
    /// All their roles.
    #[schema(example = json!(["user", "seller"]))]
    pub roles: Vec<&'static str>,
    /// The seller account they act for.
    pub seller_id: Option<Uuid>,
    /// When they signed up.
    pub created_at: DateTime<Utc>,
    /// When the record was last changed.
    pub updated_at: DateTime<Utc>,
}

impl UserView {
    /// The view of a person with their seller account.
    pub fn new(user: &User, seller: Option<SellerId>) -> Self {
        Self {
            id: user.id.0,
            email: user.email.as_str().to_owned(),
            name: user.name.clone(),
            role: user.roles.highest().name(),
            roles: user.roles.iter().map(domain::permission::Role::name).collect(),
            seller_id: seller.map(|seller| seller.0),
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl From<&Profile> for UserView {
    fn from(profile: &Profile) -> Self {
        Self::new(&profile.user, profile.seller)
    }
}

/// A person signed in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Sent as `Authorization: Bearer <token>` from now on.
    #[schema(example = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIuLi4ifQ.c2ln")]
    pub token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// When the token ends.
    pub expires_at: DateTime<Utc>,
    /// Who signed in.
    pub user: UserView,
}

impl From<SignedIn> for Session {
    fn from(signed: SignedIn) -> Self {
        Self {
            user: UserView::from(&signed.profile),
            token: signed.token.token,
            token_type: "Bearer",
            expires_at: signed.token.expires_at,
        }
    }
}

/// A seller account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SellerView {
    /// Its id.
    pub id: Uuid,
    /// The name shown to buyers.
    #[schema(example = "Ada's Lamps")]
    pub name: String,
    /// Its name in URLs.
    #[schema(example = "ada-s-lamps")]
    pub slug: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

impl From<&Seller> for SellerView {
    fn from(seller: &Seller) -> Self {
        Self { id: seller.id.0, name: seller.name.clone(), slug: seller.slug.clone(), created_at: seller.created_at }
    }
}

/// A product somebody saw.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewedProduct {
    /// The product.
    #[schema(value_type = Uuid)]
    pub product_id: ProductId,
    /// When it was last seen.
    pub viewed_at: DateTime<Utc>,
}

impl From<ProductView> for ViewedProduct {
    fn from(view: ProductView) -> Self {
        Self { product_id: view.product, viewed_at: view.at }
    }
}
