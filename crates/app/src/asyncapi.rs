//! `souk asyncapi`: writes the document of what is pushed.

use domain::shop::Rules;

use crate::Outcome;

pub(crate) fn run() -> Outcome {
    // As with the document of the HTTP API: the same whatever the settings are.
    let document = api::asyncapi(&Rules::default());
    Ok(crate::print(&format!("{}\n", serde_json::to_string_pretty(&document)?))?)
}
