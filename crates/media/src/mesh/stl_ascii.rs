//! STL as text: solids, one after the other, each with its facets. Names may be anything.

use std::io::BufRead;

use super::{
    Facet, Fault,
    lines::{Lines, point, words},
    read::Batch,
};

/// Where in the text a reader is.
enum At {
    /// Between solids.
    Outside,
    /// Between facets.
    Solid,
    /// In a facet, before its corners.
    Facet,
    /// Among its corners.
    Loop,
    /// Behind its corners.
    Closed,
}

pub(super) fn read(from: impl BufRead, batch: &mut Batch<'_>) -> Result<(), Fault> {
    let mut lines = Lines::new(from);
    let mut at = At::Outside;
    let mut normal = [0.0; 3];
    let mut corners: Vec<[f32; 3]> = Vec::with_capacity(3);
    let mut solids = 0_u64;
    loop {
        let number = lines.number + 1;
        let fault = |what| Fault::Syntax { line: number, what };
        let Some(line) = lines.next()? else { break };
        let line = if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let mut words = words(line);
        let Some(word) = words.next() else { continue };
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        at = match at {
            At::Outside if is("solid") => {
                solids += 1;
                At::Solid
            }
            At::Solid if is("facet") => {
                // What a program could not calculate it may have written as `nan`.
                words.next();
                normal = point(&mut words).ok_or_else(|| fault("a facet has a normal of three numbers"))?;
                At::Facet
            }
            At::Solid if is("endsolid") || is("end") => At::Outside,
            // What some programs add.
            At::Solid if is("color") => At::Solid,
            At::Facet if is("outer") => At::Loop,
            At::Loop if is("vertex") => {
                corners.push(point(&mut words).ok_or_else(|| fault("a vertex has three numbers"))?);
                At::Loop
            }
            At::Loop if is("endloop") => {
                let three = <[[f32; 3]; 3]>::try_from(&*corners).map_err(|_| fault("a facet has three vertices"))?;
                corners.clear();
                batch.push(Facet { corners: three, normal, colour: None })?;
                At::Closed
            }
            At::Closed if is("endfacet") => At::Solid,
            At::Outside => return Err(fault("expected `solid`")),
            At::Solid => return Err(fault("expected `facet` or `endsolid`")),
            At::Facet => return Err(fault("expected `outer loop`")),
            At::Loop => return Err(fault("expected `vertex` or `endloop`")),
            At::Closed => return Err(fault("expected `endfacet`")),
        };
        if corners.len() > 3 {
            return Err(fault("a facet has three vertices"));
        }
    }
    batch.solids = solids;
    if matches!(at, At::Outside) { Ok(()) } else { Err(Fault::NoEnd) }
}
