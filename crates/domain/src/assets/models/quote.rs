//! What it costs to print a model: plastic, time of a machine, and setting it up.
//!
//! Geometry is measured in binary fractions and rounded up once, to whole milligrams and seconds; from there on everything is whole
//! numbers, and each price is rounded up to a whole minor unit.

use super::Findings;
use crate::{
    error::{Error, Result, Violations},
    money::Amount,
};

/// How thick walls are printed, in millimetres.
const WALL: f64 = 1.2;
/// How much of the room below what hangs over supports fill.
const SUPPORT: f64 = 0.15;
/// The layer height at which a machine is as fast as the tariff says, in micrometres.
const USUAL_LAYER: f64 = 200.0;

/// Something to print with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Material {
    /// Its name, such as `pla`.
    pub name: String,
    /// Milligrams of a cubic centimetre.
    pub density: u32,
    /// What a kilogram costs.
    pub kilogram: Amount,
}

/// What an operator asks for printing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tariff {
    /// What can be printed with.
    pub materials: Vec<Material>,
    /// What an hour of a machine costs.
    pub hour: Amount,
    /// What each order costs beside.
    pub setup: Amount,
    /// Cubic millimetres that a machine prints in a minute, at layers of 0.2 mm.
    pub flow: u32,
    /// Seconds it takes to begin a layer.
    pub layer: u32,
}

impl Default for Tariff {
    fn default() -> Self {
        let material =
            |name: &str, density, kilogram| Material { name: name.to_owned(), density, kilogram: Amount(kilogram) };
        Self {
            materials: vec![
                material("pla", 1_240, 2_500),
                material("petg", 1_270, 2_800),
                material("abs", 1_040, 3_000),
            ],
            hour: Amount(200),
            setup: Amount(300),
            flow: 480,
            layer: 2,
        }
    }
}

/// What somebody wants printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteInput {
    /// With what.
    pub material: String,
    /// The height of a layer, in micrometres: 50 to 600.
    pub layer: u32,
    /// How much of the inside is filled, of 100.
    pub infill: u8,
    /// Whether supports are printed below what hangs over.
    pub supports: bool,
    /// How many pieces: 1 to 10000.
    pub quantity: u32,
}

/// What it costs, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// Layers of a piece.
    pub layers: u64,
    /// Milligrams of plastic in a piece.
    pub milligrams: u64,
    /// How long a machine is busy with a piece, in seconds.
    pub seconds: u64,
    /// The plastic of a piece.
    pub material: Amount,
    /// The machine for a piece.
    pub machine: Amount,
    /// Setting it up, once.
    pub setup: Amount,
    /// All pieces.
    pub total: Amount,
}

/// What it costs to print a model.
///
/// # Errors
/// [`Error::Invalid`] for what is wished; [`Error::Unprocessable`] when the volume of the model is not known for certain.
pub fn quote(findings: &Findings, tariff: &Tariff, wished: &QuoteInput) -> Result<Quote> {
    let mut violations = Violations::default();
    let material = tariff.materials.iter().find(|material| material.name == wished.material);
    if material.is_none() {
        let names: Vec<_> = tariff.materials.iter().map(|material| &*material.name).collect();
        violations.add("material", "unknown", format!("must be one of {}", names.join(", ")));
    }
    let mut within = |field, value: u32, low, high| {
        if !(low..=high).contains(&value) {
            violations.add(field, "range", format!("must be {low} to {high}"));
        }
    };
    within("layerHeight", wished.layer, 50, 600);
    within("infill", u32::from(wished.infill), 0, 100);
    within("quantity", wished.quantity, 1, 10_000);
    violations.into_result()?;
    let material = material.ok_or_else(|| Error::internal("checked"))?;
    match &findings.shape {
        None => return Err(uncertain("the model has too many triangles to know whether it is closed")),
        Some(shape) if !shape.closed() => return Err(uncertain("the model is not closed, so it has no volume")),
        Some(_) => {}
    }

    let volume = findings.volume.abs();
    let walls = volume.min(findings.area * WALL);
    let inside = (volume - walls) * f64::from(wished.infill) / 100.0;
    let below = if wished.supports { findings.overhang.unwrap_or_default() * SUPPORT } else { 0.0 };
    let plastic = walls + inside + below;
    // A milligram for a cubic centimetre is a thousandth of one for a cubic millimetre.
    let milligrams = whole(plastic * f64::from(material.density) / 1000.0)?;
    let [_, _, height] = findings.size();
    let layers = whole(height * 1000.0 / f64::from(wished.layer))?.max(1);
    let flow = f64::from(tariff.flow.max(1)) / 60.0 * f64::from(wished.layer) / USUAL_LAYER;
    let begun = layers.checked_mul(u64::from(tariff.layer)).ok_or_else(beyond)?;
    let seconds = whole(plastic / flow)?.checked_add(begun).ok_or_else(beyond)?;

    let of = |count: u64, each: Amount, parts: i128| {
        let exact = i128::from(count) * i128::from(each.0);
        (exact + parts - 1) / parts
    };
    let plastic = of(milligrams, material.kilogram, 1_000_000);
    let machine = of(seconds, tariff.hour, 3600);
    let total = i128::from(tariff.setup.0) + (plastic + machine) * i128::from(wished.quantity);
    let amount = |value: i128| i64::try_from(value).map(Amount).map_err(|_| beyond());
    Ok(Quote {
        layers,
        milligrams,
        seconds,
        material: amount(plastic)?,
        machine: amount(machine)?,
        setup: tariff.setup,
        total: amount(total)?,
    })
}

fn uncertain(why: &str) -> Error {
    Error::Unprocessable(format!("This cannot be quoted: {why}"))
}

fn beyond() -> Error {
    uncertain("it is too large")
}

/// Rounded up to a whole number, of numbers that binary fractions hold exactly.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is not within these bounds is refused"
)]
fn whole(number: f64) -> Result<u64> {
    let up = number.ceil();
    if (0.0..9_007_199_254_740_992.0).contains(&up) { Ok(up as u64) } else { Err(beyond()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::models::Shape;

    /// A cube of 20 mm.
    fn cube() -> Findings {
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
        Findings {
            triangles: 12,
            low: [0.0; 3],
            high: [20.0; 3],
            area: 2400.0,
            volume: 8000.0,
            solids: 1,
            unit: None,
            shape: Some(shape),
            warnings: Vec::new(),
            overhang: Some(0.0),
        }
    }

    fn wished() -> QuoteInput {
        QuoteInput { material: "pla".to_owned(), layer: 200, infill: 20, supports: true, quantity: 3 }
    }

    #[test]
    fn a_cube_costs_its_plastic_and_its_time() {
        let quote = quote(&cube(), &Tariff::default(), &wished()).unwrap();
        // Walls 2400 x 1.2 = 2880 mm3, inside (8000 - 2880) x 0.2 = 1024 mm3; 3904 mm3 x 1.24 mg.
        assert_eq!((quote.milligrams, quote.layers), (4_841, 100));
        // 3904 mm3 at 8 mm3/s, and 100 layers of 2 s.
        assert_eq!(quote.seconds, 688);
        // 4.841 g of 25.00 a kilogram, 688 s of 2.00 an hour, each rounded up.
        assert_eq!((quote.material, quote.machine), (Amount(13), Amount(39)));
        assert_eq!(quote.total, Amount(300 + 3 * (13 + 39)));
    }

    #[test]
    fn what_is_inside_out_costs_the_same_and_what_is_fine_takes_longer() {
        let mut turned = cube();
        turned.volume = -8000.0;
        let usual = quote(&cube(), &Tariff::default(), &wished()).unwrap();
        assert_eq!(quote(&turned, &Tariff::default(), &wished()).unwrap(), usual);
        let fine = quote(&cube(), &Tariff::default(), &QuoteInput { layer: 100, ..wished() }).unwrap();
        assert_eq!((fine.layers, fine.milligrams), (200, usual.milligrams));
        assert!(fine.seconds > usual.seconds && fine.total > usual.total);
        let full = quote(&cube(), &Tariff::default(), &QuoteInput { infill: 100, ..wished() }).unwrap();
        assert_eq!(full.milligrams, 9_920, "8000 mm3 and no more");
    }

    #[test]
    fn supports_are_paid_for_when_they_are_wished() {
        let mut over = cube();
        over.overhang = Some(1000.0);
        let with = quote(&over, &Tariff::default(), &wished()).unwrap();
        let without = quote(&over, &Tariff::default(), &QuoteInput { supports: false, ..wished() }).unwrap();
        assert_eq!(with.milligrams - without.milligrams, 186, "150 mm3 of 1.24 mg");
    }

    #[test]
    fn what_has_no_certain_volume_is_not_quoted() {
        let mut open = cube();
        open.shape = Some(Shape { watertight: false, boundary_edges: 3, ..cube().shape.unwrap() });
        let mut unknown = cube();
        unknown.shape = None;
        let mut huge = cube();
        (huge.volume, huge.area) = (1e30, 1e30);
        for findings in [open, unknown, huge] {
            let refused = quote(&findings, &Tariff::default(), &wished());
            assert!(matches!(refused, Err(Error::Unprocessable(_))), "{refused:?}");
        }
    }

    #[test]
    fn every_wish_out_of_bounds_is_named() {
        let wrong = QuoteInput { material: "gold".to_owned(), layer: 10, infill: 101, supports: false, quantity: 0 };
        let Err(Error::Invalid(violations)) = quote(&cube(), &Tariff::default(), &wrong) else { panic!("refused") };
        let fields: Vec<_> = violations.iter().map(|violation| &*violation.field).collect();
        assert_eq!(fields, ["material", "layerHeight", "infill", "quantity"]);
    }
}
