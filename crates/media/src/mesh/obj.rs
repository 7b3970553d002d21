//! Wavefront OBJ: corners first, then faces that name them. A face of more than three corners is a fan of triangles.

use std::io::BufRead;

use super::{
    Facet, Fault, Point,
    lines::{Lines, point, words},
    read::Batch,
};

/// Words with which a line of the format begins.
pub(super) const WORDS: [&[u8]; 19] = [
    b"v",
    b"vt",
    b"vn",
    b"vp",
    b"f",
    b"l",
    b"p",
    b"o",
    b"g",
    b"s",
    b"mg",
    b"mtllib",
    b"usemtl",
    b"usemap",
    b"maplib",
    b"cstype",
    b"deg",
    b"lod",
    b"shadow_obj",
];

pub(super) fn read(from: impl BufRead, batch: &mut Batch<'_>) -> Result<(), Fault> {
    let mut lines = Lines::new(from);
    let mut points: Vec<Point> = Vec::new();
    let mut corners: Vec<Point> = Vec::new();
    let mut whole: Vec<u8> = Vec::new();
    let mut objects = 0_u64;
    let most = batch.limits.vertices;
    loop {
        let number = lines.number + 1;
        let fault = |what| Fault::Syntax { line: number, what };
        let Some(line) = lines.next()? else { break };
        let line = if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        // A line may go on in the next one.
        if let Some(part) = line.trim_ascii_end().strip_suffix(b"\\") {
            whole.extend_from_slice(part);
            whole.push(b' ');
            if whole.len() > 1 << 20 {
                return Err(fault("the line is too long"));
            }
            continue;
        }
        let joined;
        let line = if whole.is_empty() {
            line
        } else {
            whole.extend_from_slice(line);
            joined = std::mem::take(&mut whole);
            &joined
        };
        let mut words = words(line);
        let Some(word) = words.next() else { continue };
        match word {
            b"v" => {
                points.push(point(&mut words).ok_or_else(|| fault("a vertex has three numbers"))?);
                if u64::try_from(points.len()).unwrap_or(u64::MAX) > most {
                    return Err(Fault::TooManyVertices { most });
                }
            }
            b"f" => {
                corners.clear();
                for word in words {
                    let found = index(word, points.len()).and_then(|at| points.get(at));
                    corners.push(*found.ok_or_else(|| fault("a face names a vertex that is not there"))?);
                }
                let [first, second, rest @ ..] = &*corners else {
                    return Err(fault("a face has at least three vertices"));
                };
                if rest.is_empty() {
                    return Err(fault("a face has at least three vertices"));
                }
                let mut before = second;
                for corner in rest {
                    batch.push(Facet::of([*first, *before, *corner]))?;
                    before = corner;
                }
            }
            b"o" | b"g" => objects += 1,
            word if word.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'#') => {}
            _ => return Err(fault("expected a word of the format")),
        }
    }
    batch.solids = objects.max(1);
    Ok(())
}

/// Where in the list a corner is: from 1 on, or backwards from the last one.
fn index(word: &[u8], len: usize) -> Option<usize> {
    let number = word.split(|byte| *byte == b'/').next()?;
    let number: i64 = std::str::from_utf8(number).ok()?.parse().ok()?;
    if number > 0 {
        usize::try_from(number - 1).ok()
    } else {
        len.checked_sub(usize::try_from(number.checked_neg()?).ok().filter(|back| *back > 0)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_are_counted_from_either_end() {
        for (word, found) in [
            ("1", Some(0)),
            ("3/7/9", Some(2)),
            ("-1", Some(2)),
            ("-3//1", Some(0)),
            ("-4", None),
            ("0", None),
            ("x", None),
            ("-9223372036854775808", None),
        ] {
            assert_eq!(index(word.as_bytes(), 3), found, "{word}");
        }
    }
}
