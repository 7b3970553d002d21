//! Vectors of texts, as `OpenAI`, Gemini and Ollama make them.

use async_trait::async_trait;
use domain::assistant::{
    Fault, Usage,
    ports::{Embedded, Embedder},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{endpoint::Endpoint, errors::unreadable};

/// Vectors by the protocol of `OpenAI`.
#[derive(Debug)]
pub(super) struct OpenAiEmbedder {
    at: Endpoint,
    name: String,
    model: String,
    dimension: usize,
}

impl OpenAiEmbedder {
    pub(super) fn new(at: Endpoint, name: String, model: &str, dimension: usize) -> Self {
        Self { at, name, model: model.to_owned(), dimension }
    }
}

#[derive(Deserialize)]
struct Body {
    data: Vec<Entry>,
    usage: Option<Used>,
}

#[derive(Deserialize)]
struct Entry {
    index: Option<usize>,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct Used {
    #[serde(default)]
    prompt_tokens: u64,
}

#[async_trait]
impl Embedder for OpenAiEmbedder {
    fn name(&self) -> &str {
        &self.name
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    async fn embed(&self, texts: &[String]) -> Result<Embedded, Fault> {
        let body = json!({ "model": self.model, "input": texts, "encoding_format": "float" });
        let bytes = self.at.whole(&["embeddings"], &body).await?;
        let mut body: Body = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
        body.data.sort_by_key(|entry| entry.index);
        let vectors = body.data.into_iter().map(|entry| entry.embedding).collect();
        let usage = body.usage.map(|used| Usage { prompt: used.prompt_tokens, ..Usage::default() });
        whole(Embedded { vectors, usage }, texts, self.dimension)
    }
}

/// Vectors by the protocol of Gemini.
#[derive(Debug)]
pub(super) struct GeminiEmbedder {
    at: Endpoint,
    name: String,
    model: String,
    dimension: usize,
}

impl GeminiEmbedder {
    pub(super) fn new(at: Endpoint, name: String, model: &str, dimension: usize) -> Self {
        Self { at, name, model: model.to_owned(), dimension }
    }
}

#[derive(Deserialize)]
struct Made {
    embeddings: Vec<Values>,
}

#[derive(Deserialize)]
struct Values {
    values: Vec<f32>,
}

#[async_trait]
impl Embedder for GeminiEmbedder {
    fn name(&self) -> &str {
        &self.name
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    async fn embed(&self, texts: &[String]) -> Result<Embedded, Fault> {
        let model = format!("models/{}", self.model);
        let one = |text: &String| {
            json!({
                "model": model, "content": { "parts": [{ "text": text }] }, "outputDimensionality": self.dimension,
            })
        };
        let body = json!({ "requests": texts.iter().map(one).collect::<Vec<Value>>() });
        let path = format!("{}:batchEmbedContents", self.model);
        let bytes = self.at.whole(&["models", &path], &body).await?;
        let made: Made = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
        let vectors = made.embeddings.into_iter().map(|made| made.values).collect();
        whole(Embedded { vectors, usage: None }, texts, self.dimension)
    }
}

/// Vectors by the protocol of Ollama.
#[derive(Debug)]
pub(super) struct OllamaEmbedder {
    at: Endpoint,
    name: String,
    model: String,
    dimension: usize,
}

impl OllamaEmbedder {
    pub(super) fn new(at: Endpoint, name: String, model: &str, dimension: usize) -> Self {
        Self { at, name, model: model.to_owned(), dimension }
    }
}

#[derive(Deserialize)]
struct Told {
    embeddings: Vec<Vec<f32>>,
    prompt_eval_count: Option<u64>,
}

#[async_trait]
impl Embedder for OllamaEmbedder {
    fn name(&self) -> &str {
        &self.name
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    async fn embed(&self, texts: &[String]) -> Result<Embedded, Fault> {
        // What is too long is refused rather than read in part.
        let body = json!({ "model": self.model, "input": texts, "truncate": false });
        let bytes = self.at.whole(&["embed"], &body).await?;
        told(&bytes, texts, self.dimension)
    }
}

fn told(bytes: &[u8], texts: &[String], dimension: usize) -> Result<Embedded, Fault> {
    let told: Told = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
    let usage = told.prompt_eval_count.map(|prompt| Usage { prompt, ..Usage::default() });
    whole(Embedded { vectors: told.embeddings, usage }, texts, dimension)
}

/// One vector for each text, and each as long as it should be: others would be no measure for those that are kept.
fn whole(embedded: Embedded, texts: &[String], dimension: usize) -> Result<Embedded, Fault> {
    let fits = embedded.vectors.len() == texts.len() && embedded.vectors.iter().all(|one| one.len() == dimension);
    if fits { Ok(embedded) } else { Err(unreadable()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ollama_tells_is_one_vector_for_each_text_or_nothing() {
        let texts = ["a".to_owned(), "b".to_owned()];
        let made = told(br#"{"model":"m","embeddings":[[0.5,1],[1,2]],"prompt_eval_count":8}"#, &texts, 2).unwrap();
        assert_eq!(
            (made.vectors, made.usage.map(|usage| usage.prompt)),
            (vec![vec![0.5, 1.0], vec![1.0, 2.0]], Some(8))
        );
        assert_eq!(told(br#"{"embeddings":[[0.5,1],[1,2]]}"#, &texts, 2).unwrap().usage, None);
        for odd in [&br#"{"embeddings":[[0.5,1]]}"#[..], br#"{"embeddings":[[1],[2]]}"#, br#"{"embedding":[0.5,1]}"#] {
            assert!(told(odd, &texts, 2).is_err());
        }
    }
}
