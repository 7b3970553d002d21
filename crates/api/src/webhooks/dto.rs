//! Webhooks as JSON.

mod body;
mod view;

pub use body::{
    AlgorithmName, EndpointBody, EndpointPatchBody, EndpointsParams, MessagesParams, OrderingName, PayloadName,
    RecoverBody, RotateBody, TestBody, change, new_endpoint, rotated, since, tested,
};
pub use view::{
    AttemptView, EndpointView, FaultName, MadeEndpointView, MessageSummaryView, MessageView, OwnerName, QueuedView,
    RecoveredView, SecretView, StateName, StatsView,
};
