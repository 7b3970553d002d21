//! Walking a GIF. Of an animation the first frame is kept.

use super::{CUT, Stop, Walked, at_end, look_through};
use crate::image::{Orientation, reader::Reader};

const EXTENSION: u8 = 0x21;
const FRAME: u8 = 0x2c;
const END: u8 = 0x3b;
/// How long a frame is shown, and which of its colours is none.
const CONTROL: u8 = 0xf9;

pub(super) fn walk(file: &[u8], fits: &dyn Fn(u32, u32) -> Result<(), Stop>) -> Result<Walked, Stop> {
    let mut reader = Reader::new(file);
    reader.take(6).ok_or(CUT)?;
    let (width, height) = (reader.le16().ok_or(CUT)?.into(), reader.le16().ok_or(CUT)?.into());
    fits(width, height)?;
    let flags = reader.byte().ok_or(CUT)?;
    reader.take(2).ok_or(CUT)?;
    palette(&mut reader, flags)?;
    let mut walked = Walked { width, height, orientation: Orientation::default(), bytes: reader.since(0).to_vec() };
    let mut control: &[u8] = &[];
    let mut framed = false;
    loop {
        let start = reader.at();
        match reader.byte().ok_or(CUT)? {
            EXTENSION => {
                let label = reader.byte().ok_or(CUT)?;
                blocks(&mut reader)?;
                let content = reader.since(start);
                if label == CONTROL {
                    control = content;
                } else {
                    look_through(content)?;
                }
            }
            FRAME => {
                reader.take(4).ok_or(CUT)?;
                let (across, down) = (reader.le16().ok_or(CUT)?.into(), reader.le16().ok_or(CUT)?.into());
                fits(across, down)?;
                let flags = reader.byte().ok_or(CUT)?;
                palette(&mut reader, flags)?;
                // The size of the first code.
                reader.byte().ok_or(CUT)?;
                blocks(&mut reader)?;
                if !framed {
                    walked.bytes.extend_from_slice(control);
                    walked.bytes.extend_from_slice(reader.since(start));
                    framed = true;
                }
                control = &[];
            }
            END => break,
            _ => return Err(Stop::Damaged("something lies between its parts")),
        }
    }
    at_end(reader.rest())?;
    if !framed {
        return Err(Stop::Damaged("it has no pixels"));
    }
    walked.bytes.push(END);
    Ok(walked)
}

fn palette(reader: &mut Reader<'_>, flags: u8) -> Result<(), Stop> {
    if flags & 0x80 != 0 {
        reader.take(3 << ((flags & 7) + 1)).ok_or(CUT)?;
    }
    Ok(())
}

/// Goes past blocks that each name their length, up to an empty one.
fn blocks(reader: &mut Reader<'_>) -> Result<(), Stop> {
    loop {
        let size = reader.byte().ok_or(CUT)?;
        reader.take(size.into()).ok_or(CUT)?;
        if size == 0 {
            return Ok(());
        }
    }
}
