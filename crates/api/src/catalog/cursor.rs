//! Cursors: a place in one sorted and filtered list, opaque and signed.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{
    catalog::queries::{ProductFilter, ProductKey, ProductSort},
    id::ProductId,
    secrets::Mac,
};
use uuid::Uuid;

/// Bytes of the key: its value and its id.
const KEY: usize = 8 + 16;
/// Bytes of the signature kept.
const SIGNATURE: usize = 16;

/// The text of a place in the list of this filter and sort.
pub fn seal(mac: &dyn Mac, filter: &ProductFilter, sort: ProductSort, key: ProductKey) -> String {
    let mut bytes = Vec::with_capacity(KEY + SIGNATURE);
    bytes.extend_from_slice(&key.value.to_be_bytes());
    bytes.extend_from_slice(key.id.0.as_bytes());
    let signature = sign(mac, filter, sort, &bytes);
    bytes.extend_from_slice(&signature);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The place of a text; `None` when it was not made by us for this filter and sort.
pub fn open(mac: &dyn Mac, filter: &ProductFilter, sort: ProductSort, text: &str) -> Option<ProductKey> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let (key, signature) = bytes.split_at_checked(KEY)?;
    if signature != sign(mac, filter, sort, key) {
        return None;
    }
    let (value, id) = key.split_first_chunk::<8>()?;
    Some(ProductKey { value: i64::from_be_bytes(*value), id: ProductId(Uuid::from_slice(id).ok()?) })
}

/// The signature covers what the list is: a cursor of another filter does not verify.
fn sign(mac: &dyn Mac, filter: &ProductFilter, sort: ProductSort, key: &[u8]) -> [u8; SIGNATURE] {
    let ProductFilter { scope: _, statuses, search, category, seller, min_price, max_price } = filter;
    let list = format!(
        "cursor\0{statuses:?}\0{:?}\0{category:?}\0{seller:?}\0{min_price:?}\0{max_price:?}\0{sort:?}\0",
        search.as_ref().map(domain::text::Search::tokens),
    );
    let whole = mac.mac(&[list.as_bytes(), key].concat());
    whole.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use domain::{
        catalog::{
            policy::Scope,
            queries::{Order, SortBy},
        },
        text::Search,
    };
    use sha2::{Digest as _, Sha256};

    use super::*;

    struct Keyed(&'static str);

    impl Mac for Keyed {
        fn mac(&self, bytes: &[u8]) -> [u8; 32] {
            Sha256::digest([self.0.as_bytes(), bytes].concat()).into()
        }
    }

    const SORT: ProductSort = ProductSort { by: SortBy::Price, order: Order::Ascending };
    const PLACE: ProductKey = ProductKey { value: -5, id: ProductId(Uuid::from_u128(7)) };

    #[test]
    fn a_cursor_opens_for_its_own_list_only() {
        let filter = ProductFilter::published(Scope::Published);
        let other = ProductFilter { search: Some(Search::new("lamp")), ..filter.clone() };
        let text = seal(&Keyed("a"), &filter, SORT, PLACE);
        assert_eq!(open(&Keyed("a"), &filter, SORT, &text), Some(PLACE));
        assert_eq!(open(&Keyed("a"), &other, SORT, &text), None);
        assert_eq!(open(&Keyed("b"), &filter, SORT, &text), None);
        assert_eq!(open(&Keyed("a"), &filter, ProductSort { order: Order::Descending, ..SORT }, &text), None);
    }

    #[test]
    fn garbage_opens_nothing() {
        let filter = ProductFilter::published(Scope::Published);
        for text in ["AAAA", "%", "ÄÖÜ", "eyJ2IjoxfQ==", &"A".repeat(10_000)] {
            assert_eq!(open(&Keyed("a"), &filter, SORT, text), None);
        }
    }
}
