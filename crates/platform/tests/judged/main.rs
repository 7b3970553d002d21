//! Hybrid search beside plain text search, on queries whose best answers are known.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what is read here is in the repository")]

use std::{collections::HashMap, sync::Arc};

use domain::{
    Shop,
    catalog::{
        Product,
        policy::Scope,
        queries::ProductFilter,
        similar::{Finder, Index, Keeping, Mode, follow, keep_vectors},
    },
    id::ProductId,
    page::Limit,
    testing::{Fixtures, memory::MemoryStore},
};
use serde_json::Value;
use souk_platform::LocalEmbedder;

const CATALOGUE: &str = include_str!("catalogue.ndjson");
const QUERIES: &str = include_str!("queries.ndjson");

struct Work {
    id: ProductId,
    subjects: Vec<String>,
}

struct Query {
    kind: String,
    text: String,
    groups: Vec<Vec<String>>,
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

impl Query {
    fn all() -> Vec<Self> {
        let query = |line: &str| {
            let value: Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| value[key].as_str().unwrap().to_owned();
            let groups = value["subjects"].as_array().unwrap().iter().map(texts).collect();
            Self { kind: text("kind"), text: text("query"), groups }
        };
        QUERIES.lines().map(query).collect()
    }

    /// How good an answer a work is.
    fn grade(&self, work: &Work) -> f64 {
        let has = |group: &Vec<String>| group.iter().any(|subject| work.subjects.contains(subject));
        if self.groups.iter().all(has) {
            2.0
        } else if self.groups.first().is_some_and(has) {
            1.0
        } else {
            0.0
        }
    }
}

/// What was measured, summed up.
#[derive(Default, Clone, Copy)]
struct Measured {
    ndcg: f64,
    recall: f64,
    queries: f64,
}

impl Measured {
    fn add(&mut self, given: &[f64], mut possible: Vec<f64>) {
        let gain = |grades: &[f64]| {
            let gains = grades.iter().take(10).zip(2_u32..);
            gains.map(|(grade, place)| (grade.exp2() - 1.0) / f64::from(place).log2()).sum::<f64>()
        };
        possible.sort_by(|a, b| b.total_cmp(a));
        self.ndcg += gain(given) / gain(&possible);
        let good =
            |grades: &[f64]| f64::from(u32::try_from(grades.iter().filter(|grade| **grade > 0.0).count()).unwrap());
        // Of ten places no more than ten can be good.
        self.recall += good(&given[..given.len().min(10)]) / good(&possible).min(10.0);
        self.queries += 1.0;
    }

    fn ndcg(self) -> f64 {
        self.ndcg / self.queries
    }

    fn recall(self) -> f64 {
        self.recall / self.queries
    }
}

/// The works, stored, with a product for each.
async fn stocked(shop: &Shop, given: &Fixtures) -> Vec<Work> {
    let seller = given.seller().await.seller.unwrap();
    let mut tx = shop.store.begin().await.unwrap();
    let (mut works, mut products): (Vec<Work>, Vec<Product>) = (Vec::new(), Vec::new());
    for line in CATALOGUE.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let subjects = texts(&value["subjects"]);
        let text = |key: &str| value[key].as_str().unwrap();
        let mut product = given.product(seller);
        text("name").clone_into(&mut product.name);
        product.description = format!("{}. {}. {}", text("artist"), text("medium"), subjects.join(", "));
        works.push(Work { id: product.id, subjects });
        products.push(product);
    }
    tx.products().insert_many(&products).await.unwrap();
    tx.commit().await.unwrap();
    works
}

async fn finder(store: &MemoryStore) -> Finder {
    let (index, embedder) = (Arc::new(Index::new()), Arc::new(LocalEmbedder::new()));
    let reader = Arc::new(store.clone());
    let keeping = Keeping {
        vectors: reader.clone(),
        feed: reader.clone(),
        products: reader.clone(),
        export: reader.clone(),
        categories: reader.clone(),
        embedder: embedder.clone(),
    };
    while keep_vectors(&keeping).await.unwrap().more {}
    follow(&index, store).await.unwrap();
    Finder { index, embedder, products: reader }
}

#[tokio::test]
async fn hybrid_search_gives_better_answers_than_plain_text_search() {
    let (given, store) = Fixtures::in_memory();
    let works = stocked(&given.shop, &given).await;
    assert_eq!(works.len(), 800);
    let finder = finder(&store).await;
    let filter = ProductFilter::published(Scope::Published);
    let mut measured: HashMap<(String, &'static str), Measured> = HashMap::new();
    let queries = Query::all();
    assert!(queries.len() >= 60);
    for query in &queries {
        let grades: HashMap<ProductId, f64> = works.iter().map(|work| (work.id, query.grade(work))).collect();
        assert!(grades.values().any(|grade| *grade > 0.0), "{} has a good answer", query.text);
        for mode in [Mode::Text, Mode::Hybrid] {
            let found = finder.search(&filter, &query.text, mode, Limit::new(10).unwrap()).await.unwrap();
            assert_eq!(found.mode, mode);
            let given: Vec<f64> = found.found.iter().map(|one| grades[&one.summary.product.id]).collect();
            for kind in [query.kind.as_str(), "all"] {
                let sum = measured.entry((kind.to_owned(), mode.name())).or_default();
                sum.add(&given, grades.values().copied().collect());
            }
        }
    }
    let mut lines: Vec<_> = measured.iter().collect();
    lines.sort_by(|a, b| a.0.cmp(b.0));
    for ((kind, mode), sum) in lines {
        println!(
            "{kind:<11} {mode:<7} nDCG@10 {:.3}  recall@10 {:.3}  ({} queries)",
            sum.ndcg(),
            sum.recall(),
            sum.queries
        );
    }
    let of = |kind: &str, mode: Mode| measured[&(kind.to_owned(), mode.name())];
    let (plain, hybrid) = (of("all", Mode::Text), of("all", Mode::Hybrid));
    assert!(hybrid.ndcg() > plain.ndcg() + 0.2, "{} and {}", hybrid.ndcg(), plain.ndcg());
    assert!(hybrid.recall() > plain.recall() + 0.2, "{} and {}", hybrid.recall(), plain.recall());
    for kind in ["misspelled", "inflected", "synonym", "wordy", "order"] {
        let (plain, hybrid) = (of(kind, Mode::Text), of(kind, Mode::Hybrid));
        assert!(hybrid.ndcg() > plain.ndcg(), "{kind}: {} and {}", hybrid.ndcg(), plain.ndcg());
    }
    // Who asks in plain words loses next to nothing.
    assert!(of("plain", Mode::Hybrid).ndcg() > of("plain", Mode::Text).ndcg() - 0.05);
}
