//! The catalogue: what can be heard.

use super::Owner;

/// Something that endpoints can hear. Its name is public, and its data keep their meaning: what changes it is a new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventType {
    /// There is a product the owner did not see before.
    ProductCreated,
    /// A product they see is another now.
    ProductUpdated,
    /// A product they saw is gone for them.
    ProductDeleted,
    /// A 3D model or a version of it came, got further or went.
    ModelChanged,
    /// A 3D model is gone.
    ModelDeleted,
    /// A category was made.
    CategoryCreated,
    /// A category is another now.
    CategoryUpdated,
    /// A category is gone.
    CategoryDeleted,
    /// Somebody became a member of a seller account.
    MemberJoined,
    /// A member has another role.
    MemberChanged,
    /// Somebody is no member any more.
    MemberLeft,
    /// Somebody signed up.
    UserCreated,
    /// Somebody is banned.
    UserBanned,
    /// Somebody is not banned any more.
    UserUnbanned,
    /// Somebody was deleted.
    UserDeleted,
    /// An endpoint was switched off because it failed.
    EndpointDisabled,
    /// A test that somebody asked for; nobody need choose it.
    Test,
}

impl EventType {
    /// What can be chosen, in the order of the catalogue.
    pub const ALL: [Self; 16] = [
        Self::ProductCreated,
        Self::ProductUpdated,
        Self::ProductDeleted,
        Self::ModelChanged,
        Self::ModelDeleted,
        Self::CategoryCreated,
        Self::CategoryUpdated,
        Self::CategoryDeleted,
        Self::MemberJoined,
        Self::MemberChanged,
        Self::MemberLeft,
        Self::UserCreated,
        Self::UserBanned,
        Self::UserUnbanned,
        Self::UserDeleted,
        Self::EndpointDisabled,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProductCreated => "product.created",
            Self::ProductUpdated => "product.updated",
            Self::ProductDeleted => "product.deleted",
            Self::ModelChanged => "model.changed",
            Self::ModelDeleted => "model.deleted",
            Self::CategoryCreated => "category.created",
            Self::CategoryUpdated => "category.updated",
            Self::CategoryDeleted => "category.deleted",
            Self::MemberJoined => "seller.member_joined",
            Self::MemberChanged => "seller.member_changed",
            Self::MemberLeft => "seller.member_left",
            Self::UserCreated => "user.created",
            Self::UserBanned => "user.banned",
            Self::UserUnbanned => "user.unbanned",
            Self::UserDeleted => "user.deleted",
            Self::EndpointDisabled => "webhook_endpoint.disabled",
            Self::Test => "webhook.test",
        }
    }

    /// The type of that name that can be chosen.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The type of a stored name.
    pub fn stored(name: &str) -> Option<Self> {
        Self::named(name).or((name == Self::Test.name()).then_some(Self::Test))
    }

    /// Whether an owner of this kind can ever hear it.
    pub fn is_for(self, owner: Owner) -> bool {
        match self {
            Self::UserCreated | Self::UserBanned | Self::UserUnbanned | Self::UserDeleted => owner == Owner::Shop,
            Self::MemberJoined | Self::MemberChanged | Self::MemberLeft => !matches!(owner, Owner::Person(_)),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_a_test_is_not_chosen() {
        for kind in EventType::ALL {
            assert_eq!(EventType::named(kind.name()), Some(kind));
            assert!(kind.is_for(Owner::Shop), "{kind:?}");
        }
        assert_eq!(EventType::named("webhook.test"), None);
        assert_eq!(EventType::stored("webhook.test"), Some(EventType::Test));
        assert_eq!(EventType::named("product.exploded"), None);
    }
}
