//! Walking a JPEG.

use super::{CUT, Stop, Walked, at_end, look_through};
use crate::image::{Orientation, exif, reader::Reader};

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const COMMENT: u8 = 0xfe;
/// Most scans of a progressive picture. Usual ones have ten; each is a walk over the whole picture.
const SCANS: u32 = 64;

/// Pictures that phones put behind the picture: depth, light, or a second one (Multi-Picture Format).
const PICTURE: &[u8] = &[0xff, START, 0xff];

pub(super) fn walk(file: &[u8], fits: &dyn Fn(u32, u32) -> Result<(), Stop>) -> Result<Walked, Stop> {
    let mut reader = Reader::new(file);
    let walked = picture(&mut reader, fits)?;
    // What phones put behind it is walked and left behind.
    loop {
        let rest = reader.rest();
        let padding = rest.iter().take_while(|byte| **byte == 0).count();
        if !rest.get(padding..).is_some_and(|rest| rest.starts_with(PICTURE)) {
            at_end(rest)?;
            return Ok(walked);
        }
        reader.take(padding);
        picture(&mut reader, fits)?;
    }
}

fn picture(reader: &mut Reader<'_>, fits: &dyn Fn(u32, u32) -> Result<(), Stop>) -> Result<Walked, Stop> {
    let begin = reader.take(2).ok_or(CUT)?;
    let mut walked = Walked { width: 0, height: 0, orientation: Orientation::default(), bytes: begin.to_vec() };
    let mut scans = 0;
    loop {
        let start = reader.at();
        let marker = marker(reader)?;
        match marker {
            END => break,
            // Without a length: what is between scans and means nothing.
            0x01 | 0xd0..=0xd7 => continue,
            START => return Err(Stop::Damaged("it begins twice")),
            _ => {}
        }
        let content = segment(reader)?;
        let keep = match marker {
            0xc0..=0xc2 => {
                frame(content, &mut walked)?;
                fits(walked.width, walked.height)?;
                true
            }
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Err(Stop::Unsupported("lossless or arithmetic coding"));
            }
            SCAN => {
                if walked.width == 0 {
                    return Err(Stop::Damaged("its pixels come before its size"));
                }
                scans += 1;
                if scans > SCANS {
                    return Err(Stop::Damaged("it has too many scans"));
                }
                entropy(reader)?;
                true
            }
            0xe1 => {
                look_through(content)?;
                if content.starts_with(b"Exif\0\0") {
                    walked.orientation = exif::orientation(content);
                }
                false
            }
            // How colours are meant.
            0xe2 => content.starts_with(b"ICC_PROFILE\0"),
            0xee => content.starts_with(b"Adobe"),
            0xe0 | 0xe3..=0xed | 0xef | COMMENT => {
                look_through(content)?;
                false
            }
            _ => true,
        };
        if keep {
            walked.bytes.extend_from_slice(reader.since(start));
        }
    }
    if scans == 0 {
        return Err(Stop::Damaged("it has no pixels"));
    }
    walked.bytes.extend_from_slice(&[0xff, END]);
    Ok(walked)
}

/// The next marker, behind any bytes that fill the space before it.
fn marker(reader: &mut Reader<'_>) -> Result<u8, Stop> {
    if reader.byte().ok_or(CUT)? != 0xff {
        return Err(Stop::Damaged("something lies between its parts"));
    }
    loop {
        match reader.byte().ok_or(CUT)? {
            0xff => {}
            0 => return Err(Stop::Damaged("something lies between its parts")),
            marker => return Ok(marker),
        }
    }
}

fn segment<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Stop> {
    let length = usize::from(reader.be16().ok_or(CUT)?);
    let length = length.checked_sub(2).ok_or(Stop::Damaged("a part of it is shorter than can be"))?;
    reader.take(length).ok_or(CUT)
}

fn frame(content: &[u8], walked: &mut Walked) -> Result<(), Stop> {
    if walked.width != 0 {
        return Err(Stop::Damaged("it names its size twice"));
    }
    let mut reader = Reader::new(content);
    let precision = reader.byte().ok_or(CUT)?;
    if precision != 8 {
        return Err(Stop::Unsupported("more than 8 bits a colour"));
    }
    walked.height = reader.be16().ok_or(CUT)?.into();
    walked.width = reader.be16().ok_or(CUT)?.into();
    Ok(())
}

/// Goes past the pixels of a scan: up to a marker that is neither an escaped byte nor a restart.
fn entropy(reader: &mut Reader<'_>) -> Result<(), Stop> {
    let rest = reader.rest();
    let mut at = 0;
    loop {
        let next = rest.get(at..).and_then(|rest| memchr::memchr(0xff, rest)).ok_or(CUT)?;
        at += next;
        match rest.get(at + 1).ok_or(CUT)? {
            0 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => break,
        }
    }
    reader.take(at).ok_or(CUT).map(|_| ())
}
