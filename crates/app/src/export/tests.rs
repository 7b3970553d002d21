use domain::testing::{Fixtures, memory::MemoryStore};

use super::*;
use crate::import::{Options, Overrides, import};

const FILE: &str = r#"{"sku":"1","name":"Brass; \"lamp\", old","price":19.95,"stock":3,"category":["home","a/b"],"images":["https://a.example/1;2.jpg","https://a.example/2.jpg"]}
{"sku":"2","name":"Vase","price":5,"status":"draft","description":"two\nlines","metadata":{"deep":{"list":[1,2.5,"x"]}},"brand":"Été"}
{"sku":"3","name":"Bowl","price":"0.01"}
"#;

fn options(file: &Path) -> Options {
    Options {
        file: file.to_owned(),
        seller: Selling::TheOnly,
        columns: Overrides::default(),
        dry_run: false,
        errors: file.with_extension("errors"),
        batch: 100,
    }
}

async fn write(store: &MemoryStore, file: &Path) -> Exported {
    export(store, store, Currency::EUR, None, file).await.unwrap()
}

/// The lines in an order of their own: ids made in one millisecond have none.
fn lines(file: &Path) -> Vec<String> {
    let mut lines: Vec<_> = std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn what_is_written_reads_back_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let (source, first) = Fixtures::in_memory();
    let file = folder.path().join("in.ndjson");
    std::fs::write(&file, FILE).unwrap();
    assert_eq!(import(&source.shop, &options(&file), &mut Vec::new()).await.unwrap().imported.created, 3);
    for name in ["a.ndjson", "a.ndjson.gz", "a.csv", "a.csv.gz"] {
        let file = folder.path().join(name);
        assert_eq!(write(&first, &file).await, Exported { written: 3, without_sku: 0 });
        // Into the shop it came from: nothing changes. Into an empty one: its export is the same again.
        let again = import(&source.shop, &options(&file), &mut Vec::new()).await.unwrap();
        assert_eq!((again.imported.unchanged, again.rejected), (3, 0), "{name}");
        let (target, second) = Fixtures::in_memory();
        assert_eq!(import(&target.shop, &options(&file), &mut Vec::new()).await.unwrap().imported.created, 3, "{name}");
        let (plain, copy) = (folder.path().join("plain"), folder.path().join("copy"));
        write(&first, &plain).await;
        write(&second, &copy).await;
        assert_eq!(lines(&plain), lines(&copy), "{name}");
    }
    let packed = std::fs::read(folder.path().join("a.csv.gz")).unwrap();
    assert!(packed.starts_with(&[0x1f, 0x8b]));
}
