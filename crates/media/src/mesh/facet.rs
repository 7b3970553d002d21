//! A triangle as files tell it, and the little geometry that all need.

/// A corner. Files of triangles hold single precision; all sums are double.
pub type Point = [f32; 3];

/// A point or direction to calculate with.
pub(super) type Vector = [f64; 3];

/// A triangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facet {
    /// Its corners, against the clock when seen from outside.
    pub corners: [Point; 3],
    /// The direction that the file says is outside; all zero where it says none.
    pub normal: Point,
    /// Its colour, where it has one of its own.
    pub colour: Option<[u8; 3]>,
}

impl Facet {
    /// A triangle of which nothing but its corners is known.
    pub fn of(corners: [Point; 3]) -> Self {
        Self { corners, normal: [0.0; 3], colour: None }
    }
}

pub(super) fn wide(p: Point) -> Vector {
    [f64::from(p[0]), f64::from(p[1]), f64::from(p[2])]
}

pub(super) fn sub(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(super) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// Twice the area of a triangle, as a direction: where outside is.
pub(super) fn span([a, b, c]: [Vector; 3]) -> Vector {
    cross(sub(b, a), sub(c, a))
}

/// Six times the volume between a triangle and the origin.
pub(super) fn wedge([a, b, c]: [Vector; 3]) -> f64 {
    dot(a, cross(b, c))
}
