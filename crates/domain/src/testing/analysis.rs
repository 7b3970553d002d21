//! An examination of models that reads no model: what a text says of itself is believed.

use async_trait::async_trait;

use crate::{
    assets::models::{
        Declared, Fault, Findings, ModelFormat, Shape,
        ports::{Analysis, Depiction, Gate, Source, Verdict},
    },
    error::Result,
};

/// Believes texts: one with `bad` in it is refused at the gate, `broken` cannot be measured, `shy` cannot be drawn; everything else
/// is a cube of 20 mm.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainAnalysis;

struct PlainGate(Declared, Vec<u8>);

impl Gate for PlainGate {
    fn push(&mut self, piece: &[u8]) -> Verdict<()> {
        self.1.extend_from_slice(piece);
        if says(&self.1, "bad") { Err(fault("BAD")) } else { Ok(()) }
    }

    fn finish(&mut self) -> Verdict<ModelFormat> {
        match self.0 {
            _ if self.1.is_empty() => Err(fault("EMPTY")),
            Declared::Stl => Ok(ModelFormat::StlBinary),
            Declared::Obj => Ok(ModelFormat::Obj),
            Declared::ThreeMf => Ok(ModelFormat::ThreeMf),
        }
    }
}

#[async_trait]
impl Analysis for PlainAnalysis {
    fn gate(&self, declared: Declared) -> Box<dyn Gate> {
        Box::new(PlainGate(declared, Vec::new()))
    }

    async fn measure(&self, source: Source) -> Result<Verdict<Findings>> {
        let text = read(&source).await?;
        let shape = Shape {
            watertight: true,
            vertices: 8,
            edges: 18,
            boundary_edges: 0,
            non_manifold_edges: 0,
            inconsistent_edges: 0,
            shells: 1,
            inverted_shells: 0,
            collapsed: 0,
            duplicate: 0,
        };
        let cube = Findings {
            triangles: 12,
            low: [0.0; 3],
            high: [20.0; 3],
            area: 2400.0,
            volume: 8000.0,
            solids: 1,
            unit: None,
            shape: Some(shape),
            warnings: Vec::new(),
            overhang: None,
        };
        Ok(if says(&text, "broken") { Err(fault("BROKEN")) } else { Ok(cube) })
    }

    async fn depict(&self, source: Source, _: &Findings) -> Result<Verdict<Depiction>> {
        let text = read(&source).await?;
        if says(&text, "shy") {
            return Ok(Err(fault("SHY")));
        }
        let made = |kind: &str| [kind.as_bytes(), b" of ", &text].concat();
        let renditions = [made("large"), made("medium"), made("small"), made("copy")];
        Ok(Ok(Depiction { renditions, overhang: 0.0 }))
    }
}

async fn read(source: &Source) -> Result<Vec<u8>> {
    let mut chunks = source.room.open(&source.held, None).await?;
    let mut all = Vec::new();
    while let Some(piece) = chunks.next().await? {
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

fn says(text: &[u8], word: &str) -> bool {
    text.windows(word.len()).any(|part| part == word.as_bytes())
}

fn fault(code: &str) -> Fault {
    Fault { code: code.to_owned(), message: "It says so itself".to_owned() }
}
