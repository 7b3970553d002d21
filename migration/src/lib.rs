//! The schema, step by step, up and down, for SQLite and PostgreSQL.

mod m20261121_000001_foundation;
mod m20261121_000002_jobs;
mod m20261121_000003_realtime;
mod m20261121_000004_rooms;
mod m20261121_000005_cache;
mod m20261126_000006_sessions;
mod m20261126_000007_mail;
mod m20261126_000008_access;
mod m20261126_000009_outside;
mod m20261126_000010_factors;
mod m20261126_000011_acting;
mod m20261126_000012_privacy;
mod m20261126_000013_guests;
mod m20261126_000014_assets;
mod m20261126_000015_pictures;
mod m20261126_000016_models;
mod m20261126_000018_lfs;
mod m20261126_000019_uploads;
mod m20261127_000020_webhooks;
mod m20261127_000021_inbound;
mod m20261127_000022_waiting_files;
mod m20261127_000023_terms;
mod m20261127_000024_assistant;
mod m20261127_000025_kept;
mod m20261127_000026_vectors;
mod m20261127_000027_conversations;
mod m20261127_000028_prompts;
mod m20261127_000029_generations;
mod m20261127_000030_batches;
mod m20261127_000031_arrival;
mod verify;

use sea_orm_migration::prelude::*;
// The binary runs steps through these and knows no database library.
pub use sea_orm_migration::{MigrationStatus, MigratorTrait};
pub use verify::{Fault, verify};

/// Runs the steps in order and remembers which ran.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_foundation::Migration),
            Box::new(m20261121_000002_jobs::Migration),
            Box::new(m20261121_000003_realtime::Migration),
            Box::new(m20261121_000004_rooms::Migration),
            Box::new(m20261121_000005_cache::Migration),
            Box::new(m20261126_000006_sessions::Migration),
            Box::new(m20261126_000007_mail::Migration),
            Box::new(m20261126_000008_access::Migration),
            Box::new(m20261126_000009_outside::Migration),
            Box::new(m20261126_000010_factors::Migration),
            Box::new(m20261126_000011_acting::Migration),
            Box::new(m20261126_000012_privacy::Migration),
            Box::new(m20261126_000013_guests::Migration),
            Box::new(m20261126_000014_assets::Migration),
            Box::new(m20261126_000016_models::Migration),
            Box::new(m20261126_000018_lfs::Migration),
            Box::new(m20261126_000019_uploads::Migration),
            Box::new(m20261126_000015_pictures::Migration),
            Box::new(m20261127_000020_webhooks::Migration),
            Box::new(m20261127_000021_inbound::Migration),
            Box::new(m20261127_000022_waiting_files::Migration),
            Box::new(m20261127_000024_assistant::Migration),
            Box::new(m20261127_000026_vectors::Migration),
            Box::new(m20261127_000023_terms::Migration),
            Box::new(m20261127_000027_conversations::Migration),
            Box::new(m20261127_000025_kept::Migration),
            Box::new(m20261127_000028_prompts::Migration),
            Box::new(m20261127_000029_generations::Migration),
            Box::new(m20261127_000030_batches::Migration),
            Box::new(m20261127_000031_arrival::Migration),
        ]
    }
}
