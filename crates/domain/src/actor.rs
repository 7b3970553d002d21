//! Who calls.

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    id::{ApiKeyId, SellerId, UserId},
    identity::Sellers,
    permission::{Permission, Permissions, WriteProducts},
    role::{self, Role, Roles},
};

/// The caller of a use case, resolved once per request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one for a request, and in a box it would cost an allocation")]
pub enum Actor {
    /// Nobody signed in.
    Anonymous,
    /// A person signed in.
    Signed(Principal),
}

/// A person who signed in, with what the database said of them during this request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The person; for a key of a seller account whoever made it.
    pub user: UserId,
    /// Their roles.
    #[serde(with = "role::kept")]
    pub roles: Roles,
    /// What they may do: what their roles have together, and through an API key no more than it is for.
    pub permissions: Permissions,
    /// The seller account they act for: the one they named, else the only one they are a member of.
    pub seller: Option<SellerId>,
    /// Every seller account they are a member of.
    pub sellers: Sellers,
    /// The API key they use, if they use one.
    pub key: Option<ApiKeyId>,
    /// The models of the assistant that this key is for; `None` for all.
    #[serde(default)]
    pub models: Option<Vec<String>>,
    /// The operator who acts as them, if it is not they themselves.
    pub impersonator: Option<UserId>,
}

impl Principal {
    /// A person with these roles, who may do this and is a member of these accounts.
    pub fn new(user: UserId, roles: Roles, permissions: Permissions, sellers: Sellers) -> Self {
        Self { user, roles, permissions, seller: sellers.sole(), sellers, key: None, models: None, impersonator: None }
    }

    /// A person who may do what their roles may as delivered.
    pub fn delivered(user: UserId, roles: Roles) -> Self {
        let permissions = roles.iter().map(Permissions::delivered).fold(Permissions::NONE, Permissions::union);
        Self::new(user, roles, permissions, Sellers::NONE)
    }

    /// The same person as a member of one account alone.
    #[must_use]
    pub fn of_seller(self, seller: SellerId) -> Self {
        let sellers = Sellers::one(seller);
        Self { seller: sellers.sole(), sellers, ..self }
    }

    /// The same person through an API key: what it is for, of what they may do. Only one for products acts for their
    /// accounts, and sees their drafts.
    #[must_use]
    pub fn through_key(self, key: ApiKeyId, scopes: Permissions) -> Self {
        let permissions = self.permissions.within(scopes).without(Permissions::NOT_FOR_KEYS);
        let sellers = if permissions.has(WriteProducts::SET) { self.sellers } else { Sellers::NONE };
        let seller = self.seller.filter(|seller| sellers.has(*seller));
        Self { permissions, seller, sellers, key: Some(key), ..self }
    }

    /// The same person, who may ask these models of the assistant alone; `None` is all.
    #[must_use]
    pub fn for_models(self, models: Option<Vec<String>>) -> Self {
        Self { models, ..self }
    }

    /// The same person as an operator acts as them: no more than both may do, and nothing that is for the person alone.
    #[must_use]
    pub fn impersonated(self, by: &Self) -> Self {
        let permissions = self.permissions.within(by.permissions).without(Permissions::IN_PERSON);
        Self { permissions, impersonator: Some(by.user), ..self }
    }

    /// The same person acting for one of their accounts.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is none of theirs.
    pub fn acting_for(self, seller: SellerId) -> Result<Self> {
        if self.sellers.has(seller) {
            Ok(Self { seller: Some(seller), ..self })
        } else {
            Err(Error::NotFound("Seller"))
        }
    }

    /// Whether they may do something.
    pub fn may<P: Permission>(&self) -> bool {
        self.permissions.has(P::SET)
    }

    /// Whether the key they use, if they use one, is for this model of the assistant.
    pub fn may_ask(&self, model: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.iter().any(|one| one == model))
    }

    /// Whether nobody knows who they are: an account that somebody was given who said nothing of themselves.
    pub fn is_guest(&self) -> bool {
        self.roles.has(Role::Guest)
    }

    /// True for an administrator of the installation in person; what a key of theirs may do says its scopes.
    pub fn is_admin(&self) -> bool {
        self.roles.has(Role::Admin) && self.key.is_none() && self.impersonator.is_none()
    }
}

impl Actor {
    /// The person, when one is signed in.
    pub fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Anonymous => None,
            Self::Signed(principal) => Some(principal),
        }
    }
}
