//! What a client is to do with each object of a push or a fetch.

use std::collections::HashMap;

use super::{Address, library::enter, ports::LibraryQueries};
use crate::{
    assets::{Digest, Holder, Storeroom},
    error::{Error, Result},
    permission::{Authorized, WriteProducts},
    shop::Shop,
};

/// Most objects that are asked for at once.
pub const OBJECTS_MOST: usize = 1_000;

/// What a client wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Take objects away.
    Download,
    /// Bring objects.
    Upload,
}

/// An object as a client names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// What it is.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
}

/// What is to be done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It is to be brought.
    Upload,
    /// It is there already.
    Nothing,
    /// It may be taken away.
    Download,
    /// It does not lie in this library.
    Missing,
    /// It has another size than was said; this many bytes.
    OtherSize(u64),
    /// It is longer than any file may be; most bytes.
    TooLong(u64),
}

/// What is to be done with each, in the order they were asked for.
pub type Plan = Vec<(Wanted, Deed)>;

/// Says what is to be done with each object. Whether somebody else has the same bytes is not told, and saves nobody from bringing
/// them: a digest alone proves nothing.
///
/// # Errors
/// [`Error::NotFound`] for the library, where they may not enter; [`Error::TooLarge`] when there is no room for what is to be brought.
pub async fn plan(
    shop: &Shop,
    room: &Storeroom,
    libraries: &dyn LibraryQueries,
    by: &Authorized<WriteProducts>,
    at: &Address,
    operation: Operation,
    wanted: &[Wanted],
) -> Result<Plan> {
    let who = by.principal();
    let seller = enter(who, libraries.account(&at.seller).await?)?;
    let digests: Vec<Digest> = wanted.iter().map(|one| one.digest).collect();
    let there: HashMap<Digest, u64> = match libraries.find(seller, &at.name).await? {
        Some(library) => libraries.sizes(library.id, &digests).await?.into_iter().collect(),
        None if operation == Operation::Download => return Err(Error::NotFound("Library")),
        None => HashMap::new(),
    };
    let longest = shop.rules.assets.file_max;
    let deed = |one: &Wanted| match (there.get(&one.digest), operation) {
        (Some(size), _) if *size != one.size => Deed::OtherSize(*size),
        (Some(_), Operation::Download) => Deed::Download,
        (Some(_), Operation::Upload) => Deed::Nothing,
        (None, Operation::Download) => Deed::Missing,
        (None, Operation::Upload) if one.size > longest => Deed::TooLong(longest),
        (None, Operation::Upload) => Deed::Upload,
    };
    let plan: Plan = wanted.iter().map(|one| (*one, deed(one))).collect();
    let brought =
        plan.iter().filter(|(_, deed)| *deed == Deed::Upload).fold(0_u64, |sum, (one, _)| sum.saturating_add(one.size));
    if brought > 0 {
        let holders = [Holder::Person(who.user), Holder::Seller(seller)];
        room.left(&shop.rules.assets.quotas, &holders, brought).await?;
    }
    Ok(plan)
}
