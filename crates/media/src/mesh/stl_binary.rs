//! STL of fixed records: 80 free bytes, how many, and for each a direction, three corners and two bytes of colour.

use std::io::Read;

use super::{Facet, Fault, read::Batch};

/// Records read at once.
const AT_ONCE: usize = 1024;
const LENGTH: usize = 50;

/// Who writes colours, and how: the highest bit means "has one" to some and "has none" to others.
#[derive(Clone, Copy, PartialEq)]
enum Colours {
    /// `VisCAM` and `SolidView`: the bit is set, then red, green, blue.
    Viscam,
    /// `Magics`: the bit is clear, then blue, green, red; the header names the colour of the rest.
    Magics,
}

pub(super) fn read(mut from: impl Read, batch: &mut Batch<'_>) -> Result<(), Fault> {
    let mut header = [0; 84];
    from.read_exact(&mut header)?;
    let (free, count) = header.split_at(80);
    let count = count.try_into().map(u32::from_le_bytes).map_err(|_| Fault::NoEnd)?;
    batch.announce(u64::from(count))?;
    let magics = free.windows(6).any(|word| word == b"COLOR=");
    let colours = if magics { Colours::Magics } else { Colours::Viscam };
    let mut left = usize::try_from(count).map_err(|_| Fault::NoEnd)?;
    let mut buffer = vec![0; AT_ONCE * LENGTH];
    while left > 0 {
        let now = left.min(AT_ONCE);
        let (records, _) = buffer.split_at_mut(now * LENGTH);
        from.read_exact(records)?;
        let (records, _) = records.as_chunks::<LENGTH>();
        batch.extend(records.iter().map(|record| facet(record, colours)))?;
        left -= now;
    }
    // One byte more would be one too many.
    match from.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(Fault::Package("something follows its last facet")),
    }
}

fn facet(record: &[u8; LENGTH], colours: Colours) -> Facet {
    let (numbers, _) = record.as_chunks::<4>();
    let mut values = [0.0; 12];
    for (value, bytes) in values.iter_mut().zip(numbers) {
        *value = f32::from_le_bytes(*bytes);
    }
    let [i, j, k, ax, ay, az, bx, by, bz, cx, cy, cz] = values;
    Facet {
        corners: [[ax, ay, az], [bx, by, bz], [cx, cy, cz]],
        normal: [i, j, k],
        colour: colour(u16::from_le_bytes([record[48], record[49]]), colours),
    }
}

fn colour(bits: u16, colours: Colours) -> Option<[u8; 3]> {
    let own = bits & 0x8000 != 0;
    let part = |shift: u32| {
        let five = u8::try_from((bits >> shift) & 31).unwrap_or(31);
        (five << 3) | (five >> 2)
    };
    match colours {
        Colours::Viscam if own => Some([part(10), part(5), part(0)]),
        Colours::Magics if !own => Some([part(0), part(5), part(10)]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_as_their_writer_meant_them() {
        assert_eq!(colour(0, Colours::Viscam), None);
        assert_eq!(colour(0x8000 | (31 << 10), Colours::Viscam), Some([255, 0, 0]));
        assert_eq!(colour(31, Colours::Magics), Some([255, 0, 0]));
        assert_eq!(colour(0x8000 | 31, Colours::Magics), None);
    }
}
