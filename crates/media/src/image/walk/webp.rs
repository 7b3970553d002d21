//! Walking a WebP. Of an animation the first frame is kept.

use super::{CUT, Stop, Walked, at_end, look_through};
use crate::image::{
    Orientation, exif,
    reader::{Reader, length},
};

/// The bits of an extended header that say Exif and XMP follow.
const SAID: u8 = 0x08 | 0x04;

pub(super) fn walk(file: &[u8], fits: &dyn Fn(u32, u32) -> Result<(), Stop>) -> Result<Walked, Stop> {
    let mut outer = Reader::new(file);
    outer.take(4).ok_or(CUT)?;
    let size = outer.le32().and_then(length).ok_or(CUT)?;
    let mut reader = Reader::new(outer.take(size).ok_or(CUT)?);
    at_end(outer.rest())?;
    reader.take(4).ok_or(CUT)?;
    let mut walked = Walked { width: 0, height: 0, orientation: Orientation::default(), bytes: Vec::new() };
    let (mut extended, mut pixels) = (false, false);
    while !reader.rest().is_empty() {
        let (name, content) = chunk(&mut reader)?;
        let picture = matches!(name, b"VP8 " | b"VP8L" | b"ANMF");
        match name {
            b"VP8X" => {
                if walked.width != 0 {
                    return Err(Stop::Damaged("it names its size twice"));
                }
                let [flags, rest @ ..] = content else { return Err(CUT) };
                let mut header = Reader::new(rest);
                header.take(3).ok_or(CUT)?;
                walked.width = header.le24().ok_or(CUT)? + 1;
                walked.height = header.le24().ok_or(CUT)? + 1;
                fits(walked.width, walked.height)?;
                extended = true;
                let mut clean = vec![flags & !SAID];
                clean.extend_from_slice(rest);
                put(&mut walked.bytes, name, &clean);
                continue;
            }
            b"EXIF" => {
                look_through(content)?;
                walked.orientation = exif::orientation(content);
                continue;
            }
            b"ICCP" | b"ANIM" | b"ALPH" => {}
            _ if picture => {
                if pixels {
                    // The frames behind the first.
                    continue;
                }
                let (width, height) = match name {
                    b"VP8 " => lossy(content),
                    b"VP8L" => lossless(content),
                    _ => frame(content),
                }
                .ok_or(CUT)?;
                fits(width, height)?;
                if !extended {
                    (walked.width, walked.height) = (width, height);
                }
                pixels = true;
            }
            _ => {
                look_through(content)?;
                continue;
            }
        }
        put(&mut walked.bytes, name, content);
    }
    if !pixels {
        return Err(Stop::Damaged("it has no pixels"));
    }
    let size = u32::try_from(walked.bytes.len() + 4).map_err(|_| CUT)?;
    let head = [&b"RIFF"[..], &size.to_le_bytes(), b"WEBP"].concat();
    walked.bytes.splice(0..0, head);
    Ok(walked)
}

fn chunk<'a>(reader: &mut Reader<'a>) -> Result<(&'a [u8], &'a [u8]), Stop> {
    let name = reader.take(4).ok_or(CUT)?;
    let size = reader.le32().and_then(length).ok_or(CUT)?;
    let content = reader.take(size).ok_or(CUT)?;
    if size % 2 == 1 {
        reader.take(1).ok_or(CUT)?;
    }
    Ok((name, content))
}

fn put(bytes: &mut Vec<u8>, name: &[u8], content: &[u8]) {
    bytes.extend_from_slice(name);
    // It was read from a file that names its length in as many bytes.
    bytes.extend_from_slice(&u32::try_from(content.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(content);
    if content.len() % 2 == 1 {
        bytes.push(0);
    }
}

fn lossy(content: &[u8]) -> Option<(u32, u32)> {
    let mut reader = Reader::new(content);
    reader.take(6)?;
    let (width, height) = (reader.le16()?, reader.le16()?);
    Some(((width & 0x3fff).into(), (height & 0x3fff).into()))
}

fn lossless(content: &[u8]) -> Option<(u32, u32)> {
    let mut reader = Reader::new(content);
    reader.take(1)?;
    let bits = reader.le32()?;
    Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
}

fn frame(content: &[u8]) -> Option<(u32, u32)> {
    let mut reader = Reader::new(content);
    reader.take(6)?;
    Some((reader.le24()? + 1, reader.le24()? + 1))
}
