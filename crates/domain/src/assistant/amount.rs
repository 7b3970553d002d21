//! Exact amounts of money as decimal texts: no binary float takes part.

/// A decimal number, exactly, as whole parts of so many digits behind the point; `None` for another text.
pub fn read_amount(text: &str, digits: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || part.len() > digits || !is_number(whole) || !is_number(part) {
        return None;
    }
    // A point has something behind it.
    if part.is_empty() && text.contains('.') {
        return None;
    }
    format!("{whole}{part:0<digits$}").parse().ok()
}

/// Such an amount as text, without zeros that say nothing.
pub fn write_amount(amount: u64, digits: usize) -> String {
    let text = format!("{amount:0width$}", width = digits + 1);
    let (whole, part) = text.split_at(text.len() - digits);
    match part.trim_end_matches('0') {
        "" => whole.to_owned(),
        part => format!("{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_exact() {
        assert_eq!(read_amount("0.15", 6), Some(150_000));
        assert_eq!(read_amount("1", 9), Some(1_000_000_000));
        assert_eq!(read_amount("999999999.999999999", 9), Some(999_999_999_999_999_999));
        for odd in ["", ".5", "5.", "1,5", "-1", "1e3", "0.1234567", "1.2.3", "10000000000"] {
            assert_eq!(read_amount(odd, 6), None, "{odd}");
        }
        assert_eq!(write_amount(150_000, 6), "0.15");
        assert_eq!(write_amount(0, 9), "0");
        assert_eq!(write_amount(1, 9), "0.000000001");
        assert_eq!(write_amount(u64::MAX, 9), "18446744073.709551615");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(amount in 0..1_000_000_000_000_000_000_u64) {
            prop_assert_eq!(read_amount(&write_amount(amount, 9), 9), Some(amount));
        }
    }
}
