//! The schedule: which jobs are stored when, by the clock, once per tick however many nodes there are.
//!
//! A tick is a moment that the cron line of an [`Entry`] names. Every node looks at every entry; the row that says how far
//! an entry was looked at moves on by compare and set, in the transaction that stores the jobs. So one node wins each step
//! and no leader is needed: a lease would only decide who loses.

mod catch_up;
mod cron;
mod entry;
mod local;
pub mod ports;
mod run_schedule;
mod step;

pub use catch_up::CatchUp;
pub use cron::Cron;
pub use entry::{Entry, LATE};
pub use ports::{Run, ScheduleQueries, ScheduleRepo};
pub use run_schedule::run_schedule;
pub use step::{Scheduler, step};
