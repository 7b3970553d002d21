//! The whole examination of a file.

use std::io::{Read, Seek};

use super::{
    Fault, Format, Limits, Measures, Problem, Topology, each, problem::problems, topology::topology, weld::Weld,
};

/// Where the length of a unit is from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unit {
    /// The file says nothing; millimetres are taken for granted, as printers do.
    Assumed,
    /// The file says how many millimetres a unit of it has. Everything is told in millimetres.
    Stated(f64),
}

/// What is known of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What can be summed up.
    pub measures: Measures,
    /// How it hangs together; nothing when it has more triangles than that is found out for.
    pub topology: Option<Topology>,
    /// Solids or objects that the file names.
    pub solids: u64,
    /// What its numbers mean.
    pub unit: Unit,
    /// What stands between it and a good print, the worst first.
    pub problems: Vec<Problem>,
}

/// Reads a file once and says all that is to be known of it.
///
/// # Errors
/// What is wrong with the file.
pub fn analyse(source: impl Read + Seek, format: Format, limits: Limits) -> Result<Report, Fault> {
    let mut measures = Measures::default();
    let mut weld = Some(Weld::new());
    let contents = each(source, format, limits, &mut |facets| {
        measures.add(facets)?;
        if measures.triangles > limits.connected {
            weld = None;
        }
        if let Some(weld) = &mut weld {
            weld.add(facets);
        }
        Ok(())
    })?;
    let topology = weld.map(|mut weld| {
        weld.seal();
        topology(&weld)
    });
    let problems = problems(&measures, topology.as_ref());
    let unit = contents.unit.map_or(Unit::Assumed, Unit::Stated);
    Ok(Report { measures, topology, solids: contents.solids, unit, problems })
}
