//! What one can listen to.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use crate::id::{CategoryId, ProductId};

/// A stream of events one can listen to (ruling R8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// `products`: every product.
    Products,
    /// `products:{categoryId}`: the products of one category, and those that just left it.
    Category(CategoryId),
    /// `models`: every 3D model, and how far its versions are.
    Models,
    /// `models:{productId}`: those of one product.
    ModelsOf(ProductId),
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Products => f.write_str("products"),
            Self::Category(id) => write!(f, "products:{id}"),
            Self::Models => f.write_str("models"),
            Self::ModelsOf(id) => write!(f, "models:{id}"),
        }
    }
}

/// A text that names no topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be products, products:{{categoryId}}, models or models:{{productId}}")]
pub struct UnknownTopic;

impl FromStr for Topic {
    type Err = UnknownTopic;

    fn from_str(text: &str) -> Result<Self, UnknownTopic> {
        match text.split_once(':') {
            None if text == "products" => Ok(Self::Products),
            None if text == "models" => Ok(Self::Models),
            // Only the written form, so that one topic has one name.
            Some((of @ ("products" | "models"), id)) if id.len() == 36 => {
                let id = id.parse::<Uuid>().map_err(|_| UnknownTopic)?;
                Ok(if of == "models" { Self::ModelsOf(ProductId(id)) } else { Self::Category(CategoryId(id)) })
            }
            _ => Err(UnknownTopic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_reads_back_as_it_is_written_and_nothing_else_is_one() {
        let id = Uuid::from_u128(7);
        let all = [Topic::Products, Topic::Category(CategoryId(id)), Topic::Models, Topic::ModelsOf(ProductId(id))];
        for topic in all {
            assert_eq!(topic.to_string().parse(), Ok(topic));
        }
        for text in [
            "",
            "product",
            "products:",
            "products:7",
            "Products",
            "products ",
            "rooms:a",
            "products:a:b",
            "models:",
            "models:7",
        ] {
            assert_eq!(text.parse::<Topic>(), Err(UnknownTopic), "{text:?}");
        }
        let braced = format!("products:{{{}}}", Uuid::from_u128(7));
        assert_eq!(braced.parse::<Topic>(), Err(UnknownTopic));
    }
}
