//! Presence in the database, as two processes see it.

use domain::testing::contract;
use souk_persistence::Engine;

use crate::harness::migrated;

crate::on_both!(it_keeps_the_contract);

async fn it_keeps_the_contract(engine: Engine) {
    let fresh = migrated(engine).await;
    let (here, there) = (fresh.database.presence(), fresh.another().await.presence());
    contract::presence::run(&here, &there).await;
    contract::presence::run(&there, &there).await;
}
