//! The job that makes an archive: a file of JSON for each subject, and one that says what is there.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    DataExport, Ready,
    ports::{Pack, Packer, PersonalData},
};
use crate::{
    error::{Error, Result},
    id::ExportId,
    identity::{Mailroom, Notice, events},
    job::{Job, Policy},
    secrets::Sealer,
    shop::Shop,
};

/// Rows read at once.
const PAGE: u32 = 500;
/// Bytes of the archive sealed together.
const CHUNK: usize = 1 << 20;
/// Most bytes of JSON in one archive.
const MOST: usize = 256 << 20;

/// The job that makes an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeExport {
    /// Which.
    pub export: ExportId,
}

impl Job for MakeExport {
    const NAME: &'static str = "make_export";

    fn policy() -> Policy {
        Policy { timeout: Duration::from_mins(15), at_once: 1, ..Policy::default() }
    }
}

/// What makes archives.
#[derive(Clone)]
pub struct Maker {
    /// Reads what is kept.
    pub data: Arc<dyn PersonalData>,
    /// Makes one file of many.
    pub packer: Arc<dyn Packer>,
    /// Seals it.
    pub sealer: Arc<dyn Sealer>,
    /// Tells the person.
    pub room: Mailroom,
}

impl std::fmt::Debug for Maker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Maker(..)")
    }
}

/// Makes an archive. Run again, and for one that is gone, it changes nothing.
///
/// # Errors
/// [`Error::Unprocessable`] when there is more than an archive may hold; those of the ports.
pub async fn make_export(shop: &Shop, with: &Maker, job: MakeExport) -> Result<()> {
    let found = shop.store.begin().await?.exports().find(job.export).await?;
    let Some(export) = found.filter(|export| export.ready.is_none() && export.expires_at > shop.now()) else {
        return Ok(());
    };
    let archive = pack(shop, with, &export).await?;
    let mut sealed = Vec::new();
    for (chunk, n) in archive.chunks(CHUNK).zip(0..) {
        sealed.push((n, with.sealer.seal(&export.context(n), chunk)?));
    }
    let bytes = u64::try_from(archive.len()).map_err(Error::internal)?;
    let chunks = u32::try_from(sealed.len()).map_err(Error::internal)?;
    let (sealed, export) = (&sealed, &export);
    shop.write(MakeExport::NAME, |mut tx| async move {
        let ready = Ready { at: tx.now(), bytes, chunks };
        // Whoever was first has stored the same.
        if tx.exports().make_ready(export.id, ready).await? {
            for (n, chunk) in sealed {
                tx.exports().put_chunk(export.id, *n, chunk).await?;
            }
            shop.record(&mut *tx, None, events::export_made(export.user)).await?;
            if let Some(user) = tx.users().find(export.user).await? {
                with.room.notify(shop, &mut *tx, &user.email, Notice::ArchiveReady).await?;
            }
        }
        tx.commit(()).await
    })
    .await
}

/// The file that counts its bytes, so that nobody's archive is endless.
struct Counted {
    pack: Box<dyn Pack>,
    left: usize,
}

impl Counted {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let left = self.left.checked_sub(bytes.len());
        self.left = left.ok_or_else(|| Error::Unprocessable("There is more than an archive may hold".to_owned()))?;
        self.pack.write(bytes)
    }
}

async fn pack(shop: &Shop, with: &Maker, export: &DataExport) -> Result<Vec<u8>> {
    let mut out = Counted { pack: with.packer.begin()?, left: MOST };
    let mut files = Vec::new();
    for subject in with.data.subjects() {
        let name = format!("{subject}.json");
        out.pack.file(&name)?;
        out.write(b"[")?;
        let mut rows: u64 = 0;
        loop {
            let page = with.data.rows(export.user, subject, rows, PAGE).await?;
            for row in &page {
                out.write(if rows == 0 { b"\n" } else { b",\n" })?;
                out.write(row.to_string().as_bytes())?;
                rows += 1;
            }
            if page.len() < usize::try_from(PAGE).map_err(Error::internal)? {
                break;
            }
        }
        out.write(b"\n]\n")?;
        files.push(json!({ "name": name, "rows": rows }));
    }
    let manifest: Value =
        json!({ "userId": export.user, "requestedAt": export.created_at, "madeAt": shop.now(), "files": files });
    out.pack.file("manifest.json")?;
    out.write(format!("{manifest:#}\n").as_bytes())?;
    out.pack.finish()
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::{
        actor::Principal,
        id::UserId,
        identity::{
            Fresh, Verification,
            exports::{
                AT_MOST, Archives, KEPT, delete_export, ports::DataExportQueries, purge_exports, request_export,
            },
            ports::UserQueries as _,
        },
        mail::Subject,
        permission::{ChangeAccount, Role},
        testing::{Fixtures, PlainSealer, Postbox, memory::MemoryStore},
    };

    /// As many notes as it says, numbered.
    struct Notes(u64);

    #[async_trait]
    impl PersonalData for Notes {
        fn subjects(&self) -> Vec<&'static str> {
            vec!["notes", "nothing"]
        }

        async fn rows(&self, user: UserId, subject: &str, offset: u64, limit: u32) -> Result<Vec<Value>> {
            let all = if subject == "notes" { self.0 } else { 0 };
            Ok((offset..all.min(offset + u64::from(limit))).map(|n| json!({ "of": user, "n": n })).collect())
        }
    }

    /// One text, each file after its name.
    struct Text(String);

    struct Texts;

    impl Packer for Texts {
        fn begin(&self) -> Result<Box<dyn Pack>> {
            Ok(Box::new(Text(String::new())))
        }
    }

    impl Pack for Text {
        fn file(&mut self, name: &str) -> Result<()> {
            self.0.extend(["== ", name, "\n"]);
            Ok(())
        }

        fn write(&mut self, bytes: &[u8]) -> Result<()> {
            self.0 += std::str::from_utf8(bytes).unwrap();
            Ok(())
        }

        fn finish(self: Box<Self>) -> Result<Vec<u8>> {
            Ok(self.0.into_bytes())
        }
    }

    fn maker(notes: u64) -> Maker {
        Maker {
            data: Arc::new(Notes(notes)),
            packer: Arc::new(Texts),
            sealer: Arc::new(PlainSealer),
            room: Postbox::room(Verification::Off),
        }
    }

    fn fresh(given: &Fixtures, who: &Principal) -> Fresh<ChangeAccount> {
        Fresh::assumed(given.authorized(who), given.shop.id())
    }

    async fn read(given: &Fixtures, store: &MemoryStore, who: &Principal, id: ExportId) -> (DataExport, String) {
        let archives = Archives { queries: Arc::new(store.clone()), sealer: Arc::new(PlainSealer) };
        let export = archives.queries.get(who.user, id, given.shop.now()).await.unwrap().unwrap();
        let mut whole = Vec::new();
        for n in 0..export.ready.unwrap().chunks {
            whole.extend(archives.chunk(&export, n).await.unwrap());
        }
        (export, String::from_utf8(whole).unwrap())
    }

    #[tokio::test]
    async fn it_holds_every_row_of_every_subject_once_and_a_manifest() {
        let (given, store) = Fixtures::in_memory();
        let ada = given.person(Role::User).await;
        for notes in [0, 1, u64::from(PAGE), u64::from(PAGE) + 1, 40_000] {
            let asked = request_export(&given.shop, &fresh(&given, &ada)).await.unwrap();
            let job = MakeExport { export: asked.id };
            for _ in 0..2 {
                make_export(&given.shop, &maker(notes), job).await.unwrap();
            }
            let (export, text) = read(&given, &store, &ada, asked.id).await;
            let ready = export.ready.unwrap();
            assert_eq!(ready.bytes, u64::try_from(text.len()).unwrap());
            assert_eq!(ready.chunks > 1, notes == 40_000);
            let (start, rest) = text.split_once("== nothing.json\n").unwrap();
            let rows: Vec<Value> = serde_json::from_str(start.trim_start_matches("== notes.json\n")).unwrap();
            let numbers: Vec<_> = rows.iter().map(|row| row["n"].as_u64().unwrap()).collect();
            assert_eq!(numbers, (0..notes).collect::<Vec<_>>());
            let (nothing, manifest) = rest.split_once("== manifest.json\n").unwrap();
            assert_eq!(serde_json::from_str::<Value>(nothing).unwrap(), json!([]));
            let manifest: Value = serde_json::from_str(manifest).unwrap();
            assert_eq!(manifest["userId"], json!(ada.user));
            assert_eq!(manifest["files"][0], json!({ "name": "notes.json", "rows": notes }));
            delete_export(&given.shop, &given.authorized(&ada), asked.id).await.unwrap();
            // What is gone is not made.
            make_export(&given.shop, &maker(notes), job).await.unwrap();
        }
        let made = store.traces().into_iter().filter(|(_, event)| event == "user.export_made").count();
        assert_eq!(made, 5, "each was made once");
        let letters =
            Arc::<Postbox>::default().deliver_all(&given.shop, &Postbox::room(Verification::Off), &store).await;
        let address = store.profile(ada.user).await.unwrap().unwrap().user.email;
        let told: Vec<_> = letters.unwrap().into_iter().map(|mail| (mail.to, mail.about)).collect();
        assert_eq!(told, vec![(address, Subject::ArchiveReady); 5], "and told once");
    }

    #[tokio::test]
    async fn one_is_made_at_a_time_few_are_kept_and_none_for_ever() {
        let (given, store) = Fixtures::in_memory();
        let (ada, eve) = (given.person(Role::User).await, given.person(Role::User).await);
        let by = fresh(&given, &ada);
        for _ in 0..AT_MOST {
            let asked = request_export(&given.shop, &by).await.unwrap();
            let refused = request_export(&given.shop, &by).await.unwrap_err();
            assert!(matches!(&refused, Error::Conflict(why) if why.contains("being made")), "{refused:?}");
            make_export(&given.shop, &maker(1), MakeExport { export: asked.id }).await.unwrap();
            let others = delete_export(&given.shop, &given.authorized(&eve), asked.id).await;
            assert!(matches!(others, Err(Error::NotFound("Data export"))));
        }
        let refused = request_export(&given.shop, &by).await.unwrap_err();
        assert!(matches!(&refused, Error::Conflict(why) if why.contains("delete one first")), "{refused:?}");
        request_export(&given.shop, &fresh(&given, &eve)).await.unwrap();
        assert_eq!(purge_exports(&store, given.shop.now()).await.unwrap(), 0);
        given.clock.advance(KEPT);
        let late = request_export(&given.shop, &by).await.unwrap();
        assert_eq!(purge_exports(&store, given.shop.now()).await.unwrap(), 4);
        assert!(store.get(ada.user, late.id, given.shop.now()).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn nobody_gets_an_endless_archive() {
        let mut out = Counted { pack: Texts.begin().unwrap(), left: 3 };
        out.write(b"abc").unwrap();
        assert!(matches!(out.write(b"d"), Err(Error::Unprocessable(_))));
        assert_eq!(out.pack.finish().unwrap(), b"abc");
    }
}
