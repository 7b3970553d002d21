//! Corners at the same place made one: each gets a number, in the order in which they come.

use std::hash::{BuildHasher, RandomState};

use super::{Facet, Point};

const EMPTY: u32 = u32::MAX;

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
        // There is a negative zero, and it is at the same place.
        let point = point.map(|x| x + 0.0);
        if self.points.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let bits = point.map(f32::to_bits);
        let mask = self.slots.len() - 1;
        let mut at = self.place(point, mask);
        loop {
            let found = self.slots[at];
            if found == EMPTY {
                let number = self.points.len() as u32;
                self.slots[at] = number;
                self.points.push(point);
                return number;
            }
            if self.points[found as usize].map(f32::to_bits) == bits {
                return found;
            }
            at = (at + 1) & mask;
        }
    }

    fn place(&self, point: Point, mask: usize) -> usize {
        let [x, y, z] = point.map(|x| u64::from(x.to_bits()));
        let once = fold((x | (y << 32)) ^ self.seed, 0x9e37_79b9_7f4a_7c15 ^ z);
        fold(once ^ z, self.seed | 1) as usize & mask
    }

    fn grow(&mut self) {
        let len = self.slots.len() * 4;
        self.slots.clear();
        self.slots.resize(len, EMPTY);
        for (point, number) in self.points.iter().zip(0..) {
            let mut at = self.place(*point, len - 1);
            while self.slots[at] != EMPTY {
                at = (at + 1) & (len - 1);
            }
            self.slots[at] = number;
        }
    }
}

/// Both halves of a product, one over the other.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}
