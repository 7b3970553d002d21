//! Drafting a listing: proposed, and created once it is confirmed.

use super::{Entry, Outcome, Proposal, Toolbox, arguments::Given, confirmation::Deed, view};
use crate::{
    actor::Actor,
    catalog::{
        NewProduct, Product, ProductInput, ProductStatus, create_product, policy::which_seller, unknown_category,
    },
    error::{Error, Result, Violations},
    id::CategoryId,
    idempotency::{self, Once, Reply},
    permission::WriteProducts,
};

impl Toolbox {
    pub(super) async fn draft(
        &self,
        actor: &Actor,
        tool: &Entry,
        given: &Given,
        confirmation: Option<&str>,
    ) -> Result<Outcome> {
        let by = actor.authorize::<WriteProducts>()?;
        let who = by.principal().clone();
        let seller = who.seller.ok_or_else(|| which_seller(&who))?;
        let new = self.new_product(given).await?;
        let deed = Deed { who: &who, tool: tool.name, arguments: given.all() };
        let Some(confirmation) = confirmation else {
            let id = self.shop.id();
            return Ok(Outcome::Proposed(Proposal {
                tool: tool.name,
                summary: format!(
                    "Create the draft \"{}\" at {} {}, {} in stock, for the seller account {seller}. Only its members will see it \
                     until it is published.",
                    new.name,
                    self.shop.rules.currency.format(new.price),
                    self.shop.rules.currency.code(),
                    new.stock,
                ),
                arguments: given.all().clone(),
                confirmation: deed.confirmation(&*self.mac, id),
                expires_at: Deed::expires_at(id),
            }));
        };
        let key = deed.confirmed(&*self.mac, confirmation, self.shop.now())?;
        let made = |product: &Product| view::whole(product, &self.shop.rules);
        let render =
            |product: &Product| Reply { status: 201, headers: Vec::new(), body: made(product).to_string().into() };
        let once = Once { key: Some(key), render: &render };
        Ok(Outcome::Done(match create_product(&self.shop, by, new, &once).await? {
            idempotency::Outcome::Fresh(product) => made(&product),
            idempotency::Outcome::Replay(reply) => serde_json::from_slice(&reply.body).map_err(Error::internal)?,
        }))
    }

    /// The product that these arguments make, by the rules of every other door.
    async fn new_product(&self, given: &Given) -> Result<NewProduct> {
        let text = |name| given.text(name).map(ToOwned::to_owned);
        let category: Option<CategoryId> = given.id("categoryId");
        let input = ProductInput {
            name: text("name"),
            description: text("description"),
            price: text("price"),
            stock: given.whole("stock"),
            category,
            sku: text("sku"),
            status: Some(ProductStatus::Draft),
            ..ProductInput::default()
        };
        let mut violations = Violations::default();
        let new = input.check(&self.shop.rules, &mut violations);
        violations.into_result()?;
        if let Some(category) = category
            && self.categories.get(category).await?.is_none()
        {
            return Err(unknown_category());
        }
        new.ok_or_else(|| Error::internal("a product that breaks no rule was not made"))
    }
}
