//! Transactions of SQLite that are committed together.
//!
//! A commit writes every page that changed, and most pages of one product are those of the next. So whoever is done while
//! others wait for the connection leaves the transaction open to them, and each of those is a savepoint in it. One
//! commit, which stands in line behind those who waited, then ends it for all; nobody is told "stored" before.

use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr, sqlx};
use tokio::sync::oneshot;

/// What the commit came to.
type Outcome = Result<(), Arc<sqlx::Error>>;

/// Those who are done in the open transaction of a connection; dropped, they learn that it was lost.
#[derive(Debug, Default)]
pub(crate) struct Group(Vec<oneshot::Sender<Outcome>>);

/// The place of one that is done.
#[derive(Debug)]
pub(crate) struct Place(oneshot::Receiver<Outcome>);

impl Group {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn join(&mut self) -> Place {
        let (outcome, place) = oneshot::channel();
        self.0.push(outcome);
        Place(place)
    }

    pub(crate) fn tell(self, outcome: Result<(), sqlx::Error>) {
        let outcome = outcome.map_err(Arc::new);
        for place in self.0 {
            // One that went away does not want to know.
            let _ = place.send(outcome.clone());
        }
    }
}

impl Place {
    /// Waits for the commit.
    pub(crate) async fn outcome(self) -> Result<(), DbErr> {
        let outcome = self.0.await.unwrap_or_else(|_| Err(Arc::new(sqlx::Error::WorkerCrashed)));
        outcome.map_err(|error| DbErr::Exec(RuntimeErr::SqlxError(error)))
    }
}

/// Begins the part of one member.
pub(crate) const BEGIN: &str = "SAVEPOINT member";
/// Ends it, as done.
pub(crate) const LEAVE: &str = "RELEASE member";
/// The same after a statement.
pub(crate) const THEN_LEAVE: &str = "; RELEASE member";
/// Ends it as if it had never begun.
pub(crate) const UNDO: &str = "ROLLBACK TO member; RELEASE member";

/// Whether [`UNDO`] failed because the member's part had ended already.
pub(crate) fn had_left(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().contains("no such savepoint"))
}
