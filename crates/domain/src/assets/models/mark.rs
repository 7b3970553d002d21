//! The mark of whom a copy was given to: the id of their grant, by which the seller finds them.

use bytes::Bytes;

use super::ModelFormat;
use crate::{
    assets::{Patch, Storeroom, ports::Held},
    error::{Error, Result},
    id::GrantId,
};

/// Bytes at the beginning of a binary STL that mean nothing.
const HEADER: usize = 80;
/// Bytes of the record at the end of a ZIP without a comment; the last two tell how long a comment is.
const ZIP_END: usize = 22;
const ZIP_END_BEGINS: &[u8] = b"PK\x05\x06";

/// What marks a file as the copy of a grant, where its format has a place for that: the header of a binary STL, a comment at the end
/// of an OBJ, the comment of the ZIP that a 3MF is. A text STL has none. The shape is never touched.
///
/// # Errors
/// Those of the store.
pub async fn mark(room: &Storeroom, held: &Held, format: ModelFormat, grant: GrantId) -> Result<Option<Patch>> {
    let words = format!("Licensed copy, grant {grant}");
    Ok(match format {
        ModelFormat::StlBinary => {
            let mut header = words.into_bytes();
            header.resize(HEADER, b' ');
            Some(Patch { at: 0, bytes: header.into() })
        }
        ModelFormat::StlAscii => None,
        ModelFormat::Obj => Some(Patch { at: held.size, bytes: format!("\n# {words}\n").into() }),
        ModelFormat::ThreeMf => comment(&end(room, held).await?, held.size, &words),
    })
}

/// The last bytes of a file.
async fn end(room: &Storeroom, held: &Held) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunks = room
        .open(held, Some(held.size.saturating_sub(ZIP_END.try_into().map_err(Error::internal)?)..held.size))
        .await?;
    while let Some(piece) = chunks.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// A comment for a ZIP that has none.
fn comment(end: &[u8], size: u64, words: &str) -> Option<Patch> {
    let bare = end.starts_with(ZIP_END_BEGINS) && end.ends_with(&[0, 0]) && end.len() == ZIP_END;
    let length = u16::try_from(words.len()).ok().filter(|_| bare)?;
    let bytes: Bytes = [&length.to_le_bytes(), words.as_bytes()].concat().into();
    Some(Patch { at: size.checked_sub(2)?, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zip_that_has_a_comment_keeps_it() {
        let bare = [ZIP_END_BEGINS, &[0; 18]].concat();
        let patch = comment(&bare, 100, "abc").unwrap();
        assert_eq!((patch.at, &*patch.bytes), (98, b"\x03\0abc".as_slice()));
        let mut told = bare.clone();
        told[20] = 1;
        for other in [&told[..], &bare[1..], &[]] {
            assert_eq!(comment(other, 100, "abc"), None);
        }
    }
}
