//! Files of every format, right and wrong, through the whole examination.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::many_single_char_names,
    clippy::format_push_string,
    reason = "a test ends where it cannot go on"
)]

use std::io::{Cursor, Write as _};

use proptest::prelude::*;
use souk_media::mesh::{Declared, Fault, Format, Gate, Limits, Report, Severity, Unit, analyse, depict};
use zip::{ZipWriter, write::SimpleFileOptions};

const CORE: &str = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02";
const SAMPLES: [(&str, &[u8], Format); 6] = [
    ("xyz-cube", include_bytes!("models/xyz-cube.stl"), Format::StlBinary),
    ("featuretype", include_bytes!("models/featuretype.stl"), Format::StlBinary),
    ("cube-invalid-unicode", include_bytes!("models/cube-invalid-unicode.stl"), Format::StlBinary),
    ("star-empty-header", include_bytes!("models/star-empty-header.stl"), Format::StlBinary),
    ("half-donut-ascii", include_bytes!("models/half-donut-ascii.stl"), Format::StlAscii),
    ("two-solids-ascii", include_bytes!("models/two-solids-ascii.stl"), Format::StlAscii),
];

fn examined(bytes: &[u8], format: Format) -> Result<Report, Fault> {
    let limits = Limits { triangles: 10_000, connected: 5_000, vertices: 10_000, unpacked: 1 << 20 };
    analyse(Cursor::new(bytes), format, limits)
}

fn code(bytes: &[u8], format: Format) -> &'static str {
    examined(bytes, format).map_or_else(|fault| fault.code(), |_| "none")
}

/// The corners of a cube of side 10, and its triangles.
const CORNERS: [[f32; 3]; 8] = [
    [0.0, 0.0, 0.0],
    [10.0, 0.0, 0.0],
    [0.0, 10.0, 0.0],
    [10.0, 10.0, 0.0],
    [0.0, 0.0, 10.0],
    [10.0, 0.0, 10.0],
    [0.0, 10.0, 10.0],
    [10.0, 10.0, 10.0],
];
const FACES: [[usize; 3]; 12] = [
    [0, 2, 3],
    [0, 3, 1],
    [4, 5, 7],
    [4, 7, 6],
    [0, 1, 5],
    [0, 5, 4],
    [2, 6, 7],
    [2, 7, 3],
    [0, 4, 6],
    [0, 6, 2],
    [1, 3, 7],
    [1, 7, 5],
];

fn binary(facets: &[[[f32; 3]; 3]]) -> Vec<u8> {
    let mut bytes = vec![0; 80];
    bytes.extend(u32::try_from(facets.len()).unwrap().to_le_bytes());
    for facet in facets {
        bytes.extend([0; 12]);
        bytes.extend(facet.iter().flatten().flat_map(|x| x.to_le_bytes()));
        bytes.extend([0; 2]);
    }
    bytes
}

fn cube() -> Vec<[[f32; 3]; 3]> {
    FACES.iter().map(|face| face.map(|corner| CORNERS[corner])).collect()
}

/// A 3MF of these parts; the first is the one that begins it.
fn package(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn mesh() -> String {
    let vertices = CORNERS.map(|[x, y, z]| format!("<vertex x=\"{x}\" y=\"{y}\" z=\"{z}\" />")).concat();
    let triangles = FACES.map(|[a, b, c]| format!("<triangle v1='{a}' v2='{b}' v3='{c}' pid='1' p1='0'/>")).concat();
    format!("<mesh><vertices>{vertices}</vertices><triangles>{triangles}</triangles></mesh>")
}

fn model(unit: &str, resources: &str, build: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><model unit=\"{unit}\" xmlns=\"{CORE}\" \
         xmlns:p=\"http://schemas.microsoft.com/3dmanufacturing/production/2015/06\">\
         <metadata name=\"Title\">a &lt;cube&gt;</metadata><resources>{resources}</resources><build>{build}</build></model>"
    )
}

const PART: &str = "3D/3dmodel.model";

#[test]
fn samples_are_what_their_makers_say() {
    for (name, bytes, format) in SAMPLES {
        let mut gate = Gate::new(Declared::Stl, 10_000);
        gate.push(bytes).unwrap();
        assert_eq!(gate.finish().unwrap(), format, "{name}");
        let report = examined(bytes, format).unwrap();
        let topology = report.topology.unwrap();
        assert!(topology.watertight(), "{name}");
        let solids = if name == "two-solids-ascii" { 2 } else { 1 };
        assert_eq!((report.solids, topology.shells), (solids, solids), "{name}");
        assert_eq!(report.unit, Unit::Assumed);
    }
}

#[test]
fn the_same_cube_is_the_same_in_every_format() {
    let mut text = "v 9 9 9\n# corners first\n".to_owned();
    for [x, y, z] in CORNERS {
        text += &format!("v {x} {y} {z} 1.0\nvt 0 0\n");
    }
    // Faces of four corners, told from either end, and one over two lines.
    for [a, b, c, d] in [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2]] {
        text += &format!("f {}/1 {}//2 {} {}\n", a + 2, b + 2, c + 2, i64::from(d) - 8);
    }
    text += "f 3 5 \\\n 9 7\n";
    let built = model("centimeter", &format!("<object id=\"1\">{}</object>", mesh()), "<item objectid=\"1\"/>");
    for (bytes, format, scale) in [
        (binary(&cube()), Format::StlBinary, 1.0),
        (text.into_bytes(), Format::Obj, 1.0),
        (package(&[(PART, &built)]), Format::ThreeMf, 10.0),
    ] {
        let report = examined(&bytes, format).unwrap();
        let measures = report.measures;
        assert_eq!(measures.triangles, 12, "{format:?}");
        assert!((measures.volume / (1000.0 * f64::powi(scale, 3)) - 1.0).abs() < 1e-6, "{format:?} {measures:?}");
        assert!((measures.area / (600.0 * f64::powi(scale, 2)) - 1.0).abs() < 1e-6, "{format:?} {measures:?}");
        assert!(report.topology.unwrap().closed(), "{format:?}");
        assert!(report.problems.is_empty(), "{format:?} {:?}", report.problems);
    }
}

#[test]
fn what_is_wrong_with_a_shape_is_counted() {
    let found = |facets: &[[[f32; 3]; 3]]| {
        let report = examined(&binary(facets), Format::StlBinary).unwrap();
        let named: Vec<_> = report.problems.iter().map(|problem| (problem.code, problem.count)).collect();
        assert!(report.problems.windows(2).all(|two| two[0].severity >= two[1].severity));
        named
    };
    let mut open = cube();
    open.pop();
    assert_eq!(found(&open), [("NOT_WATERTIGHT", 3)]);
    let mut turned = cube();
    turned[3].swap(0, 1);
    assert_eq!(found(&turned), [("INCONSISTENT_WINDING", 3)]);
    let inside_out: Vec<_> = cube().into_iter().map(|[a, b, c]| [a, c, b]).collect();
    assert_eq!(found(&inside_out), [("INSIDE_OUT", 1)]);
    let mut twice = cube();
    twice.push(twice[0]);
    assert_eq!(found(&twice), [("NON_MANIFOLD_EDGES", 3), ("DUPLICATE_FACETS", 1)]);
    let mut flat = cube();
    flat.push([CORNERS[0], CORNERS[0], CORNERS[1]]);
    assert_eq!(found(&flat), [("DEGENERATE_FACETS", 1)], "what collapses changes nothing else");
    let small = cube().into_iter().map(|facet| facet.map(|corner| corner.map(|x| x / 4.0 + 3.0)));
    let hollow: Vec<_> = cube().into_iter().chain(small.map(|[a, b, c]| [a, c, b])).collect();
    assert_eq!(found(&hollow), [("INWARD_SHELLS", 1), ("SEVERAL_SHELLS", 2)]);
    let tiny: Vec<_> = cube().into_iter().map(|facet| facet.map(|corner| corner.map(|x| x / 1000.0))).collect();
    assert_eq!(found(&tiny), [("TINY", 1)]);
    let report =
        analyse(Cursor::new(binary(&cube())), Format::StlBinary, Limits { connected: 11, ..Limits::default() });
    let report = report.unwrap();
    assert_eq!((report.topology, report.problems[0].code), (None, "NOT_ANALYSED"));
    assert_eq!(report.problems[0].severity, Severity::Warning);
}

#[test]
fn what_is_no_model_says_why() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut facets = cube();
        facets[6][1][2] = value;
        let fault = examined(&binary(&facets), Format::StlBinary).unwrap_err();
        assert_eq!(fault.to_string(), "Facet 7 has a vertex that is not finite");
    }
    let whole = binary(&cube());
    assert_eq!(code(&whole[..whole.len() - 1], Format::StlBinary), "TRUNCATED");
    assert_eq!(code(&[&whole[..], b"x"].concat(), Format::StlBinary), "BAD_PACKAGE");
    for (text, expected) in [
        ("solid a\nendsolid", "NO_FACETS"),
        ("solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nendloop", "SYNTAX"),
        ("solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 x", "SYNTAX"),
        ("solid a\nfacet normal 0 0 1\n", "TRUNCATED"),
        ("solid a\nendsolid\nmore", "SYNTAX"),
    ] {
        assert_eq!(code(text.as_bytes(), Format::StlAscii), expected, "{text}");
    }
    for (text, expected) in [
        ("v 0 0 0\n", "NO_FACETS"),
        ("v 0 0\n", "SYNTAX"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n", "SYNTAX"),
        ("v 0 0 0\nv 1 0 0\nf 1 2\n", "SYNTAX"),
        ("v 0 0 0\n<script>\n", "SYNTAX"),
        ("v 0 0 0\nv 1 0 0\nv 0 nan 0\nf 1 2 3\n", "NOT_FINITE"),
    ] {
        assert_eq!(code(text.as_bytes(), Format::Obj), expected, "{text}");
    }
    let points = "v 0 0 0\n".repeat(10_001);
    assert_eq!(code(points.as_bytes(), Format::Obj), "TOO_MANY_VERTICES");
    assert_eq!(code(&binary(&vec![cube()[0]; 10_001]), Format::StlBinary), "TOO_MANY_TRIANGLES");
}

#[test]
fn objects_are_placed_where_they_are_said_to_be() {
    // Two cubes: one moved, one mirrored in another part of the package, as printing programs write it.
    let first = model(
        "millimeter",
        "<object id=\"2\"><components><component objectid=\"1\" p:path=\"/3D/cube.model\" transform=\"1 0 0 0 1 0 0 0 1 20 0 0\"/>\
         <component objectid=\"1\" p:path=\"/3D/cube.model\" transform=\"-1 0 0 0 1 0 0 0 1 0 0 0\"/></components></object>",
        "<item objectid=\"2\" transform=\"2 0 0 0 2 0 0 0 2 0 0 5\"/>",
    );
    let second = model("millimeter", &format!("<object id=\"1\">{}</object>", mesh()), "");
    let rels = "<Relationships><Relationship Target=\"/3D/first.model\" Id=\"r\" \
                Type=\"http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel\"/></Relationships>";
    let bytes = package(&[("_rels/.rels", rels), ("3D/first.model", &first), ("3D/cube.model", &second)]);
    let report = examined(&bytes, Format::ThreeMf).unwrap();
    assert_eq!((report.measures.low, report.measures.high), ([-20.0, 0.0, 5.0], [60.0, 20.0, 25.0]));
    assert!((report.measures.volume - 16_000.0).abs() < 1e-6, "a mirrored part is not inside out");
    assert!(report.topology.unwrap().closed());
    assert_eq!(report.unit, Unit::Stated(1.0));
}

#[test]
fn a_package_that_grows_or_goes_in_circles_is_refused() {
    let cubes = format!("<object id=\"1\">{}</object>", mesh());
    let long = model("millimeter", &format!("{cubes}{}", " ".repeat(2 << 20)), "<item objectid=\"1\"/>");
    let packed = package(&[(PART, &long)]);
    assert!(packed.len() < 10_000);
    assert_eq!(code(&packed, Format::ThreeMf), "BOMB");
    let circle = "<object id=\"1\"><components><component objectid=\"1\"/></components></object>";
    assert_eq!(
        code(&package(&[(PART, &model("inch", circle, "<item objectid=\"1\"/>"))]), Format::ThreeMf),
        "BAD_PACKAGE"
    );
    // Each object is made of ten of the one before.
    let mut nested = cubes.clone();
    for id in 2..10 {
        let parts = format!("<component objectid=\"{}\"/>", id - 1).repeat(10);
        nested += &format!("<object id=\"{id}\"><components>{parts}</components></object>");
    }
    let nested = model("millimeter", &nested, "<item objectid=\"9\"/>");
    assert_eq!(code(&package(&[(PART, &nested)]), Format::ThreeMf), "TOO_MANY_TRIANGLES");
    for (text, expected) in [
        (model("millimeter", &cubes, ""), "NO_FACETS"),
        (model("parsec", &cubes, "<item objectid=\"1\"/>"), "BAD_PACKAGE"),
        (model("millimeter", &cubes, "<item objectid=\"7\"/>"), "BAD_PACKAGE"),
        (format!("<!DOCTYPE model [<!ENTITY a \"b\">]>{}", model("inch", &cubes, "")), "BAD_PACKAGE"),
    ] {
        assert_eq!(code(&package(&[(PART, &text)]), Format::ThreeMf), expected, "{text:.60}");
    }
    assert_eq!(code(&package(&[("other.txt", "nothing")]), Format::ThreeMf), "BAD_PACKAGE");
    assert_eq!(code(b"PK\x03\x04 nothing", Format::ThreeMf), "BAD_PACKAGE");
}

/// A ball of `n` rows of triangles.
fn ball(n: u16) -> Vec<[[f32; 3]; 3]> {
    let point = |row: u16, column: u16| {
        let (down, around) = (f32::from(row) / f32::from(n), f32::from(column % (2 * n)) / f32::from(n));
        let (down, around) = (down * std::f32::consts::PI, around * std::f32::consts::PI);
        let radius = if row == 0 || row == n { 0.0 } else { down.sin() };
        [radius * around.cos() * 25.0, radius * around.sin() * 25.0, if row == n { -25.0 } else { down.cos() * 25.0 }]
    };
    let mut facets = Vec::new();
    for row in 0..n {
        for column in 0..2 * n {
            let [a, b, c, d] =
                [point(row, column), point(row + 1, column), point(row + 1, column + 1), point(row, column + 1)];
            if row + 1 < n {
                facets.push([a, b, c]);
            }
            if row > 0 {
                facets.push([a, c, d]);
            }
        }
    }
    facets
}

#[test]
fn pictures_and_copies_are_the_same_every_time_and_look_like_the_model() {
    let bytes = binary(&ball(200));
    let limits = Limits::default();
    let report = analyse(Cursor::new(&bytes), Format::StlBinary, limits).unwrap();
    assert!(report.topology.unwrap().closed() && report.measures.triangles > 150_000);
    let seen = depict(Cursor::new(&bytes), Format::StlBinary, limits, &report.measures).unwrap();
    assert_eq!(depict(Cursor::new(&bytes), Format::StlBinary, limits, &report.measures).unwrap(), seen);
    for (picture, side) in seen.previews.iter().zip([960_u32, 480, 160]) {
        assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n") && picture.ends_with(b"IEND\xae\x42\x60\x82"));
        assert_eq!(picture[16..24], [side.to_be_bytes(), side.to_be_bytes()].concat());
    }
    assert!((20_000..=60_000).contains(&seen.triangles), "{}", seen.triangles);
    // What the copy encloses is what the model does.
    let length = usize::try_from(u32::from_le_bytes(seen.glb[12..16].try_into().unwrap())).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&seen.glb[20..20 + length]).unwrap();
    let data = &seen.glb[28 + length..];
    let view = |n: usize, field: &str| usize::try_from(json["bufferViews"][n][field].as_u64().unwrap_or(0)).unwrap();
    let floats: Vec<f64> = data[..view(0, "byteLength")]
        .chunks_exact(4)
        .map(|four| f64::from(f32::from_le_bytes(four.try_into().unwrap())))
        .collect();
    let wide = json["accessors"][1]["componentType"] == 5125;
    let numbers = &data[view(1, "byteOffset")..view(1, "byteOffset") + view(1, "byteLength")];
    let numbers: Vec<usize> = numbers
        .chunks_exact(if wide { 4 } else { 2 })
        .map(|few| few.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
        .collect();
    let mut six = 0.0;
    for face in numbers.chunks_exact(3) {
        let [a, b, c] = [face[0], face[1], face[2]].map(|at| [floats[at * 3], floats[at * 3 + 1], floats[at * 3 + 2]]);
        six += a[0] * (b[1] * c[2] - b[2] * c[1])
            + a[1] * (b[2] * c[0] - b[0] * c[2])
            + a[2] * (b[0] * c[1] - b[1] * c[0]);
    }
    let kept = six / 6.0 / report.measures.volume;
    assert!((0.98..1.02).contains(&kept), "{kept}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever a file holds, it is a model or says why not.
    #[test]
    fn nothing_makes_it_panic(
        sample in 0..8_usize,
        cut in 0..10_000_usize,
        changes in prop::collection::vec((0..20_000_usize, any::<u8>()), 0..12),
        format in 0..4_usize,
    ) {
        let built = package(&[(PART, &model("inch", &format!("<object id=\"1\">{}</object>", mesh()), "<item objectid=\"1\"/>"))]);
        let text = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\nf -1 -2 -3\n".repeat(20);
        let mut bytes = match sample {
            6 => built,
            7 => text,
            n => SAMPLES[n].1.to_vec(),
        };
        for (at, byte) in changes {
            let length = bytes.len();
            bytes[at % length] = byte;
        }
        if cut < bytes.len() / 2 {
            bytes.truncate(cut);
        }
        for declared in Declared::ALL {
            let mut gate = Gate::new(declared, 10_000);
            if gate.push(&bytes).is_ok() {
                let _ = gate.finish();
            }
        }
        let format = if cut % 2 == 0 { Format::ALL[format] } else { [Format::StlBinary, Format::StlAscii, Format::ThreeMf, Format::Obj][match sample { 6 => 2, 7 => 3, 4 | 5 => 1, _ => 0 }] };
        if let Ok(report) = examined(&bytes, format) {
            let small = Limits { triangles: 10_000, ..Limits::default() };
            if report.measures.triangles < 300 && cut % 16 == 0 {
                depict(Cursor::new(&bytes), format, small, &report.measures).unwrap();
            }
        }
    }
}
