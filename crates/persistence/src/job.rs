//! Background jobs, the inbox and the schedule.

mod insert;
mod queries;
mod queue;
mod repo;
mod row;
mod schedule;
