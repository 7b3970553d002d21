//! A model of few triangles that looks like one of many.
//!
//! Space is cut into cubes. All corners in one become one, at the place that lies best on the planes of all triangles that met
//! there (the least sum of squared distances, weighted by area). Triangles whose corners fall together are gone. It runs through
//! the facets once, in any number, and holds only what is left; when that gets to be too much, the cubes become twice as long.

use std::collections::{HashMap, HashSet};

use super::{
    Facet, Point,
    facet::{Vector, dot, span, sub, wide},
};

/// Cubes along an axis at most: a number of one has three times as many bits.
const FINEST: f64 = 1_048_576.0;

/// Triangles that name their corners.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Simple {
    pub(super) points: Vec<Point>,
    pub(super) faces: Vec<[u32; 3]>,
}

/// What is known of the planes that met in a cube, from its middle.
#[derive(Clone, Copy, Default)]
struct Planes {
    /// The upper half of a symmetric matrix: xx, xy, xz, yy, yz, zz.
    matrix: [f64; 6],
    towards: Vector,
    sum: Vector,
    weight: f64,
}

pub(super) struct Clusters {
    low: Vector,
    length: f64,
    most: usize,
    numbers: HashMap<[u32; 3], u32>,
    planes: Vec<Planes>,
    faces: Vec<[u32; 3]>,
    known: HashSet<[u32; 3]>,
}

impl Clusters {
    /// For a model in a box, of a surface of `area`, so that about `most` triangles are left.
    pub(super) fn new(low: Point, size: Vector, area: f64, most: usize) -> Self {
        let longest = size.into_iter().fold(0.0, f64::max);
        // A surface passes through about one and a half cubes for each square of their side, and a closed one has twice as many
        // triangles as corners.
        let length = (3.0 * area / most as f64).sqrt().max(longest / FINEST);
        Self {
            low: wide(low),
            length: if length > 0.0 { length } else { 1.0 },
            most,
            numbers: HashMap::new(),
            planes: Vec::new(),
            faces: Vec::new(),
            known: HashSet::new(),
        }
    }

    pub(super) fn add(&mut self, facets: &[Facet]) {
        for facet in facets {
            let corners = facet.corners.map(wide);
            let outside = span(corners);
            let twice = dot(outside, outside).sqrt();
            if twice == 0.0 {
                continue;
            }
            let normal = outside.map(|x| x / twice);
            let face = corners.map(|corner| self.put(corner, normal, twice));
            self.keep(face);
        }
        while self.faces.len() > self.most * 2 || self.planes.len() > self.most {
            self.coarsen();
        }
    }

    /// The model that is left.
    pub(super) fn finish(mut self) -> Simple {
        while self.faces.len() > self.most {
            self.coarsen();
        }
        let mut points = vec![[0.0; 3]; self.planes.len()];
        for (cube, number) in &self.numbers {
            let best = self.planes[*number as usize].best(self.length / 2.0);
            let middle = self.middle(*cube);
            points[*number as usize] = [0, 1, 2].map(|axis| (middle[axis] + best[axis]) as f32);
        }
        Simple { points, faces: self.faces }
    }

    fn put(&mut self, corner: Vector, normal: Vector, weight: f64) -> u32 {
        let cube = [0, 1, 2].map(|axis| ((corner[axis] - self.low[axis]) / self.length) as u32);
        let from_middle = sub(corner, self.middle(cube));
        let number = self.number(cube);
        let distance = dot(normal, from_middle);
        let [x, y, z] = normal;
        let planes = &mut self.planes[number as usize];
        for (sum, part) in planes.matrix.iter_mut().zip([x * x, x * y, x * z, y * y, y * z, z * z]) {
            *sum += part * weight;
        }
        for axis in 0..3 {
            planes.towards[axis] += normal[axis] * distance * weight;
            planes.sum[axis] += from_middle[axis] * weight;
        }
        planes.weight += weight;
        number
    }

    fn number(&mut self, cube: [u32; 3]) -> u32 {
        let next = self.planes.len() as u32;
        let number = *self.numbers.entry(cube).or_insert(next);
        if number == next {
            self.planes.push(Planes::default());
        }
        number
    }

    fn keep(&mut self, [a, b, c]: [u32; 3]) {
        if a == b || b == c || c == a {
            return;
        }
        let face = match a.min(b).min(c) {
            low if low == a => [a, b, c],
            low if low == b => [b, c, a],
            _ => [c, a, b],
        };
        if self.known.insert(face) {
            self.faces.push(face);
        }
    }

    fn middle(&self, cube: [u32; 3]) -> Vector {
        [0, 1, 2].map(|axis| self.low[axis] + (f64::from(cube[axis]) + 0.5) * self.length)
    }

    /// Makes eight cubes one.
    fn coarsen(&mut self) {
        let mut old: Vec<_> = std::mem::take(&mut self.numbers).into_iter().collect();
        old.sort_unstable_by_key(|(_, number)| *number);
        let planes = std::mem::take(&mut self.planes);
        let faces = std::mem::take(&mut self.faces);
        self.known.clear();
        let middles: Vec<_> = old.iter().map(|(cube, _)| self.middle(*cube)).collect();
        self.length *= 2.0;
        let mut now = Vec::with_capacity(old.len());
        for (((cube, _), planes), was) in old.iter().zip(planes).zip(middles) {
            let cube = cube.map(|at| at / 2);
            let number = self.number(cube);
            let moved = planes.seen_from(sub(was, self.middle(cube)));
            self.planes[number as usize].add(&moved);
            now.push(number);
        }
        for face in faces {
            self.keep(face.map(|corner| now[corner as usize]));
        }
    }
}

impl Planes {
    fn add(&mut self, other: &Self) {
        for (sum, part) in self.matrix.iter_mut().zip(other.matrix) {
            *sum += part;
        }
        for axis in 0..3 {
            self.towards[axis] += other.towards[axis];
            self.sum[axis] += other.sum[axis];
        }
        self.weight += other.weight;
    }

    fn times(&self, [x, y, z]: Vector) -> Vector {
        let [xx, xy, xz, yy, yz, zz] = self.matrix;
        [xx * x + xy * y + xz * z, xy * x + yy * y + yz * z, xz * x + yz * y + zz * z]
    }

    /// The same planes when what they are told from lies elsewhere by this much.
    fn seen_from(&self, by: Vector) -> Self {
        let moved = self.times(by);
        let mut out = *self;
        for axis in 0..3 {
            out.towards[axis] += moved[axis];
            out.sum[axis] += by[axis] * self.weight;
        }
        out
    }

    /// The place nearest to all planes, within the cube. Where they leave a direction open it is near the mean of the corners.
    fn best(&self, half: f64) -> Vector {
        let mean = self.sum.map(|x| x / self.weight);
        let [xx, xy, xz, yy, yz, zz] = self.matrix;
        let pull = 0.002 * (xx + yy + zz);
        let (xx, yy, zz) = (xx + pull, yy + pull, zz + pull);
        let towards = [0, 1, 2].map(|axis| self.towards[axis] + pull * mean[axis]);
        // By cofactors: with the pull it is never singular.
        let cofactors = [
            [yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy],
            [xz * yz - xy * zz, xx * zz - xz * xz, xy * xz - xx * yz],
            [xy * yz - xz * yy, xy * xz - xx * yz, xx * yy - xy * xy],
        ];
        let determinant = xx * cofactors[0][0] + xy * cofactors[0][1] + xz * cofactors[0][2];
        let place = cofactors.map(|row| dot(row, towards) / determinant);
        let found = if place.iter().all(|x| x.is_finite()) { place } else { mean };
        found.map(|x| x.clamp(-half, half))
    }
}
