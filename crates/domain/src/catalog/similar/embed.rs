//! What makes vectors out of texts.

use async_trait::async_trait;

use crate::{catalog::Product, error::Result};

/// A text that is given a vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// What says most: the name of a product, or all of a question.
    pub title: String,
    /// The rest.
    pub body: String,
    /// Whether somebody asks with it: such a text may be misspelled, and has few words.
    pub asked: bool,
}

impl Passage {
    /// What a product says of itself.
    pub fn of(product: &Product, category: Option<&str>) -> Self {
        let body = match category {
            Some(category) => format!("{category}\n{}", product.description),
            None => product.description.clone(),
        };
        Self { title: product.name.clone(), body, asked: false }
    }

    /// A question.
    pub fn question(text: &str) -> Self {
        Self { title: text.to_owned(), body: String::new(), asked: true }
    }
}

/// Makes vectors out of texts: texts that mean the like get vectors that point the like way.
#[async_trait]
pub trait TextVectors: Send + Sync {
    /// The name of what makes them. Vectors of one name can be compared, and are as long; those of another are made anew.
    fn model(&self) -> &str;

    /// The vectors of these texts, in their order. One without any meaning is all zeros.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when it is away.
    async fn embed(&self, passages: &[Passage]) -> Result<Vec<Vec<f32>>>;
}
