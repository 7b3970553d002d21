//! The demo shop: a small catalogue and three accounts, for an installation where nothing ever happened.

use std::fmt::Write as _;

use domain::{
    Error, Result, Rules,
    audit::AuditFilter,
    catalog::{Goods, ImportInput, ProductInput},
    demo::{Player, open_demo},
    identity::{Email, Newcomer, Password, ports::PasswordHasher},
    page::{Limit, PageRequest},
    permission::Role,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{foundation::Foundation, user};

/// The catalogue; `demo/LICENCE.md` says where it comes from.
const CATALOGUE: &str = include_str!("../demo/catalogue.ndjson");
/// The accounts: what they may do, what they are to the shop, where they sign in, what they are called.
const ACCOUNTS: [(Role, &str, &str, &str); 3] = [
    (Role::Admin, "admin", "admin@demo.example", "Demo Admin"),
    (Role::Seller, "seller", "seller@demo.example", "Demo Gallery"),
    (Role::User, "buyer", "buyer@demo.example", "Demo Buyer"),
];

/// One line of the catalogue.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    sku: String,
    name: String,
    description: String,
    price: String,
    stock: i64,
    categories: Vec<String>,
    metadata: Map<String, Value>,
}

/// Loads the demo shop when the audit log is empty: all of it or nothing.
///
/// The accounts are printed before they are made. A process that is killed in between has printed passwords of nobody,
/// and the next one prints others; the other way round there could be accounts that nobody can use.
pub(crate) async fn load(foundation: &Foundation) -> Result<()> {
    let first = PageRequest { page: 1, limit: Limit::default() };
    if foundation.database.audit().list(&AuditFilter::default(), first).await?.total > 0 {
        return Ok(());
    }
    tracing::info!("the database is empty; the demo shop is loaded");
    let shop = &foundation.shop;
    let goods = goods(&shop.rules)?;
    let (mut players, mut text) = (Vec::new(), String::new());
    for (role, part, email, name) in ACCOUNTS {
        let password = user::one_time(&*shop.entropy);
        let hash = foundation.passwords.hash(&Password::given(password.clone())).await?;
        let newcomer = Newcomer { email: Email::stored(email.to_owned()), name: name.to_owned(), role };
        players.push(Player { newcomer, hash });
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "demo account  {part}  {email}  {password}");
    }
    if let Err(error) = crate::print(&text) {
        tracing::warn!(%error, "the standard output is closed");
    }
    if !open_demo(shop, &players, &goods).await? {
        tracing::warn!(
            "another process loaded the demo shop at the same time; its accounts are the ones that it printed"
        );
    }
    Ok(())
}

fn goods(rules: &Rules) -> Result<Vec<Goods>> {
    let mut goods = Vec::new();
    for (number, line) in (1..).zip(CATALOGUE.lines()) {
        let line: Line = serde_json::from_str(line).map_err(Error::internal)?;
        // A line the operator's rules do not allow, such as a price with cents in yen, is left out.
        if let Ok(row) = line.input(number).check(rules) {
            goods.push(Goods { row, reviews: Vec::new() });
        }
    }
    Ok(goods)
}

impl Line {
    fn input(self, number: u64) -> ImportInput {
        let product = ProductInput {
            name: Some(self.name),
            description: Some(self.description),
            price: Some(self.price),
            stock: Some(self.stock),
            sku: Some(self.sku),
            ..ProductInput::default()
        };
        let (category, metadata) = (Some(self.categories), Some(self.metadata));
        ImportInput { line: number, product, category, images: None, metadata }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_keeps_the_rules() {
        let lines: Vec<Line> = CATALOGUE.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.len() >= 50, "{}", lines.len());
        assert_eq!(lines.iter().map(|line| &line.sku).collect::<BTreeSet<_>>().len(), lines.len());
        assert!(lines.iter().all(|line| line.categories.len() == 2));
        assert_eq!(goods(&Rules::default()).unwrap().len(), lines.len());
    }

    #[test]
    fn the_accounts_have_addresses() {
        for (_, _, email, _) in ACCOUNTS {
            assert_eq!(Email::parse(email).unwrap().as_str(), email);
        }
    }
}
