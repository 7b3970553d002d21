//! glTF 2.0 in one binary file: corners and triangles, nothing else. A viewer shades it by its facets.

use super::clusters::Simple;

/// The file. Z is up in files for printers and Y in glTF, so the model is turned.
pub(super) fn glb(mesh: &Simple) -> std::io::Result<Vec<u8>> {
    let turned: Vec<[f32; 3]> = mesh.points.iter().map(|[x, y, z]| [*x, *z, 0.0 - *y]).collect();
    let (mut low, mut high) = ([f32::INFINITY; 3], [f32::NEG_INFINITY; 3]);
    for point in &turned {
        for ((low, high), x) in low.iter_mut().zip(&mut high).zip(point) {
            *low = low.min(*x);
            *high = high.max(*x);
        }
    }
    let mut bytes: Vec<u8> = turned.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
    let positions = bytes.len();
    let short = u16::try_from(mesh.points.len()).is_ok();
    for corner in mesh.faces.iter().flatten() {
        match u16::try_from(*corner) {
            Ok(corner) if short => bytes.extend(corner.to_le_bytes()),
            _ => bytes.extend(corner.to_le_bytes()),
        }
    }
    let indices = bytes.len() - positions;
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let kind = if short { 5123 } else { 5125 };
    let mut json = format!(
        concat!(
            r#"{{"asset":{{"version":"2.0","generator":"souk"}},"scene":0,"scenes":[{{"nodes":[0]}}],"nodes":[{{"mesh":0}}],"#,
            r#""meshes":[{{"primitives":[{{"attributes":{{"POSITION":0}},"indices":1,"material":0}}]}}],"#,
            r#""materials":[{{"doubleSided":true,"pbrMetallicRoughness":{{"metallicFactor":0.1,"roughnessFactor":0.7}}}}],"#,
            r#""buffers":[{{"byteLength":{total}}}],"bufferViews":[{{"buffer":0,"byteLength":{positions},"target":34962}},"#,
            r#"{{"buffer":0,"byteOffset":{positions},"byteLength":{indices},"target":34963}}],"#,
            r#""accessors":[{{"bufferView":0,"componentType":5126,"count":{points},"type":"VEC3","min":{low:?},"max":{high:?}}},"#,
            r#"{{"bufferView":1,"componentType":{kind},"count":{corners},"type":"SCALAR"}}]}}"#,
        ),
        total = bytes.len(),
        positions = positions,
        indices = indices,
        kind = kind,
        low = low,
        high = high,
        points = turned.len(),
        corners = mesh.faces.len() * 3,
    );
    while json.len() % 4 != 0 {
        json.push(' ');
    }
    let length = |len: usize| u32::try_from(len).map(u32::to_le_bytes).map_err(std::io::Error::other);
    let mut out = b"glTF".to_vec();
    out.extend(2_u32.to_le_bytes());
    out.extend(length(12 + 8 + json.len() + 8 + bytes.len())?);
    out.extend(length(json.len())?);
    out.extend(b"JSON");
    out.extend(json.into_bytes());
    out.extend(length(bytes.len())?);
    out.extend(b"BIN\0");
    out.extend(bytes);
    Ok(out)
}
