//! What stands between a model and a good print.

use super::{Measures, Topology};

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// It may print badly.
    Warning,
    /// It will not print as it looks.
    Error,
}

impl Severity {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// A name for programs.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How often it was found.
    pub count: u64,
}

/// Below this length in all directions something is more likely told in other units than meant to be so small.
const TINY: f64 = 1.0;
/// Above this length no common printer prints in one piece.
const HUGE: f64 = 1_000.0;

/// What is wrong with a model, the worst first.
pub(super) fn problems(measures: &Measures, topology: Option<&Topology>) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut note = |code, severity, count| {
        if count > 0 {
            found.push(Problem { code, severity, count });
        }
    };
    match topology {
        Some(topology) => {
            note("NOT_WATERTIGHT", Severity::Error, topology.boundary);
            note("NON_MANIFOLD_EDGES", Severity::Error, topology.non_manifold);
            note("INCONSISTENT_WINDING", Severity::Error, topology.inconsistent);
            let inside_out = topology.closed() && measures.volume < 0.0;
            note("INSIDE_OUT", Severity::Error, u64::from(inside_out));
            note("DUPLICATE_FACETS", Severity::Warning, topology.duplicate);
            // Hollows are turned inwards too.
            let inward = if inside_out { 0 } else { topology.inverted_shells };
            note("INWARD_SHELLS", Severity::Warning, inward);
            note("SEVERAL_SHELLS", Severity::Info, if topology.shells > 1 { topology.shells } else { 0 });
        }
        None => note("NOT_ANALYSED", Severity::Warning, measures.triangles),
    }
    note("NORMALS_DISAGREE", Severity::Warning, measures.turned);
    note("DEGENERATE_FACETS", Severity::Warning, measures.flat);
    let longest = measures.size().into_iter().fold(0.0, f64::max);
    note("TINY", Severity::Warning, u64::from(longest < TINY));
    note("HUGE", Severity::Warning, u64::from(longest > HUGE));
    note("COLOURED", Severity::Info, measures.coloured);
    found.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    found
}
