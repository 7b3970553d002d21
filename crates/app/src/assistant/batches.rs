//! The wiring of batches of questions.

use std::sync::Arc;

use api::{Assistance, openai::Lines};
use domain::{
    Result, Shop,
    assistant::batches::{Carrier, Rights},
    identity::Known,
};

use crate::{config::Config, files, foundation::Foundation};

/// What carries batches. Its lines go through the doors of the shop, with the rights that people have by what this node knows.
///
/// # Errors
/// Those of the store of files.
pub(crate) fn carrier(
    config: &Config,
    foundation: &Foundation,
    shop: &Shop,
    assistance: &Assistance,
    known: &Arc<Known>,
) -> Result<Carrier> {
    Ok(Carrier {
        queries: Arc::clone(&assistance.batches),
        room: files::storeroom(config, foundation)?,
        door: Arc::new(Lines { assistant: assistance.assistant.clone(), shop: shop.clone() }),
        rights: Rights { known: Arc::clone(known), mac: Arc::new(foundation.mac("session")?) },
        rules: assistance.batch_rules,
    })
}
