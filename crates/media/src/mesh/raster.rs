//! A drawing of a model: seen from the front, the right and above, shaded, with nothing behind it. The same model is always drawn
//! the same, to the byte.

use super::{
    Facet, Point,
    facet::{Vector, cross, dot, span, wide},
};

/// The side of what is drawn on; previews are whole fractions of it.
pub(super) const SIDE: usize = 1920;
/// How much of the side the model fills.
const FILL: f64 = 0.92;
/// What has no colour of its own.
const PLAIN: [u8; 3] = [0x9f, 0xb4, 0xc7];
/// How many places are looked at for facets of any size: some three hundred times all there are.
const LOOKS: u64 = 1 << 30;
/// The largest facet, in places, that is drawn after that.
const SMALL: u64 = 64;
/// How much light there is where none shines.
const AMBIENT: f64 = 0.32;

/// Somebody who looks at a model.
pub(super) struct Canvas {
    right: Vector,
    up: Vector,
    towards: Vector,
    light: Vector,
    middle: [f64; 2],
    scale: f64,
    depth: Vec<f32>,
    colour: Vec<[u8; 3]>,
    /// How many more places are looked at for large facets.
    looks: u64,
}

impl Canvas {
    /// A view in which the box between two corners fits.
    pub(super) fn new(low: Point, high: Point) -> Self {
        let towards = unit([0.55, -0.75, 0.5]);
        let right = unit(cross([0.0, 0.0, 1.0], towards));
        let up = cross(towards, right);
        let light = unit([0.15, -0.75, 0.95]);
        let (low, high) = (wide(low), wide(high));
        let mut across = [f64::INFINITY, f64::NEG_INFINITY];
        let mut along = across;
        for corner in 0..8 {
            let pick = |axis: usize| if corner >> axis & 1 == 0 { low[axis] } else { high[axis] };
            let corner = [pick(0), pick(1), pick(2)];
            let (x, y) = (dot(right, corner), dot(up, corner));
            across = [across[0].min(x), across[1].max(x)];
            along = [along[0].min(y), along[1].max(y)];
        }
        let longest = (across[1] - across[0]).max(along[1] - along[0]);
        let scale = if longest > 0.0 { SIDE as f64 * FILL / longest } else { 1.0 };
        Self {
            right,
            up,
            towards,
            light,
            middle: [f64::midpoint(across[0], across[1]), f64::midpoint(along[0], along[1])],
            scale,
            depth: vec![f32::NEG_INFINITY; SIDE * SIDE],
            colour: vec![[0; 3]; SIDE * SIDE],
            looks: LOOKS,
        }
    }

    /// Draws facets, in any order.
    pub(super) fn draw(&mut self, facets: &[Facet]) {
        for facet in facets {
            let corners = facet.corners.map(wide);
            let outside = span(corners);
            let length = dot(outside, outside).sqrt();
            // Without an area, or the whole box without one.
            if length > 0.0 {
                let outside = outside.map(|x| x / length);
                // Both sides are shown: what is inside out is told elsewhere.
                let facing = if dot(outside, self.towards) < 0.0 { outside.map(|x| -x) } else { outside };
                let lit = AMBIENT + (1.0 - AMBIENT) * dot(facing, self.light).max(0.0);
                let colour = facet.colour.unwrap_or(PLAIN).map(|part| (f64::from(part) * lit) as u8);
                self.fill(corners.map(|corner| self.seen(corner)), colour);
            }
        }
    }

    /// Where a point is seen, and how near.
    fn seen(&self, point: Vector) -> Vector {
        let half = SIDE as f64 / 2.0;
        let x = half + (dot(self.right, point) - self.middle[0]) * self.scale;
        let y = half - (dot(self.up, point) - self.middle[1]) * self.scale;
        [x, y, dot(self.towards, point) * self.scale]
    }

    fn fill(&mut self, [a, b, c]: [Vector; 3], colour: [u8; 3]) {
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        if area == 0.0 {
            return;
        }
        let range = |axis: usize| {
            let low = a[axis].min(b[axis]).min(c[axis]);
            let high = a[axis].max(b[axis]).max(c[axis]);
            let last = SIDE as f64 - 1.0;
            ((low - 0.5).ceil().clamp(0.0, last) as usize, (high - 0.5).floor().clamp(0.0, last) as usize)
        };
        let ((left, right), (top, bottom)) = (range(0), range(1));
        // Millions of facets, each across the whole drawing, are no model of anything, and would take a processor hours.
        let looks = (right + 1).saturating_sub(left) as u64 * (bottom + 1).saturating_sub(top) as u64;
        if looks > SMALL {
            match self.looks.checked_sub(looks) {
                Some(left) => self.looks = left,
                None => return,
            }
        }
        for row in top..=bottom {
            let y = row as f64 + 0.5;
            for column in left..=right {
                let x = column as f64 + 0.5;
                let u = ((c[0] - b[0]) * (y - b[1]) - (c[1] - b[1]) * (x - b[0])) / area;
                let v = ((a[0] - c[0]) * (y - c[1]) - (a[1] - c[1]) * (x - c[0])) / area;
                let w = 1.0 - u - v;
                if u < 0.0 || v < 0.0 || w < 0.0 {
                    continue;
                }
                let near = (u * a[2] + v * b[2] + w * c[2]) as f32;
                let at = row * SIDE + column;
                // Of two at one distance the brighter: so the order of facets does not matter.
                let depth = self.depth[at];
                if near > depth || (near.total_cmp(&depth).is_eq() && colour > self.colour[at]) {
                    self.depth[at] = near;
                    self.colour[at] = colour;
                }
            }
        }
    }

    /// The drawing at a fraction of the side, as rows of red, green, blue and how much is covered.
    pub(super) fn reduced(&self, factor: usize) -> Vec<u8> {
        let side = SIDE / factor;
        let mut out = Vec::with_capacity(side * side * 4);
        for row in 0..side {
            for column in 0..side {
                let (mut sum, mut covered) = ([0_u32; 3], 0_u32);
                for y in row * factor..(row + 1) * factor {
                    for x in column * factor..(column + 1) * factor {
                        let at = y * SIDE + x;
                        if self.depth[at] > f32::NEG_INFINITY {
                            covered += 1;
                            for (sum, part) in sum.iter_mut().zip(self.colour[at]) {
                                *sum += u32::from(part);
                            }
                        }
                    }
                }
                let all = (factor * factor) as u32;
                out.extend(sum.map(|sum| sum.checked_div(covered).unwrap_or(0) as u8));
                out.push((covered * 255 / all) as u8);
            }
        }
        out
    }
}

fn unit(direction: Vector) -> Vector {
    let length = dot(direction, direction).sqrt();
    direction.map(|x| x / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_facets_are_drawn_until_enough_was_looked_at_and_small_ones_always() {
        let mut canvas = Canvas::new([0.0; 3], [1.0; 3]);
        let facet = |from: f32, to: f32, colour| Facet {
            colour: Some(colour),
            ..Facet::of([[from, from, to], [to, from, to], [from, to, to]])
        };
        canvas.draw(&[facet(0.0, 0.5, [255, 0, 0])]);
        assert!(canvas.looks < LOOKS, "the first was counted");
        canvas.looks = 10_000;
        canvas.draw(&[facet(0.0, 1.0, [0, 255, 0])]);
        assert!(canvas.colour.iter().all(|[_, green, _]| *green == 0), "too large for what is left");
        canvas.looks = 0;
        canvas.draw(&[facet(0.998, 1.0, [0, 0, 255])]);
        assert!(canvas.colour.iter().any(|[_, _, blue]| *blue > 0), "small enough");
    }
}
