//! The products and reviews of a seed.

use domain::{
    Error, Result, Rules, Violations,
    catalog::{Goods, ImportInput, NewReview, ProductInput, ProductStatus, ReviewInput},
    id::UserId,
    money::Amount,
};
use serde_json::json;

use super::dice::Dice;

const MATERIALS: [&str; 8] = ["Brass", "Oak", "Linen", "Glass", "Copper", "Wool", "Ceramic", "Marble"];
const THINGS: [&str; 10] = ["Lamp", "Vase", "Chair", "Bowl", "Clock", "Mirror", "Blanket", "Table", "Candle", "Shelf"];
const STYLES: [&str; 6] = ["antique", "modern", "rustic", "painted", "folding", "très élégant"];
/// What the names of makers are put together from.
const MAKERS: [[&str; 20]; 2] = [
    [
        "Hal", "Nor", "Ves", "Bram", "Til", "Or", "Ket", "Lin", "Mar", "Sol", "Fen", "Gar", "Wes", "Dor", "Ash", "Bel",
        "Cor", "El", "Har", "Jun",
    ],
    [
        "aber", "eden", "ilo", "omi", "ura", "asto", "eti", "iva", "owe", "uzo", "aka", "ene", "iri", "osu", "uda",
        "amo", "epi", "igu", "ofa", "uhi",
    ],
];
const ENDINGS: [&str; 10] = ["n", "r", "l", "s", "th", "nd", "ck", "rd", "ll", "x"];
const ROOMS: [&str; 5] = ["Kitchen", "Living room", "Bedroom", "Garden", "Study"];
/// What a buyer says, from one star to five.
const OPINIONS: [&[&str]; 5] = [
    &["Broken after a week.", "Nothing like the picture."],
    &["Smaller than I thought.", "It wobbles."],
    &["It does what it should.", ""],
    &["Well made, and quickly sent.", "Nearly perfect; the colour is a little darker."],
    &["Beautiful!", "I bought a second one.", "Exactly as described."],
];

/// How the products of a seed come about.
pub(super) struct Recipe {
    pub(super) rules: Rules,
    pub(super) seed: u64,
    pub(super) buyers: Vec<UserId>,
}

impl Recipe {
    /// Product `number`, with its reviews.
    pub(super) fn goods(&self, number: u64) -> Result<Goods> {
        let seed = self.seed;
        let mut dice = Dice::new(seed, number);
        let (style, material, thing) = (dice.pick(&STYLES), dice.pick(&MATERIALS), dice.pick(&THINGS));
        let (maker, room) = (maker(&mut dice), dice.pick(&ROOMS));
        let images = (0..dice.below(4)).map(|n| format!("https://images.example/{seed}/{number}/{n}.jpg")).collect();
        let product = ProductInput {
            sku: Some(format!("S{seed}-{number:08}")),
            name: Some(format!("{maker} {material} {thing} {number}")),
            description: Some(format!("A {style} {} of {}.", thing.to_lowercase(), material.to_lowercase())),
            price: Some(self.price(&mut dice)),
            stock: i64::try_from(dice.below(200)).ok(),
            status: Some(status(&mut dice)),
            ..ProductInput::default()
        };
        let input = ImportInput {
            line: number.saturating_add(1),
            product,
            category: Some(vec![room.to_owned(), format!("{thing}s")]),
            images: Some(images),
            metadata: json!({ "material": material, "style": style }).as_object().cloned(),
        };
        let row = input.check(&self.rules).map_err(Error::Invalid)?;
        Ok(Goods { row, reviews: self.reviews(&mut dice)? })
    }

    /// From 1 to 501 major units, all alike.
    fn price(&self, dice: &mut Dice) -> String {
        let unit = 10_u64.saturating_pow(self.rules.currency.digits());
        let minor = unit + dice.below(500 * unit + 1);
        self.rules.currency.format(Amount(i64::try_from(minor).unwrap_or(i64::MAX)))
    }

    /// Half of the products have none, few have many; each by another buyer.
    fn reviews(&self, dice: &mut Dice) -> Result<Vec<(UserId, NewReview)>> {
        let count = match dice.below(16) {
            0..8 => 0,
            8..12 => 1,
            12..14 => 2,
            14 => 3,
            _ => 4 + dice.below(8),
        };
        let all = u64::try_from(self.buyers.len()).unwrap_or_default();
        let first = dice.below(all);
        let places = (first..first + count.min(all)).filter_map(|place| usize::try_from(place.checked_rem(all)?).ok());
        places.filter_map(|place| self.buyers.get(place)).map(|author| Ok((*author, opinion(dice)?))).collect()
    }
}

/// One of 4,000 makers. Few of them make much and most make little, so that, as in a shop, some words are in very many
/// names and most are in few.
fn maker(dice: &mut Dice) -> String {
    let count = 4000;
    let rank = dice.below(count) * dice.below(count) * dice.below(count) / (count * count);
    let part = |of: &[&'static str], number: u64| {
        usize::try_from(number).ok().and_then(|number| of.get(number % of.len().max(1))).copied().unwrap_or_default()
    };
    let [begin, middle] = MAKERS;
    format!("{}{}{}", part(&begin, rank), part(&middle, rank / 20), part(&ENDINGS, rank / 400))
}

/// Nearly all are on sale.
fn status(dice: &mut Dice) -> ProductStatus {
    match dice.below(50) {
        0 => ProductStatus::Draft,
        1 => ProductStatus::Archived,
        _ => ProductStatus::Published,
    }
}

/// Most buyers are content.
fn opinion(dice: &mut Dice) -> Result<NewReview> {
    let stars = match dice.below(10) {
        0 => 1,
        1 => 2,
        2 => 3,
        3..6 => 4,
        _ => 5,
    };
    let said = OPINIONS.get(stars - 1).map(|said| dice.pick(said)).unwrap_or_default();
    let mut violations = Violations::default();
    let input = ReviewInput { stars: i32::try_from(stars).ok(), comment: Some(said.to_owned()) };
    input.check(&mut violations).ok_or(Error::Invalid(violations))
}
