use std::path::Path;

use domain::testing::{Fixtures, memory::MemoryStore};

use super::*;

struct Case {
    shop: Shop,
    store: MemoryStore,
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        let (fixtures, store) = Fixtures::in_memory();
        Self { shop: fixtures.shop.clone(), store, folder: tempfile::tempdir().unwrap() }
    }

    fn options(&self, name: &str, text: &str) -> Options {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        Options {
            file,
            seller: Selling::TheOnly,
            columns: Overrides::default(),
            dry_run: false,
            errors: self.folder.path().join("errors.ndjson"),
            batch: 2,
        }
    }

    async fn import(&self, options: &Options) -> (Summary, String) {
        let mut out = Vec::new();
        let summary = super::import(&self.shop, options, &mut out).await.unwrap();
        (summary, String::from_utf8(out).unwrap())
    }
}

const FILE: &str = r#"{"sku":"1","name":"Brass lamp","price":19.95,"category":"home/light"}
{"sku":"2","name":"ab","price":0}
{"sku":"3","name":"Vase","price":5}
not json
{"sku":"4","name":"Brass lamp","price":"7.5"}
"#;

fn counts(created: u64, unchanged: u64, rejected: u64) -> Summary {
    Summary { imported: Imported { created, updated: 0, unchanged }, rejected }
}

#[tokio::test]
async fn good_rows_come_in_and_bad_ones_are_told() {
    let case = Case::new();
    let options = case.options("a.ndjson", FILE);
    let (summary, line) = case.import(&options).await;
    assert_eq!(summary, counts(3, 0, 2));
    assert!(line.starts_with("imported: created 3, updated 0, unchanged 0, rejected 2 in "), "{line}");
    let errors = std::fs::read_to_string(&options.errors).unwrap();
    let told: Vec<serde_json::Value> = errors.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let short: Vec<_> = told.iter().map(|e| (e["line"].as_u64().unwrap(), e["field"].as_str().unwrap())).collect();
    assert_eq!(short, [(2, "/name"), (2, "/price"), (4, "")]);
    assert_eq!(told[0]["sku"], "2");
    assert_eq!(case.import(&options).await.0, counts(0, 3, 2));
}

#[tokio::test]
async fn a_dry_run_keeps_nothing_and_a_file_without_faults_makes_no_report() {
    let case = Case::new();
    let mut options = case.options("a.csv", "sku,name,price\n1,Brass lamp,3\n2,Vase,4\n3,Bowl,5\n");
    options.dry_run = true;
    let (summary, line) = case.import(&options).await;
    assert_eq!(summary, counts(3, 0, 0));
    assert!(line.starts_with("dry run: "), "{line}");
    assert_eq!(case.store.traces(), [], "not even the house account");
    assert!(!options.errors.exists());
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error() {
    let case = Case::new();
    let missing = Options { file: Path::new("/nowhere/x").to_owned(), ..case.options("a", "") };
    for (options, expected) in [
        (missing, "/nowhere/x"),
        (case.options("empty", ""), "has no rows"),
        (case.options("other.csv", "a,b\n1,2\n"), "--column sku=COLUMN"),
    ] {
        let error = super::import(&case.shop, &options, &mut Vec::new()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(case.store.events().is_empty(), "no house account was opened");
}
