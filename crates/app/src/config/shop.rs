//! `[shop]`: the shop's own rules.

use std::time::Duration;

use domain::{Rules, assets::AssetRules, money::Currency};

use super::{Reader, Setting, media};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("shop.currency", "EUR", "The one currency of prices, by its ISO 4217 code; never change it later."),
    Setting::new("shop.name_min", "3", "Fewest characters of a product's name."),
    Setting::new("shop.name_max", "100", "Most characters of a product's name."),
    Setting::new("shop.keep_keys_hours", "24", "How long the answer under an Idempotency-Key is kept."),
    Setting::new("shop.demo", "true", "Whether an empty database gets the demo shop and its accounts.")
        .production("false"),
];

/// The shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShopRules {
    pub(crate) rules: Rules,
    pub(crate) demo: bool,
}

impl ShopRules {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let currency = currency(reader);
        let name_min = reader.number("shop.name_min", 1..=100);
        let name_max = reader.number("shop.name_max", 1..=1000);
        let keep_keys = reader.number("shop.keep_keys_hours", 1..=24 * 90).map(Duration::from_hours);
        let demo = reader.flag("shop.demo");
        let media_url = media::base(reader);
        let (name_min, name_max) = (name_min?, name_max?);
        if name_min > name_max {
            reader.fault("shop.name_min", "must not be greater than shop.name_max");
            return None;
        }
        if reader.strict() && demo? {
            reader.fault("shop.demo", "must be false in production: its accounts are printed on the screen");
            return None;
        }
        let assets = AssetRules::default();
        let (currency, keep_keys, media_url) = (currency?, keep_keys?, media_url?);
        Some(Self { rules: Rules { currency, name_min, name_max, keep_keys, assets, media_url }, demo: demo? })
    }
}

fn currency(reader: &mut Reader<'_>) -> Option<Currency> {
    let code = reader.text("shop.currency");
    let currency = Currency::named(&code);
    if currency.is_none() {
        reader.fault("shop.currency", format!("{code:?} is not a currency of ISO 4217 that is known, such as EUR"));
    }
    currency
}
