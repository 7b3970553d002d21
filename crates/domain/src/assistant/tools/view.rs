//! Products in few words, since a model pays for each it reads. Nothing stands here that says who a person is.

use serde_json::{Map, Value, json};

use crate::{
    catalog::{Product, Rating, queries::ProductDetail},
    shop::Rules,
};

/// The most characters of a description beside others.
const SHORT: usize = 200;

/// A product among others.
pub(super) fn short(product: &Product, rules: &Rules) -> Value {
    let mut end = product.description.char_indices().skip(SHORT).map(|(at, _)| at);
    let description = match end.next().and_then(|end| product.description.get(..end)) {
        Some(short) => format!("{}…", short.trim_end()),
        None => product.description.clone(),
    };
    core(product, &description, rules).into()
}

/// A product with all it says of itself.
pub(super) fn whole(product: &Product, rules: &Rules) -> Value {
    let mut view = core(product, &product.description, rules);
    view.insert("metadata".to_owned(), product.metadata.clone().into());
    view.into()
}

/// A product with what is around it.
pub(super) fn detail(detail: &ProductDetail, rules: &Rules) -> Value {
    let mut view = core(&detail.product, &detail.product.description, rules);
    let reviews = detail.reviews.iter().map(|review| json!({ "stars": review.stars, "comment": review.comment }));
    view.insert("metadata".to_owned(), detail.product.metadata.clone().into());
    view.insert("category".to_owned(), detail.category.as_ref().map(|category| category.name.as_str()).into());
    view.insert("reviews".to_owned(), reviews.collect());
    view.into()
}

fn core(product: &Product, description: &str, rules: &Rules) -> Map<String, Value> {
    let view = json!({
        "id": product.id,
        "name": product.name,
        "slug": product.slug.as_str(),
        "description": description,
        "price": rules.currency.format(product.price),
        "currency": rules.currency.code(),
        "stock": product.stock,
        "status": product.status.name(),
        "categoryId": product.category,
        "sku": product.sku,
        "rating": stars(product.rating),
        "ratings": product.rating.count,
    });
    match view {
        Value::Object(view) => view,
        _ => Map::new(),
    }
}

/// The mean of all stars, to two digits, as a text like prices; nothing without reviews.
fn stars(rating: Rating) -> Option<String> {
    (rating.count > 0).then(|| {
        let hundredths = (rating.sum * 200 + rating.count) / (rating.count * 2);
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    })
}
