//! What can be said of a model from its facets one by one: how many, how large.

use super::{
    Facet, Fault, Point,
    facet::{dot, span, wedge, wide},
};

/// Sums over facets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Facets.
    pub triangles: u64,
    /// The lowest coordinates.
    pub low: Point,
    /// The highest.
    pub high: Point,
    /// The area of the surface.
    pub area: f64,
    /// What the surface encloses; below zero when it is inside out. It means nothing when the surface has holes.
    pub volume: f64,
    /// Facets whose stored direction is against the order of their corners.
    pub turned: u64,
    /// Facets without an area.
    pub flat: u64,
    /// Facets with a colour of their own.
    pub coloured: u64,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            triangles: 0,
            low: [f32::INFINITY; 3],
            high: [f32::NEG_INFINITY; 3],
            area: 0.0,
            volume: 0.0,
            turned: 0,
            flat: 0,
            coloured: 0,
        }
    }
}

impl Measures {
    /// Adds facets.
    ///
    /// # Errors
    /// [`Fault::NotFinite`] with the number of the facet.
    pub fn add(&mut self, facets: &[Facet]) -> Result<(), Fault> {
        let (mut area, mut volume) = (0.0, 0.0);
        for facet in facets {
            self.triangles += 1;
            let [a, b, c] = facet.corners;
            // Whatever is not finite makes this something else than zero.
            let finite = a.iter().chain(&b).chain(&c).fold(0.0, |sum, x| sum + x * 0.0);
            if finite != 0.0 {
                return Err(Fault::NotFinite { facet: self.triangles });
            }
            for axis in 0..3 {
                let (Some(low), Some(high)) = (self.low.get_mut(axis), self.high.get_mut(axis)) else { continue };
                for corner in [a, b, c] {
                    let Some(x) = corner.get(axis) else { continue };
                    *low = low.min(*x);
                    *high = high.max(*x);
                }
            }
            let corners = [wide(a), wide(b), wide(c)];
            let outside = span(corners);
            let square = dot(outside, outside);
            area += square.sqrt();
            volume += wedge(corners);
            self.flat += u64::from(square == 0.0);
            self.turned += u64::from(dot(outside, wide(facet.normal)) < 0.0);
            self.coloured += u64::from(facet.colour.is_some());
        }
        self.area += area / 2.0;
        self.volume += volume / 6.0;
        Ok(())
    }

    /// The lengths along the axes.
    pub fn size(&self) -> [f64; 3] {
        let (low, high) = (wide(self.low), wide(self.high));
        [high[0] - low[0], high[1] - low[1], high[2] - low[2]]
    }
}
