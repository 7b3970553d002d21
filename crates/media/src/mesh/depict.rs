//! What a model looks like: pictures of it, and a small copy to turn around in a browser.

use std::io::{Read, Seek};

use super::{
    Facet, Fault, Format, Limits, Measures,
    clusters::{Clusters, Simple},
    each,
    facet::{dot, span, wide},
    glb::glb,
    png::png,
    raster::{Canvas, SIDE},
    weld::Weld,
};

/// Sides of the pictures, the largest first.
pub const PREVIEWS: [u32; 3] = [960, 480, 160];

/// Most triangles of the copy.
const MOST: u64 = 60_000;

/// What a model looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct Depiction {
    /// Pictures of the sides of [`PREVIEWS`], as PNG.
    pub previews: [Vec<u8>; 3],
    /// The copy, as glTF in one file.
    pub glb: Vec<u8>,
    /// Its triangles.
    pub triangles: u64,
    /// The room below what hangs over by more than 45 degrees, down to the plate: what supports fill at most.
    pub overhang: f64,
}

/// Reads a file that was measured a second time and draws it.
///
/// # Errors
/// What is wrong with the file.
pub fn depict(
    source: impl Read + Seek,
    format: Format,
    limits: Limits,
    measures: &Measures,
) -> Result<Depiction, Fault> {
    let mut canvas = Canvas::new(measures.low, measures.high);
    let mut small = if measures.triangles > MOST {
        Small::Clusters(Clusters::new(measures.low, measures.size(), measures.area, MOST as usize))
    } else {
        Small::Whole(Weld::new())
    };
    let mut overhang = 0.0;
    each(source, format, limits, &mut |facets| {
        canvas.draw(facets);
        match &mut small {
            Small::Clusters(clusters) => clusters.add(facets),
            Small::Whole(weld) => weld.add(facets),
        }
        overhang += facets.iter().map(|facet| below(facet, measures)).sum::<f64>();
        Ok(())
    })?;
    let simple = match small {
        Small::Clusters(clusters) => clusters.finish(),
        Small::Whole(weld) => Simple { points: weld.points, faces: weld.faces },
    };
    let mut previews = [const { Vec::new() }; 3];
    for (picture, side) in previews.iter_mut().zip(PREVIEWS) {
        let side = side as usize;
        *picture = png(side, &canvas.reduced(SIDE / side))?;
    }
    Ok(Depiction { previews, glb: glb(&simple)?, triangles: simple.faces.len() as u64, overhang })
}

enum Small {
    Whole(Weld),
    Clusters(Clusters),
}

/// The room between a facet that hangs over and the plate.
fn below(facet: &Facet, measures: &Measures) -> f64 {
    let corners = facet.corners.map(wide);
    let outside = span(corners);
    let steep = outside[2] < -dot(outside, outside).sqrt() * std::f64::consts::FRAC_1_SQRT_2;
    if !steep {
        return 0.0;
    }
    let height = (corners[0][2] + corners[1][2] + corners[2][2]) / 3.0 - f64::from(measures.low[2]);
    -outside[2] / 2.0 * height
}
