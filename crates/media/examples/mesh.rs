//! Examines a file of triangles and says what it found as JSON: `mesh [--metrics] [--depict FOLDER] [--rounds N] FILE..`.
//!
//! `--metrics` stops at what can be summed up, `--depict` writes the previews and the small copy too. With rounds, the median
//! time of reading and examining is said, and the most memory the process held.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a tool that stops where it cannot go on")]

use std::{
    fs::File,
    io::{BufReader, Read, Seek},
    path::PathBuf,
    time::Instant,
};

use serde_json::{Value, json};
use souk_media::mesh::{Declared, Fault, Format, Gate, Limits, Measures, PREVIEWS, Report, analyse, depict, each};

fn main() {
    let (mut metrics, mut folder, mut rounds) = (false, None, 1_u32);
    let mut files = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match &*word {
            "--metrics" => metrics = true,
            "--depict" => folder = words.next().map(PathBuf::from),
            "--rounds" => rounds = words.next().and_then(|n| n.parse().ok()).expect("a number of rounds"),
            _ => files.push(word),
        }
    }
    for name in files {
        let said = match examine(&name, metrics, folder.as_ref(), rounds) {
            Ok(said) => said,
            Err(fault) => json!({ "file": name, "fault": fault.code(), "message": fault.to_string() }),
        };
        println!("{said}");
    }
}

fn examine(name: &str, metrics: bool, folder: Option<&PathBuf>, rounds: u32) -> Result<Value, Fault> {
    let mut file = File::open(name)?;
    let format = admit(&mut file, name)?;
    let limits = Limits::default();
    let mut times = Vec::new();
    let mut said = Value::Null;
    for _ in 0..rounds {
        let begin = Instant::now();
        if metrics {
            let mut measures = Measures::default();
            each(&mut file, format, limits, &mut |facets| measures.add(facets))?;
            times.push(begin.elapsed().as_secs_f64());
            said = sums(&measures);
        } else {
            let report = analyse(&mut file, format, limits)?;
            times.push(begin.elapsed().as_secs_f64());
            said = whole(&report);
            if let Some(folder) = folder {
                let begin = Instant::now();
                let seen = depict(&mut file, format, limits, &report.measures)?;
                said["depictSeconds"] = json!(begin.elapsed().as_secs_f64());
                said["copyTriangles"] = json!(seen.triangles);
                said["overhang"] = json!(seen.overhang);
                for (picture, side) in seen.previews.iter().zip(PREVIEWS) {
                    std::fs::write(folder.join(format!("{side}.png")), picture)?;
                }
                std::fs::write(folder.join("model.glb"), &seen.glb)?;
            }
        }
    }
    times.sort_by(f64::total_cmp);
    said["file"] = json!(name);
    said["format"] = json!(format.name());
    said["seconds"] = json!(times.get(times.len() / 2));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    said["peak"] = json!(peak.map(str::trim));
    Ok(said)
}

fn admit(file: &mut File, name: &str) -> Result<Format, Fault> {
    let mut gate = Gate::new(Declared::of_name(name).ok_or(Fault::Unknown)?, Limits::default().triangles);
    let mut reader = BufReader::new(&mut *file);
    let mut piece = vec![0; 1 << 16];
    loop {
        let count = reader.read(&mut piece)?;
        let (bytes, _) = piece.split_at(count);
        gate.push(bytes)?;
        if count == 0 {
            break;
        }
    }
    file.rewind()?;
    gate.finish()
}

fn sums(measures: &Measures) -> Value {
    json!({
        "triangles": measures.triangles,
        "low": measures.low,
        "high": measures.high,
        "area": measures.area,
        "volume": measures.volume,
        "turned": measures.turned,
        "flat": measures.flat,
        "coloured": measures.coloured,
    })
}

fn whole(report: &Report) -> Value {
    let mut said = sums(&report.measures);
    said["solids"] = json!(report.solids);
    said["problems"] = report
        .problems
        .iter()
        .map(|problem| json!({ "code": problem.code, "severity": problem.severity.name(), "count": problem.count }))
        .collect();
    if let Some(topology) = &report.topology {
        said["watertight"] = json!(topology.watertight());
        said["vertices"] = json!(topology.vertices);
        said["edges"] = json!(topology.edges);
        said["boundary"] = json!(topology.boundary);
        said["nonManifold"] = json!(topology.non_manifold);
        said["inconsistent"] = json!(topology.inconsistent);
        said["shells"] = json!(topology.shells);
        said["invertedShells"] = json!(topology.inverted_shells);
        said["collapsed"] = json!(topology.collapsed);
        said["duplicate"] = json!(topology.duplicate);
    }
    said
}
