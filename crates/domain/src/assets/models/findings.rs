//! What is known of a model that was measured. Lengths are in millimetres.

use serde::{Deserialize, Serialize};

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// Triangles.
    pub triangles: u64,
    /// The lowest coordinates.
    pub low: [f64; 3],
    /// The highest.
    pub high: [f64; 3],
    /// The area of the surface.
    pub area: f64,
    /// What the surface encloses; below zero when it is inside out. It means nothing unless the surface is closed.
    pub volume: f64,
    /// Solids or objects that the file names.
    pub solids: u64,
    /// Millimetres of a unit, where the file says so; otherwise millimetres are taken for granted.
    pub unit: Option<f64>,
    /// How it hangs together; `None` when it has more triangles than that is found out for.
    pub shape: Option<Shape>,
    /// What stands between it and a good print, the worst first.
    pub warnings: Vec<Warning>,
    /// The room below what hangs over, down to the plate, which supports fill at most; known once it was drawn.
    pub overhang: Option<f64>,
}

/// What the numbers of a file mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unit {
    /// The file says nothing; millimetres are taken for granted.
    Assumed,
    /// The file says how many millimetres a unit of it has.
    Stated(f64),
}

impl Findings {
    /// What the numbers of the file mean.
    pub fn unit(&self) -> Unit {
        self.unit.map_or(Unit::Assumed, Unit::Stated)
    }

    /// The lengths along the axes.
    pub fn size(&self) -> [f64; 3] {
        let (low, high) = (self.low, self.high);
        [high[0] - low[0], high[1] - low[1], high[2] - low[2]]
    }
}

/// How a model hangs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    /// Whether each edge belongs to exactly two triangles.
    pub watertight: bool,
    /// Corners at places of their own.
    pub vertices: u64,
    /// Edges.
    pub edges: u64,
    /// Edges of one triangle only.
    pub boundary_edges: u64,
    /// Edges of more than two.
    pub non_manifold_edges: u64,
    /// Edges whose two triangles turn opposite ways.
    pub inconsistent_edges: u64,
    /// Parts that hang together.
    pub shells: u64,
    /// Closed parts that are inside out: hollows, or mistakes.
    pub inverted_shells: u64,
    /// Triangles two of whose corners are at one place.
    pub collapsed: u64,
    /// Triangles that another one with the same corners came before.
    pub duplicate: u64,
}

impl Shape {
    /// Whether it encloses a volume.
    pub fn closed(&self) -> bool {
        self.watertight && self.inconsistent_edges == 0
    }
}

/// Something that stands between a model and a good print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// A name for programs, such as `NOT_WATERTIGHT`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// How often it was found.
    pub count: u64,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// It may print badly.
    Warning,
    /// It will not print as it looks.
    Error,
}
