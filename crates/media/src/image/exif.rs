//! The one thing that is wanted of Exif: which way up a picture is.

use super::{Orientation, reader::Reader};

/// The tag of the orientation, and the type of its value.
const ORIENTATION: u16 = 0x0112;
const SHORT: u16 = 3;

/// Which way up the Exif data of a picture says it is; as it lies when they say nothing, or nonsense.
pub(super) fn orientation(exif: &[u8]) -> Orientation {
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    find(tiff).and_then(Orientation::of).unwrap_or_default()
}

fn find(tiff: &[u8]) -> Option<u16> {
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |from: &mut Reader<'_>| if little { from.le16() } else { from.be16() };
    let long = |from: &mut Reader<'_>| if little { from.le32() } else { from.be32() };
    let mut reader = Reader::new(tiff);
    reader.take(4)?;
    let first = usize::try_from(long(&mut reader)?).ok()?;
    let mut reader = Reader::new(tiff.get(first..)?);
    for _ in 0..short(&mut reader)? {
        let mut entry = Reader::new(reader.take(12)?);
        if short(&mut entry)? == ORIENTATION {
            let (kind, _count) = (short(&mut entry)?, long(&mut entry)?);
            return if kind == SHORT { short(&mut entry) } else { None };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_byte_orders_are_read_and_nonsense_is_nothing() {
        let little = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        assert_eq!(orientation(little), Orientation::of(6).unwrap());
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0";
        assert_eq!(orientation(big), Orientation::of(8).unwrap());
        for nonsense in [
            &b""[..],
            b"Exif\0\0",
            b"II*\0\xff\xff\xff\xff",
            b"MM\0*\0\0\0\x08\xff\xff",
            b"II*\0\x08\0\0\0\x01\0\x12\x01",
        ] {
            assert_eq!(orientation(nonsense), Orientation::default());
        }
        let ninth = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0";
        assert_eq!(orientation(ninth), Orientation::default());
    }
}
