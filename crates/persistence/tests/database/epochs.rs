//! The epochs of the cache that nodes share.

use domain::testing::contract;
use souk_persistence::Engine;

use crate::harness::migrated;

crate::on_both!(keep_their_contract);

async fn keep_their_contract(engine: Engine) {
    let fresh = migrated(engine).await;
    contract::epochs::run(&*fresh.database.epochs(), &*fresh.another().await.epochs()).await;
}
