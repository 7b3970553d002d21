//! Corners at the same place made one: each gets a number, in the order in which they come.
//!
//! The same place is that of eight digits behind the point, as trimesh has it: exporters write 1e-17 for a zero that was computed, and a
//! model would seem torn along the plane where it lies.

use std::hash::{BuildHasher, RandomState};

use super::{Facet, Point};

const EMPTY: u32 = u32::MAX;
/// How many places there are between 0 and 1.
const PLACES: f64 = 1e8;
/// From here on, numbers of this width that differ lie at different places.
const APART: f32 = 0.167_772_16;

/// A list of corners, and triangles that name them.
pub(super) struct Weld {
    pub(super) points: Vec<Point>,
    pub(super) faces: Vec<[u32; 3]>,
    slots: Vec<u32>,
    seed: u64,
}

impl Weld {
    pub(super) fn new() -> Self {
        // Somebody who knew the seed could send a model whose corners all fall into one place. No result depends on it.
        let seed = RandomState::new().hash_one(0_u8);
        Self { points: Vec::new(), faces: Vec::new(), slots: vec![EMPTY; 1 << 12], seed }
    }

    pub(super) fn add(&mut self, facets: &[Facet]) {
        self.faces.reserve(facets.len());
        for facet in facets {
            let [a, b, c] = facet.corners;
            let face = [self.number(a), self.number(b), self.number(c)];
            self.faces.push(face);
        }
    }

    /// Makes room in memory: what comes now is looked up no more.
    pub(super) fn seal(&mut self) {
        self.slots = Vec::new();
    }

    fn number(&mut self, point: Point) -> u32 {
        let key = point.map(place);
        if self.points.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = self.slot(key, mask);
        loop {
            let found = self.slots[at];
            if found == EMPTY {
                let number = self.points.len() as u32;
                self.slots[at] = number;
                // There is a negative zero, and it is at the same place.
                self.points.push(point.map(|x| x + 0.0));
                return number;
            }
            if self.points[found as usize].map(place) == key {
                return found;
            }
            at = (at + 1) & mask;
        }
    }

    fn slot(&self, key: [u32; 3], mask: usize) -> usize {
        let [x, y, z] = key.map(u64::from);
        let once = fold((x | (y << 32)) ^ self.seed, 0x9e37_79b9_7f4a_7c15 ^ z);
        fold(once ^ z, self.seed | 1) as usize & mask
    }

    fn grow(&mut self) {
        let len = self.slots.len() * 4;
        self.slots.clear();
        self.slots.resize(len, EMPTY);
        for (point, number) in self.points.iter().zip(0..) {
            let mut at = self.slot(point.map(place), len - 1);
            while self.slots[at] != EMPTY {
                at = (at + 1) & (len - 1);
            }
            self.slots[at] = number;
        }
    }
}

/// Names the place of a number on an axis: near zero by counting places, elsewhere by its bits, which are more than any such count.
fn place(x: f32) -> u32 {
    if x.abs() < APART {
        let places = (f64::from(x) * PLACES).round() as i32;
        let sign = if places < 0 { 1 << 31 } else { 0 };
        sign | places.unsigned_abs()
    } else {
        x.to_bits()
    }
}

/// Both halves of a product, one over the other.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_are_one_where_eight_digits_are() {
        let mut weld = Weld::new();
        let first = weld.number([0.0, 0.1, 7.0]);
        for same in [[-0.0, 0.1, 7.0], [3.1e-17, 0.1, 7.0], [-4.9e-9, 0.1, 7.0]] {
            assert_eq!(weld.number(same), first, "{same:?}");
        }
        let others = [
            [1.1e-8, 0.1, 7.0],
            [-1.1e-8, 0.1, 7.0],
            [0.0, 0.100_000_02, 7.0],
            [0.0, -0.1, 7.0],
            [0.0, 0.1, 7.000_000_5],
            [0.0, 0.1, -7.0],
            [APART, 0.1, 7.0],
            [APART.next_down(), 0.1, 7.0],
            [f32::MAX, f32::MIN, f32::MIN_POSITIVE],
        ];
        for (other, number) in others.into_iter().zip(first + 1..) {
            assert_eq!(weld.number(other), number, "{other:?}");
        }
    }
}
