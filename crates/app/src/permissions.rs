//! `souk permissions`: the table of roles and what each may do, as they are now.

use domain::access::table;

use crate::{Outcome, config::Config, foundation::Foundation};

pub(crate) async fn run(config: &Config) -> Outcome {
    let foundation = Foundation::open(config).await?;
    let roles = foundation.database.roles().all().await;
    foundation.database.close().await?;
    Ok(crate::print(&table(&roles?))?)
}
