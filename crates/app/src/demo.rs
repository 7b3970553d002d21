//! The demo shop: a small catalogue and three accounts, for an installation where nothing ever happened.

use std::collections::BTreeMap;

use domain::{
    Actor, Error, Principal, Result, Violations,
    audit::AuditFilter,
    catalog::{CategoryInput, ProductInput, create_category, create_product},
    id::CategoryId,
    idempotency::Once,
    identity::UserInput,
    page::{Limit, PageRequest},
    permission::{ManageCatalog, Role, WriteProducts},
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

/// An account made for the demo, with the password that is shown this once.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) part: &'static str,
    pub(crate) email: &'static str,
    pub(crate) password: String,
}

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

/// Loads the demo shop when the audit log is empty, through the use cases every client uses. Gives the accounts made.
pub(crate) async fn load(foundation: &Foundation) -> Result<Vec<Account>> {
    let first = PageRequest { page: 1, limit: Limit::default() };
    if foundation.database.audit().list(&AuditFilter::default(), first).await?.total > 0 {
        return Ok(Vec::new());
    }
    tracing::info!("the database is empty; the demo shop is loaded");
    let (mut accounts, mut callers) = (Vec::new(), BTreeMap::new());
    for (role, part, email, name) in ACCOUNTS {
        let password = user::one_time(&*foundation.shop.entropy);
        let input =
            UserInput { email: Some(email.to_owned()), password: Some(password.clone()), name: Some(name.to_owned()) };
        let (_, principal) = user::make(&foundation.shop, &*foundation.passwords, input, role, None).await?;
        callers.insert(role, principal);
        accounts.push(Account { part, email, password });
    }
    if let (Some(admin), Some(seller)) = (callers.remove(&Role::Admin), callers.remove(&Role::Seller)) {
        load_catalogue(foundation, admin, seller).await?;
    }
    Ok(accounts)
}

async fn load_catalogue(foundation: &Foundation, admin: Principal, seller: Principal) -> Result<()> {
    let (admin, seller) = (Actor::Signed(admin), Actor::Signed(seller));
    let mut tree = BTreeMap::new();
    for line in CATALOGUE.lines() {
        let line: Line = serde_json::from_str(line).map_err(Error::internal)?;
        let category = category(foundation, &admin, &mut tree, &line.categories).await?;
        let mut violations = Violations::default();
        let input = ProductInput {
            name: Some(line.name),
            description: Some(line.description),
            price: Some(line.price),
            stock: Some(line.stock),
            category,
            sku: Some(line.sku),
            metadata: line.metadata,
            ..ProductInput::default()
        };
        // A line the operator's rules do not allow, such as a price with cents in yen, is left out.
        let Some(new) = input.check(&foundation.shop.rules, &mut violations) else { continue };
        let by = seller.authorize::<WriteProducts>()?;
        create_product(&foundation.shop, by, new, &Once::always()).await?;
    }
    Ok(())
}

/// The category at the end of a path of names; those not there yet are made.
async fn category(
    foundation: &Foundation,
    admin: &Actor,
    tree: &mut BTreeMap<Vec<String>, CategoryId>,
    names: &[String],
) -> Result<Option<CategoryId>> {
    let mut parent = None;
    let mut path = Vec::new();
    for name in names {
        path.push(name.clone());
        if let Some(known) = tree.get(&path) {
            parent = Some(*known);
            continue;
        }
        let mut violations = Violations::default();
        let input = CategoryInput { name: Some(name.clone()), parent, rank: None };
        let new = input.check(&mut violations).ok_or(Error::Invalid(violations))?;
        let made = create_category(&foundation.shop, admin.authorize::<ManageCatalog>()?, new, &Once::always()).await?;
        parent = made.fresh().map(|category| category.id);
        if let Some(id) = parent {
            tree.insert(path.clone(), id);
        }
    }
    Ok(parent)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::Rules;

    use super::*;

    #[test]
    fn every_line_keeps_the_rules() {
        let lines: Vec<Line> = CATALOGUE.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.len() >= 50, "{}", lines.len());
        assert_eq!(lines.iter().map(|line| &line.sku).collect::<BTreeSet<_>>().len(), lines.len());
        for line in lines {
            let mut violations = Violations::default();
            let input = ProductInput {
                name: Some(line.name),
                description: Some(line.description),
                price: Some(line.price),
                sku: Some(line.sku),
                metadata: line.metadata,
                ..ProductInput::default()
            };
            assert!(input.check(&Rules::default(), &mut violations).is_some(), "{violations}");
            assert_eq!(line.categories.len(), 2);
        }
    }
}
