//! Money: whole minor units of a currency. No binary float takes part.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Breach;

/// The highest amount: 12 digits before the point at two behind it, far inside what a JSON reader keeps exact.
pub const AMOUNT_MAX: i64 = 99_999_999_999_999;

/// A currency of ISO 4217 with the number of digits behind its decimal point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency {
    code: &'static str,
    digits: u32,
}

/// The currencies known. Source: ISO 4217, list one, column "minor unit".
const CURRENCIES: &[(u32, &[&str])] = &[
    (0, &["CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"]),
    (
        2,
        &[
            "AED", "ARS", "AUD", "BDT", "BGN", "BRL", "CAD", "CHF", "CNY", "COP", "CZK", "DKK", "EGP", "EUR", "GBP",
            "GEL", "GHS", "HKD", "HUF", "IDR", "ILS", "INR", "KES", "KZT", "LKR", "MAD", "MXN", "MYR", "NGN", "NOK",
            "NZD", "PEN", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH",
            "USD", "UYU", "ZAR",
        ],
    ),
    (3, &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]),
];

impl Currency {
    /// The euro, the default of an installation.
    pub const EUR: Self = Self { code: "EUR", digits: 2 };

    /// The currency of that code.
    pub fn named(code: &str) -> Option<Self> {
        CURRENCIES
            .iter()
            .find_map(|(digits, codes)| codes.iter().find(|c| **c == code).map(|code| Self { code, digits: *digits }))
    }

    /// Its ISO 4217 code.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// Digits behind the decimal point.
    pub fn digits(self) -> u32 {
        self.digits
    }

    /// Reads a decimal number in major units, such as `19.95` or `2e1`, exactly.
    pub fn parse(self, text: &str) -> Result<Amount, Breach> {
        let minor = scaled(text, self.digits).map_err(|fault| match fault {
            Fault::Form => Breach::new("number", "must be a decimal number, such as 19.95"),
            Fault::Fraction => Breach::new(
                "fraction_digits",
                format!("must have at most {} digits behind the decimal point in {}", self.digits, self.code),
            ),
            Fault::Range => Breach::new("max", format!("must be at most {}", self.format(Amount(AMOUNT_MAX)))),
        })?;
        if minor.abs() > AMOUNT_MAX {
            return Err(Breach::new("max", format!("must be at most {}", self.format(Amount(AMOUNT_MAX)))));
        }
        Ok(Amount(minor))
    }

    /// Writes an amount in major units, such as `19.95`.
    pub fn format(self, amount: Amount) -> String {
        if self.digits == 0 {
            return amount.0.to_string();
        }
        let unit = 10u64.pow(self.digits);
        let sign = if amount.0 < 0 { "-" } else { "" };
        let size = amount.0.unsigned_abs();
        let width = usize::try_from(self.digits).unwrap_or_default();
        format!("{sign}{}.{:0width$}", size / unit, size % unit)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// An amount in minor units of the shop's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(pub i64);

/// A share in hundredths of a percent: `2_550` is 25.5 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(i64);

impl Percent {
    const WHOLE: i64 = 10_000;

    /// Reads a number from 0 to 100 with at most two fraction digits.
    pub fn parse(text: &str) -> Result<Self, Breach> {
        match scaled(text, 2) {
            Ok(hundredths) if (0..=Self::WHOLE).contains(&hundredths) => Ok(Self(hundredths)),
            Ok(_) | Err(Fault::Range) => Err(Breach::new("range", "must be from 0 to 100")),
            Err(Fault::Fraction) => {
                Err(Breach::new("fraction_digits", "must have at most 2 digits behind the decimal point"))
            }
            Err(Fault::Form) => Err(Breach::new("number", "must be a decimal number, such as 12.5")),
        }
    }

    /// What is left of an amount after this share is taken off, rounded half to even (ruling R32).
    pub fn off(self, amount: Amount) -> Amount {
        let product = i128::from(amount.0) * i128::from(Self::WHOLE - self.0);
        let whole = i128::from(Self::WHOLE);
        let (quotient, rest) = (product.div_euclid(whole), product.rem_euclid(whole));
        let up = rest * 2 > whole || (rest * 2 == whole && quotient % 2 != 0);
        Amount(i64::try_from(quotient + i128::from(up)).unwrap_or(amount.0))
    }
}

enum Fault {
    Form,
    Fraction,
    Range,
}

/// `text` times `10^digits` as a whole number, for the JSON number grammar.
fn scaled(text: &str, digits: u32) -> Result<i64, Fault> {
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| Fault::Form)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || !all_digits(whole)
        || !all_digits(fraction)
        || (mantissa.contains('.') && fraction.is_empty())
    {
        return Err(Fault::Form);
    }
    let figures = format!("{whole}{fraction}");
    let figures = figures.trim_start_matches('0');
    let trimmed = figures.trim_end_matches('0');
    if trimmed.is_empty() {
        return Ok(0);
    }
    let length = |part: &str| i64::try_from(part.len()).unwrap_or(i64::MAX);
    let shift = i64::from(digits) + i64::from(exponent) - length(fraction) + (length(figures) - length(trimmed));
    if shift < 0 {
        return Err(Fault::Fraction);
    }
    if shift + length(trimmed) > 18 {
        return Err(Fault::Range);
    }
    let value: i64 = trimmed.parse().map_err(|_| Fault::Range)?;
    let power = u32::try_from(shift).map_err(|_| Fault::Range)?;
    let value = value.checked_mul(10i64.pow(power)).ok_or(Fault::Range)?;
    Ok(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        for (text, minor) in
            [("19.95", 1995), ("0.1", 10), ("2e1", 2000), ("1.50E-1", 15), ("7", 700), ("0.00", 0), ("-3.2", -320)]
        {
            assert_eq!(Currency::EUR.parse(text).unwrap(), Amount(minor), "{text}");
        }
    }

    #[test]
    fn too_many_fraction_digits_and_too_much_are_refused() {
        assert_eq!(Currency::EUR.parse("1.999").unwrap_err().rule, "fraction_digits");
        assert_eq!(Currency::named("JPY").unwrap().parse("1.5").unwrap_err().rule, "fraction_digits");
        assert_eq!(Currency::EUR.parse("1e99").unwrap_err().rule, "max");
        assert_eq!(Currency::EUR.parse("1000000000000.00").unwrap_err().rule, "max");
        for text in ["", ".5", "5.", "1,5", "NaN", "0x1", "+1", "1e", "--1"] {
            assert_eq!(Currency::EUR.parse(text).unwrap_err().rule, "number", "{text}");
        }
    }

    #[test]
    fn a_discount_rounds_half_to_even() {
        let half = Percent::parse("50").unwrap();
        assert_eq!(half.off(Amount(5)), Amount(2));
        assert_eq!(half.off(Amount(7)), Amount(4));
        assert_eq!(Percent::parse("33.33").unwrap().off(Amount(100)), Amount(67));
        assert!(Percent::parse("100.01").is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(minor in -AMOUNT_MAX..=AMOUNT_MAX) {
            for code in ["EUR", "JPY", "KWD"] {
                let currency = Currency::named(code).unwrap();
                proptest::prop_assert_eq!(currency.parse(&currency.format(Amount(minor))).unwrap(), Amount(minor));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = Currency::EUR.parse(&text);
        }
    }
}
