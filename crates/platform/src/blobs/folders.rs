//! The folders of a store and what lies in them.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder},
    io::{self, ErrorKind},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use domain::assets::{Place, ports::Listed};

use super::{sync_folder, there};

/// How names of what is staged end.
pub(super) const PART: &str = "part";

/// Where things lie.
#[derive(Debug)]
pub(super) struct Folders {
    pub root: PathBuf,
    /// What is whole.
    pub objects: PathBuf,
    /// What is being written, in the same file system.
    pub staging: PathBuf,
}

impl Folders {
    pub fn of(root: PathBuf) -> Self {
        let (objects, staging) = (root.join("objects"), root.join("staging"));
        Self { root, objects, staging }
    }

    pub fn make(&self) -> io::Result<()> {
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700);
        for folder in [&self.objects, &self.staging] {
            private.create(folder)?;
        }
        sync_folder(&self.root)
    }

    /// Two levels by the begin of the digest, so that no folder grows long.
    pub fn path(&self, place: &Place) -> PathBuf {
        let name = place.to_string();
        let level = |from: usize| name.get(from..from + 2).unwrap_or_default();
        self.objects.join(level(0)).join(level(2)).join(&name)
    }

    /// Makes the folder of a place, so that it survives a power cut.
    pub fn make_folder(&self, of: &Path) -> io::Result<()> {
        let Some(folder) = of.parent() else { return Ok(()) };
        if folder.is_dir() {
            return Ok(());
        }
        let above = folder.parent().unwrap_or(&self.objects);
        for (folder, above) in [(above, self.objects.as_path()), (folder, above)] {
            match DirBuilder::new().mode(0o700).create(folder) {
                Ok(()) => sync_folder(above)?,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What lies behind a place, in order. Names that are no places are somebody else's.
    pub fn list(&self, after: Option<Place>, limit: usize) -> io::Result<Vec<Listed>> {
        let after = after.map(|place| place.to_string()).unwrap_or_default();
        let (first, second) = (after.get(..2).unwrap_or_default(), after.get(2..4).unwrap_or_default());
        let mut listed = Vec::new();
        for one in names(&self.objects)?.into_iter().filter(|name| name.as_str() >= first) {
            let upper = self.objects.join(&one);
            for two in names(&upper)?.into_iter().filter(|name| one != first || name.as_str() >= second) {
                let lower = upper.join(&two);
                for name in names(&lower)?.into_iter().filter(|name| *name > after) {
                    let (Ok(place), Some(found)) = (name.parse(), there(fs::metadata(lower.join(&name)))?) else {
                        continue;
                    };
                    if listed.len() == limit {
                        return Ok(listed);
                    }
                    listed.push(Listed { place, size: found.len(), since: found.modified()?.into() });
                }
            }
        }
        Ok(listed)
    }
}

/// The names in a folder, in order; none in one that is none.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(OsString::into_string(entry?.file_name()).ok());
    }
    names.sort_unstable();
    Ok(names)
}
