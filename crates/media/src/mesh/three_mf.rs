//! 3MF: an archive whose parts are XML, in which objects are meshes or made of other objects, and a list says what is to be built.

use std::{
    collections::HashMap,
    io::{BufReader, Read, Seek},
};

use zip::ZipArchive;

use super::{
    Facet, Fault, Point,
    read::Batch,
    xml::{Tag, Tags},
};

/// Most files in a package.
const FILES: usize = 10_000;
/// Most parts that hold objects.
const PARTS: usize = 1_000;
/// How deep objects may be made of objects.
const DEEP: usize = 16;
/// Most objects that are put in a place.
const PLACED: usize = 100_000;
/// The words of the format itself; words of others may be named alike.
const CORE: &str = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02";
/// The extension by which an object lies in another part.
const PRODUCTION: &str = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06";

/// How things are turned and moved: three rows of a matrix and where to.
type Placement = [f64; 12];
const IN_PLACE: Placement = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];

/// Which object of which part.
type Which = (String, u32);

#[derive(Default)]
struct Object {
    points: Vec<Point>,
    triangles: Vec<[u32; 3]>,
    components: Vec<(Which, Placement)>,
}

#[derive(Default)]
struct Package {
    objects: HashMap<Which, Object>,
    build: Vec<(Which, Placement)>,
    unit: f64,
    vertices: u64,
    triangles: u64,
}

pub(super) fn read(from: impl Read + Seek, batch: &mut Batch<'_>) -> Result<(), Fault> {
    let mut archive = ZipArchive::new(from).map_err(refused)?;
    if archive.len() > FILES {
        return Err(Fault::Package("it holds too many files"));
    }
    let mut left = batch.limits.unpacked;
    let root = root(&mut archive, &mut left, batch.limits.unpacked)?;
    let mut package = Package::default();
    let mut waiting = vec![root.clone()];
    let mut seen = vec![root.clone()];
    while let Some(part) = waiting.pop() {
        for other in package.read(&mut archive, &part, part == root, &mut left, batch)? {
            if !seen.contains(&other) {
                if seen.len() >= PARTS {
                    return Err(Fault::Package("it has too many parts"));
                }
                seen.push(other.clone());
                waiting.push(other);
            }
        }
    }
    batch.unit = Some(package.unit);
    batch.solids = u64::try_from(package.build.len()).unwrap_or(u64::MAX);
    let mut placed = 0;
    for (which, placement) in &package.build {
        package.place(which, placement, DEEP, &mut placed, batch)?;
    }
    Ok(())
}

/// The part that the package begins with.
fn root(archive: &mut ZipArchive<impl Read + Seek>, left: &mut u64, most: u64) -> Result<String, Fault> {
    let mut found = None;
    if archive.index_for_name("_rels/.rels").is_some() {
        let mut tags = Tags::new(open(archive, "_rels/.rels", left, most)?);
        while let Some(tag) = tags.next().map_err(broken)? {
            let kind = tag.get("Type").unwrap_or_default();
            if tag.name == "Relationship" && kind.ends_with("/2013/01/3dmodel") {
                found = tag.get("Target").map(part_name);
            }
        }
    }
    Ok(found.unwrap_or_else(|| "3D/3dmodel.model".to_owned()))
}

fn part_name(path: &str) -> String {
    path.trim_start_matches('/').to_owned()
}

/// A file of the archive, that counts what it unpacks to against what is left of it for the whole package.
fn open<'a>(
    archive: &'a mut ZipArchive<impl Read + Seek>,
    name: &str,
    left: &'a mut u64,
    most: u64,
) -> Result<BufReader<Counted<'a, impl Read + 'a>>, Fault> {
    let file = archive.by_name(name).map_err(refused)?;
    if file.encrypted() {
        return Err(Fault::Package("it is encrypted"));
    }
    Ok(BufReader::with_capacity(1 << 16, Counted { file, left, most }))
}

struct Counted<'a, R> {
    file: R,
    left: &'a mut u64,
    most: u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        let rest = self.left.checked_sub(u64::try_from(count).unwrap_or(u64::MAX));
        *self.left = rest.ok_or_else(|| std::io::Error::other(Grown(self.most)))?;
        Ok(count)
    }
}

/// It unpacks to more than is allowed.
#[derive(Debug, thiserror::Error)]
#[error("more than {0} bytes")]
struct Grown(u64);

/// What went wrong while a part was read: the archive's fault, where it is not that of the disk.
fn broken(fault: Fault) -> Fault {
    let Fault::Read(error) = fault else { return fault };
    if let Some(Grown(most)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return Fault::Bomb { most: *most };
    }
    match error.kind() {
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput => Fault::Package("a part of it is damaged"),
        _ => Fault::Read(error),
    }
}

fn refused(error: zip::result::ZipError) -> Fault {
    match error {
        zip::result::ZipError::Io(error) => broken(error.into()),
        zip::result::ZipError::FileNotFound => Fault::Package("a part that it names is not there"),
        zip::result::ZipError::UnsupportedArchive(_) => Fault::Package("it is packed in a way that is not read"),
        _ => Fault::Package("it is no archive"),
    }
}

impl Package {
    /// Reads a part and gives the other parts that it names. Only the first one says what is built.
    fn read(
        &mut self,
        archive: &mut ZipArchive<impl Read + Seek>,
        part: &str,
        first: bool,
        left: &mut u64,
        batch: &Batch<'_>,
    ) -> Result<Vec<String>, Fault> {
        let mut tags = Tags::new(open(archive, part, left, batch.limits.unpacked)?);
        let mut others = Vec::new();
        let (mut core, mut production) = (String::new(), "p:".to_owned());
        let mut scale = 1.0;
        let mut open: Option<(u32, Object)> = None;
        while let Some(tag) = tags.next().map_err(broken)? {
            for (name, value) in tag.attributes() {
                let prefix = name.strip_prefix("xmlns:");
                match prefix {
                    Some(prefix) if value == CORE => core = format!("{prefix}:"),
                    Some(prefix) if value == PRODUCTION => production = format!("{prefix}:"),
                    _ => {}
                }
            }
            let name = tag.name.strip_prefix(&*core).unwrap_or(tag.name);
            if tag.closes {
                if name == "object"
                    && let Some((id, object)) = open.take()
                {
                    self.objects.insert((part.to_owned(), id), object);
                }
                continue;
            }
            let elsewhere = || {
                let path = tag.attributes().find(|(name, _)| name.strip_prefix(&*production) == Some("path"));
                path.map_or_else(|| part.to_owned(), |(_, path)| part_name(path))
            };
            match (name, &mut open) {
                ("model", _) => {
                    scale = unit(tag.get("unit").unwrap_or("millimeter"))?;
                    if first {
                        self.unit = scale;
                    }
                }
                ("object", _) if !tag.alone => open = Some((id(&tag, "id")?, Object::default())),
                ("vertex", Some((_, object))) => {
                    self.vertices += 1;
                    if self.vertices > batch.limits.vertices {
                        return Err(Fault::TooManyVertices { most: batch.limits.vertices });
                    }
                    object.points.push(vertex(&tag, scale)?);
                }
                ("triangle", Some((_, object))) => {
                    self.triangles += 1;
                    batch.announce(self.triangles)?;
                    object.triangles.push([id(&tag, "v1")?, id(&tag, "v2")?, id(&tag, "v3")?]);
                }
                ("component", Some((_, object))) => {
                    let which = (elsewhere(), id(&tag, "objectid")?);
                    others.push(which.0.clone());
                    object.components.push((which, placement(&tag, scale)?));
                    if object.components.len() > PLACED {
                        return Err(Fault::Package("it places too many objects"));
                    }
                }
                ("item", None) if first => {
                    let which = (elsewhere(), id(&tag, "objectid")?);
                    others.push(which.0.clone());
                    self.build.push((which, placement(&tag, scale)?));
                    if self.build.len() > PLACED {
                        return Err(Fault::Package("it places too many objects"));
                    }
                }
                _ => {}
            }
        }
        others.sort_unstable();
        others.dedup();
        Ok(others)
    }

    fn place(
        &self,
        which: &Which,
        placement: &Placement,
        deep: usize,
        placed: &mut usize,
        batch: &mut Batch<'_>,
    ) -> Result<(), Fault> {
        *placed += 1;
        if *placed > PLACED {
            return Err(Fault::Package("it places too many objects"));
        }
        let object = self.objects.get(which).ok_or(Fault::Package("an object that it names is not there"))?;
        let mirrored = determinant(placement) < 0.0;
        for triangle in &object.triangles {
            let mut corners = [[0.0; 3]; 3];
            for (corner, number) in corners.iter_mut().zip(triangle) {
                let point = usize::try_from(*number).ok().and_then(|at| object.points.get(at));
                let point = point.ok_or(Fault::Package("a triangle names a vertex that is not there"))?;
                *corner = moved(*point, placement);
            }
            if mirrored {
                corners.swap(1, 2);
            }
            batch.push(Facet::of(corners))?;
        }
        let deep = deep.checked_sub(1).ok_or(Fault::Package("objects are made of each other without an end"))?;
        for (which, inner) in &object.components {
            self.place(which, &joined(inner, placement), deep, placed, batch)?;
        }
        Ok(())
    }
}

/// Millimetres of a unit.
fn unit(name: &str) -> Result<f64, Fault> {
    Ok(match name {
        "micron" => 0.001,
        "millimeter" => 1.0,
        "centimeter" => 10.0,
        "inch" => 25.4,
        "foot" => 304.8,
        "meter" => 1000.0,
        _ => return Err(Fault::Package("its unit is not known")),
    })
}

fn id(tag: &Tag<'_>, name: &str) -> Result<u32, Fault> {
    tag.get(name).and_then(|value| value.trim().parse().ok()).ok_or(Fault::Package("a number is missing in it"))
}

fn vertex(tag: &Tag<'_>, scale: f64) -> Result<Point, Fault> {
    let mut point = [None; 3];
    for (name, value) in tag.attributes() {
        let axis = match name {
            "x" => 0,
            "y" => 1,
            "z" => 2,
            _ => continue,
        };
        let value: Option<f64> = value.trim().parse().ok();
        if let Some(place) = point.get_mut(axis) {
            *place = value.map(|value| narrow(value * scale));
        }
    }
    match point {
        [Some(x), Some(y), Some(z)] => Ok([x, y, z]),
        _ => Err(Fault::Package("a vertex has three numbers")),
    }
}

fn placement(tag: &Tag<'_>, scale: f64) -> Result<Placement, Fault> {
    let Some(text) = tag.get("transform") else { return Ok(IN_PLACE) };
    let numbers: Option<Vec<f64>> = text.split_whitespace().map(|word| word.parse().ok()).collect();
    let numbers = numbers.and_then(|numbers| Placement::try_from(numbers).ok());
    let [a, b, c, d, e, f, g, h, i, x, y, z] = numbers.ok_or(Fault::Package("a transform has twelve numbers"))?;
    Ok([a, b, c, d, e, f, g, h, i, x * scale, y * scale, z * scale])
}

fn moved(point: Point, placement: &Placement) -> Point {
    let [a, b, c, d, e, f, g, h, i, x, y, z] = placement;
    let [p, q, r] = point.map(f64::from);
    [narrow(p * a + q * d + r * g + x), narrow(p * b + q * e + r * h + y), narrow(p * c + q * f + r * i + z)]
}

/// First the one, then the other.
fn joined(first: &Placement, then: &Placement) -> Placement {
    let [a, b, c, d, e, f, g, h, i, x, y, z] = then;
    let turn = |p: f64, q: f64, r: f64| [p * a + q * d + r * g, p * b + q * e + r * h, p * c + q * f + r * i];
    let [fa, fb, fc, fd, fe, ff, fg, fh, fi, fx, fy, fz] = *first;
    let ([a1, b1, c1], [d1, e1, f1]) = (turn(fa, fb, fc), turn(fd, fe, ff));
    let ([g1, h1, i1], [x1, y1, z1]) = (turn(fg, fh, fi), turn(fx, fy, fz));
    [a1, b1, c1, d1, e1, f1, g1, h1, i1, x1 + x, y1 + y, z1 + z]
}

fn determinant([a, b, c, d, e, f, g, h, i, ..]: &Placement) -> f64 {
    a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "single precision is what all formats share"
)]
fn narrow(number: f64) -> f32 {
    number as f32
}
