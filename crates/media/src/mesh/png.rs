//! PNG of red, green, blue and cover, eight bits each.

use std::io::Write;

use flate2::{Compression, Crc, write::ZlibEncoder};

/// A square picture of the given rows.
pub(super) fn png(side: usize, rows: &[u8]) -> std::io::Result<Vec<u8>> {
    let length = u32::try_from(side).map_err(std::io::Error::other)?.to_be_bytes();
    let mut head = Vec::new();
    head.extend(length);
    head.extend(length);
    head.extend([8, 6, 0, 0, 0]);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::new(6));
    let mut before = vec![0; side * 4];
    for row in rows.chunks_exact(side * 4) {
        // Each byte as what it differs by from the one above: a shaded surface changes little.
        packed.write_all(&[2])?;
        let difference: Vec<u8> = row.iter().zip(&before).map(|(this, above)| this.wrapping_sub(*above)).collect();
        packed.write_all(&difference)?;
        before.copy_from_slice(row);
    }
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, body) in [(*b"IHDR", head), (*b"IDAT", packed.finish()?), (*b"IEND", Vec::new())] {
        out.extend(u32::try_from(body.len()).map_err(std::io::Error::other)?.to_be_bytes());
        let mut crc = Crc::new();
        crc.update(&name);
        crc.update(&body);
        out.extend(name);
        out.extend(body);
        out.extend(crc.sum().to_be_bytes());
    }
    Ok(out)
}
