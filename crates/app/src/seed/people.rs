//! The accounts of a seed.

use domain::{
    Error, Result,
    identity::{Email, Newcomer},
    permission::Role,
};

/// What sellers are called, before their number.
const TRADES: [&str; 6] = ["Workshop", "Gallery", "Manufactory", "Studio", "Bazaar", "Atelier"];
/// What buyers are called, before their number.
const NAMES: [&str; 8] = ["Ada", "Bo", "Chidi", "Dilnoza", "Émile", "Fatima", "Grete", "Hiro"];

/// The sellers: `seller<n>.seed<seed>@seed.example`, from 1.
pub(super) fn sellers(seed: u64, count: u64) -> impl Iterator<Item = Result<Newcomer>> {
    (1..=count).zip(TRADES.iter().cycle()).map(move |(number, trade)| {
        let email = format!("seller{number}.seed{seed}@seed.example");
        newcomer(&email, format!("{trade} {seed}-{number}"), Role::Seller)
    })
}

/// The buyers: `buyer<n>.seed<seed>@seed.example`, from 1.
pub(super) fn buyers(seed: u64, count: u64) -> impl Iterator<Item = Result<Newcomer>> {
    (1..=count).zip(NAMES.iter().cycle()).map(move |(number, name)| {
        let email = format!("buyer{number}.seed{seed}@seed.example");
        newcomer(&email, format!("{name} {number}"), Role::User)
    })
}

fn newcomer(email: &str, name: String, role: Role) -> Result<Newcomer> {
    let email = Email::parse(email).map_err(|breach| Error::internal(breach.message))?;
    Ok(Newcomer { email, name, role })
}
