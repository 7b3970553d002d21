//! Walking a PNG.

use super::{CUT, Stop, Walked, at_end, look_through};
use crate::image::{
    Orientation, exif,
    reader::{Reader, length},
};

/// What is kept: the picture, and how its colours are meant.
const KEPT: [&[u8]; 9] = [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP"];

pub(super) fn walk(file: &[u8], fits: &dyn Fn(u32, u32) -> Result<(), Stop>) -> Result<Walked, Stop> {
    let mut reader = Reader::new(file);
    let signature = reader.take(8).ok_or(CUT)?;
    let mut walked = Walked { width: 0, height: 0, orientation: Orientation::default(), bytes: signature.to_vec() };
    let mut pixels = false;
    loop {
        let start = reader.at();
        let size = reader.be32().and_then(length).ok_or(CUT)?;
        let name = reader.take(4).ok_or(CUT)?;
        let content = reader.take(size).ok_or(CUT)?;
        reader.take(4).ok_or(CUT)?;
        if walked.width == 0 {
            if name != b"IHDR" {
                return Err(Stop::Damaged("it does not begin with its size"));
            }
            let mut header = Reader::new(content);
            walked.width = header.be32().ok_or(CUT)?;
            walked.height = header.be32().ok_or(CUT)?;
            fits(walked.width, walked.height)?;
        }
        match name {
            b"IDAT" => pixels = true,
            b"eXIf" => walked.orientation = exif::orientation(content),
            b"tEXt" | b"iTXt" => look_through(content)?,
            _ => {}
        }
        if KEPT.contains(&name) {
            walked.bytes.extend_from_slice(reader.since(start));
        } else if name.first().is_some_and(u8::is_ascii_uppercase) {
            return Err(Stop::Damaged("it has a part that nobody knows"));
        }
        if name == b"IEND" {
            break;
        }
    }
    at_end(reader.rest())?;
    if pixels { Ok(walked) } else { Err(Stop::Damaged("it has no pixels")) }
}
