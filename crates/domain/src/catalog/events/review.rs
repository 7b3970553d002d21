//! The changes of reviews. What a person wrote stays out of both logs: it is theirs to take back.

use serde_json::{Value, json};

use crate::{
    catalog::Review,
    event::{Change, Entity},
};

fn snapshot(review: &Review) -> Value {
    json!({
        "reviewId": review.id,
        "productId": review.product,
        "stars": review.stars,
        "hidden": review.hidden,
    })
}

fn change(action: &'static str, event: &'static str, review: &Review, metadata: Value) -> Change {
    Change { action, event, entity: Entity::new("review", review.id), payload: snapshot(review), metadata }
}

pub(in crate::catalog) fn created(review: &Review) -> Change {
    let metadata = json!({ "productId": review.product, "stars": review.stars });
    change("review.create", "review.created", review, metadata)
}

pub(in crate::catalog) fn updated(before: &Review, after: &Review) -> Change {
    let metadata = json!({
        "productId": after.product,
        "author": after.author,
        "stars": [before.stars, after.stars],
        "commentChanged": before.comment != after.comment,
    });
    change("review.update", "review.updated", after, metadata)
}

pub(in crate::catalog) fn deleted(review: &Review) -> Change {
    let metadata = json!({ "productId": review.product, "author": review.author, "stars": review.stars });
    change("review.delete", "review.deleted", review, metadata)
}

pub(in crate::catalog) fn moderated(review: &Review) -> Change {
    let (action, event) =
        if review.hidden { ("review.hide", "review.hidden") } else { ("review.show", "review.shown") };
    change(action, event, review, json!({ "productId": review.product, "author": review.author }))
}
