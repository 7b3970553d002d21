//! What listeners are sent, as JSON.

use chrono::{DateTime, Utc};
use domain::{
    catalog::ProductStatus,
    event::{ModelFact, ProductFact},
    money::Currency,
    realtime::{Heard, Notice, Subject},
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    catalog::dto::{number::price, status::StatusView},
    models3d::dto::VersionStateView,
};

/// A change that was committed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notice)]
#[serde(untagged)]
pub enum NoticeView<'a> {
    /// Of a product.
    Product(ProductNoticeView<'a>),
    /// Of a 3D model.
    Model(ModelNoticeView<'a>),
}

/// A change of a 3D model that was committed, or how far a version of it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model3dNotice)]
#[serde(rename_all = "camelCase")]
pub struct ModelNoticeView<'a> {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: ModelNoticeKind,
    /// Its number in the log, which is also the `id` of the message.
    #[schema(example = 43)]
    pub seq: u64,
    /// When the change was made.
    pub at: DateTime<Utc>,
    /// The model.
    pub model_id: Uuid,
    /// The product it belongs to.
    pub product_id: Uuid,
    /// The name of the model.
    #[schema(example = "Knob")]
    pub name: &'a str,
    /// The version that got further; absent when one is gone.
    #[schema(value_type = Option<i64>, example = 1, minimum = 1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<VersionStateView>,
    /// How much of what is to be done for it is done, of 100.
    #[schema(example = 50, minimum = 0, maximum = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<u8>,
}

/// What happened to a 3D model.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Model3dNoticeKind)]
pub enum ModelNoticeKind {
    /// A version of it came, got further, or went.
    #[serde(rename = "model.changed")]
    Changed,
    /// It is gone.
    #[serde(rename = "model.deleted")]
    Deleted,
}

/// A change of a product that was committed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductNotice)]
#[serde(rename_all = "camelCase")]
pub struct ProductNoticeView<'a> {
    /// What happened, as far as this listener may see.
    #[serde(rename = "type")]
    pub kind: NoticeKind,
    /// Its number in the log, which is also the `id` of the message.
    #[schema(example = 42)]
    pub seq: u64,
    /// When the change was made.
    pub at: DateTime<Utc>,
    /// The product.
    pub product_id: Uuid,
    /// The product as it is now; absent when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<ShownProductView<'a>>,
    /// The category it was in before, when the change moved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_category_id: Option<Uuid>,
}

/// What happened to a product (CAT-20).
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub enum NoticeKind {
    /// It came into sight.
    #[serde(rename = "product.created")]
    Created,
    /// It is another now.
    #[serde(rename = "product.updated")]
    Updated,
    /// It is gone from sight.
    #[serde(rename = "product.deleted")]
    Deleted,
}

/// A product without its long texts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShownProduct)]
#[serde(rename_all = "camelCase")]
pub struct ShownProductView<'a> {
    /// Its id.
    pub id: Uuid,
    /// The account that sells it.
    pub seller_id: Uuid,
    /// The category it is in.
    pub category_id: Option<Uuid>,
    /// Its name.
    #[schema(example = "Reading lamp")]
    pub name: &'a str,
    /// Its name in URLs.
    #[schema(example = "reading-lamp")]
    pub slug: &'a str,
    /// What it costs, in major units.
    #[schema(value_type = f64, example = 19.95)]
    pub price: Box<RawValue>,
    /// The currency of the price.
    #[schema(example = "EUR")]
    pub currency: &'static str,
    /// Pieces on hand.
    #[schema(example = 12, minimum = 0)]
    pub stock: i64,
    /// Where it stands in its life.
    #[schema(value_type = StatusView)]
    pub status: ProductStatus,
    /// How often it was changed, from 1.
    #[schema(example = 1, minimum = 1)]
    pub version: i64,
}

impl<'a> NoticeView<'a> {
    /// A notice for those who hear this of it.
    pub fn new(notice: &'a Notice, heard: Heard, currency: Currency) -> Self {
        match &notice.subject {
            Subject::Product(fact) => Self::Product(ProductNoticeView::new(notice, fact, heard, currency)),
            Subject::Model(fact) => Self::Model(ModelNoticeView::new(notice, fact, heard)),
        }
    }
}

impl<'a> ModelNoticeView<'a> {
    fn new(notice: &Notice, fact: &'a ModelFact, heard: Heard) -> Self {
        Self {
            kind: if heard == Heard::Deleted { ModelNoticeKind::Deleted } else { ModelNoticeKind::Changed },
            seq: notice.seq,
            at: notice.at,
            model_id: fact.model_id.0,
            product_id: fact.product_id.0,
            name: &fact.name,
            version: fact.version.map(|number| number.0),
            state: fact.state.map(VersionStateView::from),
            progress: fact.progress,
        }
    }
}

impl<'a> ProductNoticeView<'a> {
    fn new(notice: &Notice, fact: &'a ProductFact, heard: Heard, currency: Currency) -> Self {
        let gone = heard == Heard::Deleted;
        Self {
            kind: match heard {
                Heard::Created => NoticeKind::Created,
                Heard::Updated => NoticeKind::Updated,
                Heard::Deleted => NoticeKind::Deleted,
            },
            seq: notice.seq,
            at: notice.at,
            product_id: fact.product_id.0,
            product: if gone { None } else { shown(fact, currency) },
            previous_category_id: fact.previous_category_id.filter(|_| !gone).map(|id| id.0),
        }
    }
}

fn shown(fact: &ProductFact, currency: Currency) -> Option<ShownProductView<'_>> {
    let shown = fact.shown.as_ref()?;
    Some(ShownProductView {
        id: fact.product_id.0,
        seller_id: fact.seller_id.0,
        category_id: fact.category_id.map(|id| id.0),
        name: &shown.name,
        slug: &shown.slug,
        price: price(currency, shown.price_minor),
        currency: currency.code(),
        stock: shown.stock,
        status: fact.status,
        version: shown.version.0,
    })
}

/// The `data` of a message of a stream.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum StreamMessage<'a> {
    /// A change that was committed.
    Notice(NoticeView<'a>),
    /// A sign between the changes.
    Sign(Sign),
}

/// What was missed and cannot be told any more, or why a stream ends: signs between the changes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StreamSign)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Sign {
    /// Events are missing here: what was read before is to be read anew.
    // Said here and not above, where the document would not hear it.
    #[serde(rename_all = "camelCase")]
    Gap {
        /// Why.
        reason: GapReason,
        /// The last number the listener had.
        after: u64,
        /// The stream goes on after this number.
        resumed_at: u64,
    },
    /// The stream ends.
    Closing {
        /// Why.
        reason: ClosingReason,
    },
}

/// Why events are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum GapReason {
    /// They are older than the log is kept.
    Expired,
    /// The log does not reach so far: it was put back to an earlier state.
    AheadOfLog,
}

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ClosingReason {
    /// This server ends; connect again after the `retry` given with it.
    Shutdown,
    /// The session ended, or the account is not there any more: sign in again.
    SessionEnded,
}
