//! Exact JSON numbers: no binary float takes part.

use domain::money::{Amount, Currency};
use serde_json::value::RawValue;

/// An amount as an exact JSON number.
pub fn price(currency: Currency, amount: Amount) -> Box<RawValue> {
    number(currency.format(amount))
}

/// A number written in decimal.
pub fn number(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_written_exactly() {
        assert_eq!(price(Currency::EUR, Amount(1990)).get(), "19.90");
    }
}
