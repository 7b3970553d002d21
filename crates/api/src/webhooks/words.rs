//! Finds the words of events: those of live streams, and a few more.

use chrono::DateTime;
use domain::{
    Error, Result,
    catalog::policy::Scope,
    event::{Entity, Event},
    id::EventId,
    money::Currency,
    relay::Numbered,
    webhooks::{EventType, Form, Hearer, Owner, Told, Wording, told},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use super::data::{CategoryData, DisabledData, MemberData, PersonData, TestData, ThinData, ThingData};
use crate::stream::NoticeView;

/// Finds the words, with prices in this currency.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The currency of the shop.
    pub currency: Currency,
}

impl Wording for Words {
    fn data(&self, numbered: &Numbered, told: &Told, form: Form) -> Result<String> {
        let event = &numbered.event;
        if form == Form::Thin {
            return written(&ThinData { entity: ThingData { kind: &event.entity.kind, id: event.entity.id } });
        }
        if let Some((notice, heard)) = &told.notice {
            return written(&NoticeView::new(notice, *heard, self.currency));
        }
        match told.kind {
            EventType::CategoryCreated | EventType::CategoryUpdated | EventType::CategoryDeleted => {
                shown::<CategoryData>(event)
            }
            EventType::MemberJoined | EventType::MemberChanged | EventType::MemberLeft => shown::<MemberData>(event),
            EventType::UserCreated | EventType::UserBanned | EventType::UserUnbanned | EventType::UserDeleted => {
                shown::<PersonData>(event)
            }
            EventType::EndpointDisabled => shown::<DisabledData>(event),
            _ => written(&TestData { success: true }),
        }
    }

    fn example(&self, kind: EventType, form: Form) -> Result<String> {
        let numbered = sample(kind);
        if kind == EventType::Test {
            return written(&TestData { success: true });
        }
        let told = told(&numbered, Hearer { owner: Owner::Shop, scope: Scope::All });
        self.data(&numbered, &told.ok_or_else(|| Error::internal("an example that nobody hears"))?, form)
    }
}

/// What an event says, as far as it is told to others.
fn shown<T: DeserializeOwned + Serialize>(event: &Event) -> Result<String> {
    written(&T::deserialize(&event.payload).map_err(Error::internal)?)
}

fn written(data: &impl Serialize) -> Result<String> {
    serde_json::to_string(data).map_err(Error::internal)
}

/// An event of a type, of things that there are nowhere.
fn sample(kind: EventType) -> Numbered {
    let id = |n: u128| Uuid::from_u128(0x0190_f5fe_7c00_7a00_8000_0123_4567_8900 + n);
    let (product, seller, category) = (id(1), id(2), id(3));
    let with = |mut base: Value, more: Value| {
        if let (Value::Object(base), Value::Object(more)) = (&mut base, more) {
            base.extend(more);
        }
        base
    };
    let status = json!({ "sellerId": seller, "categoryId": category, "status": "published", "productId": product });
    let lamp = json!({
        "name": "Reading lamp", "slug": "reading-lamp", "priceMinor": 1995, "stock": 12, "version": 1,
    });
    let model = json!({ "modelId": id(4), "name": "Knob", "version": 1, "state": "ready", "progress": 100 });
    let above = json!({ "categoryId": category, "parentId": null });
    let (name, entity, of, payload) = match kind {
        EventType::ProductCreated => ("product.created", "product", product, with(status, lamp)),
        EventType::ProductUpdated => ("product.updated", "product", product, with(status, lamp)),
        EventType::ProductDeleted => ("product.deleted", "product", product, status),
        EventType::ModelChanged => ("model.version_ready", "model", id(4), with(status, model)),
        EventType::ModelDeleted => {
            let gone = json!({ "modelId": id(4), "name": "Knob" });
            ("model.deleted", "model", id(4), with(status, gone))
        }
        EventType::CategoryCreated | EventType::CategoryUpdated => {
            let named = with(above, json!({ "name": "Lamps", "slug": "lamps" }));
            (kind.name(), "category", category, named)
        }
        EventType::CategoryDeleted => (kind.name(), "category", category, above),
        EventType::MemberJoined | EventType::MemberChanged | EventType::MemberLeft => {
            (kind.name(), "seller", seller, json!({ "sellerId": seller, "userId": id(5) }))
        }
        EventType::UserCreated | EventType::UserBanned | EventType::UserUnbanned | EventType::UserDeleted => {
            (kind.name(), "user", id(5), json!({ "userId": id(5) }))
        }
        EventType::EndpointDisabled | EventType::Test => {
            let payload = json!({
                "endpointId": id(6), "reason": "failing", "failingSince": "2026-01-02T03:04:05Z",
            });
            (EventType::EndpointDisabled.name(), "webhook_endpoint", id(6), payload)
        }
    };
    let entity = Entity::new(entity, of);
    let at = DateTime::from_timestamp(1_767_323_045, 0).unwrap_or_default();
    Numbered { seq: 42, event: Event { id: EventId(id(7)), kind: name.to_owned(), entity, actor: None, at, payload } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_an_example_of_its_own_in_both_forms() {
        let words = Words { currency: Currency::EUR };
        for kind in EventType::ALL.into_iter().chain([EventType::Test]) {
            let full: Value = serde_json::from_str(&words.example(kind, Form::Full).unwrap()).unwrap();
            assert!(full.is_object(), "{kind:?}");
            if kind != EventType::Test {
                let thin: Value = serde_json::from_str(&words.example(kind, Form::Thin).unwrap()).unwrap();
                assert!(thin["entity"]["id"].is_string(), "{kind:?}");
                let heard = told(&sample(kind), Hearer { owner: Owner::Shop, scope: Scope::All }).unwrap();
                assert_eq!(heard.kind, kind);
            }
        }
        let example = words.example(EventType::ProductUpdated, Form::Full).unwrap();
        assert!(example.contains(r#""price":19.95"#), "to the last digit: {example}");
    }
}
