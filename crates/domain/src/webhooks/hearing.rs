//! What an owner hears of an event: no more than they could read.

use uuid::Uuid;

use super::{Endpoint, EventType, Owner};
use crate::{
    catalog::policy::Scope,
    event::Fact,
    id::{CategoryId, ProductId, SellerId},
    realtime::{Heard, Notice, Subject, Topic},
    relay::Numbered,
};

/// Who hears: an owner, and what they may know of at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hearer {
    /// Who.
    pub owner: Owner,
    /// What they may know of.
    pub scope: Scope,
}

/// What is told of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its type, as they hear it.
    pub kind: EventType,
    /// The notice behind it, for what live streams tell too, and what of it is heard.
    pub notice: Option<(Notice, Heard)>,
    /// The thing it is about: events of one thing may be told in order.
    pub thing: Uuid,
    categories: Vec<CategoryId>,
    product: Option<ProductId>,
    seller: Option<SellerId>,
}

/// What this owner hears of an event; `None` for what is none of theirs.
pub fn told(numbered: &Numbered, hearer: Hearer) -> Option<Told> {
    if let Some(notice) = Notice::of(numbered) {
        return of_notice(notice, hearer.scope);
    }
    let event = &numbered.event;
    let fact = Fact::of(event).ok()?;
    let (kind, seller) = match (fact, event.kind.as_str()) {
        (Fact::Category(_), "category.created") => (EventType::CategoryCreated, None),
        (Fact::Category(_), "category.updated") => (EventType::CategoryUpdated, None),
        (Fact::Category(_), "category.deleted") => (EventType::CategoryDeleted, None),
        (Fact::Seller(seller), "seller.member_joined") => (EventType::MemberJoined, Some(seller)),
        (Fact::Seller(seller), "seller.member_changed") => (EventType::MemberChanged, Some(seller)),
        (Fact::Seller(seller), "seller.member_left") => (EventType::MemberLeft, Some(seller)),
        (Fact::User(_), "user.created") => (EventType::UserCreated, None),
        (Fact::User(_), "user.banned") => (EventType::UserBanned, None),
        (Fact::User(_), "user.unbanned") => (EventType::UserUnbanned, None),
        (Fact::User(_), "user.deleted") => (EventType::UserDeleted, None),
        (Fact::WebhookEndpoint(of), "webhook_endpoint.disabled") => {
            let own = match hearer.owner {
                Owner::Person(user) => of.seller_id.is_none() && of.user_id == Some(user),
                Owner::Seller(seller) => of.seller_id == Some(seller),
                Owner::Shop => true,
            };
            (EventType::EndpointDisabled, own.then_some(of.seller_id)?)
        }
        _ => return None,
    };
    let theirs = match (kind, hearer.owner) {
        (EventType::MemberJoined | EventType::MemberChanged | EventType::MemberLeft, Owner::Seller(own)) => {
            seller == Some(own)
        }
        _ => kind.is_for(hearer.owner),
    };
    let categories = if event.entity.kind == "category" { vec![CategoryId(event.entity.id)] } else { Vec::new() };
    theirs.then_some(Told { kind, notice: None, thing: event.entity.id, categories, product: None, seller })
}

fn of_notice(notice: Notice, scope: Scope) -> Option<Told> {
    let heard = notice.heard(scope)?;
    let (kind, product, seller) = match (&notice.subject, heard) {
        (Subject::Product(fact), heard) => {
            let kind = match heard {
                Heard::Created => EventType::ProductCreated,
                Heard::Updated => EventType::ProductUpdated,
                Heard::Deleted => EventType::ProductDeleted,
            };
            (kind, fact.product_id, fact.seller_id)
        }
        (Subject::Model(fact), Heard::Deleted) => (EventType::ModelDeleted, fact.product_id, fact.seller_id),
        (Subject::Model(fact), _) => (EventType::ModelChanged, fact.product_id, fact.seller_id),
    };
    let categories = notice.topics.iter().filter_map(|topic| match topic {
        Topic::Category(id) => Some(*id),
        _ => None,
    });
    let categories = categories.collect();
    let (product, seller) = (Some(product), Some(seller));
    // What happens to a model happens to its product as well: they come in one order.
    let thing = product.map(|product| product.0).unwrap_or_default();
    Some(Told { kind, notice: Some((notice, heard)), thing, categories, product, seller })
}

impl Endpoint {
    /// Whether it is to hear this, of what its owner may hear.
    pub fn wants(&self, told: &Told) -> bool {
        let among = |none: bool, holds: bool| none || holds;
        let Self { types, filter, .. } = self;
        let topics = told.notice.as_ref().map(|(notice, _)| notice.topics.as_slice()).unwrap_or_default();
        among(types.is_empty(), types.contains(&told.kind))
            && among(filter.categories.is_empty(), told.categories.iter().any(|one| filter.categories.contains(one)))
            && among(filter.products.is_empty(), told.product.is_some_and(|one| filter.products.contains(&one)))
            && among(filter.sellers.is_empty(), told.seller.is_some_and(|one| filter.sellers.contains(&one)))
            && among(filter.channels.is_empty(), filter.topics().any(|topic| topics.contains(&topic)))
    }
}
