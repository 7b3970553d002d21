//! `[models]`: 3D models and what printing them costs.

use domain::{
    assets::models::{Material, Tariff},
    money::{Amount, Currency},
};
use media::mesh::Limits;

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("models.file_max_mib", "512", "The longest file of a 3D model, in MiB."),
    Setting::new("models.triangles_max", "20000000", "Most triangles of a 3D model; files with more are refused."),
    Setting::new(
        "models.connected_max",
        "2000000",
        "Most triangles of which is found out how they hang together, at a hundred bytes each; larger models are measured only.",
    ),
    Setting::new("models.vertices_max", "8000000", "Most vertices of an OBJ or 3MF, at twelve bytes each."),
    Setting::new("models.unpacked_max_mib", "1024", "How much a 3MF may unpack to, in MiB."),
    Setting::new(
        "models.materials",
        "pla:1240:25, petg:1270:28, abs:1040:30",
        "What is printed with: name, milligrams of a cubic centimetre, price of a kilogram.",
    ),
    Setting::new("models.mark_copies", "true", "Whether files tell whom they were granted to, by the id of the grant."),
    Setting::new("models.print_hour", "2", "What an hour of printing costs."),
    Setting::new("models.print_setup", "3", "What each order of prints costs beside."),
    Setting::new("models.print_flow", "480", "Cubic millimetres that are printed in a minute, at layers of 0.2 mm."),
    Setting::new("models.print_layer_seconds", "2", "Seconds it takes to begin a layer."),
];

/// 3D models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Models {
    pub(crate) file_max: u64,
    pub(crate) limits: Limits,
    pub(crate) tariff: Tariff,
    pub(crate) mark_copies: bool,
}

impl Models {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let file_max = reader.number("models.file_max_mib", 1_u64..=10_240).map(|mb| mb << 20);
        let triangles = reader.number("models.triangles_max", 1..=200_000_000);
        let connected = reader.number("models.connected_max", 0..=50_000_000);
        let vertices = reader.number("models.vertices_max", 3..=200_000_000);
        let unpacked = reader.number("models.unpacked_max_mib", 1_u64..=102_400).map(|mb| mb << 20);
        let mark_copies = reader.flag("models.mark_copies");
        let currency = Currency::named(&reader.text("shop.currency"));
        let materials = materials(reader, currency);
        let hour = amount(reader, "models.print_hour", currency);
        let setup = amount(reader, "models.print_setup", currency);
        let flow = reader.number("models.print_flow", 1..=1_000_000);
        let layer = reader.number("models.print_layer_seconds", 0..=3_600);
        Some(Self {
            file_max: file_max?,
            limits: Limits { triangles: triangles?, connected: connected?, vertices: vertices?, unpacked: unpacked? },
            tariff: Tariff { materials: materials?, hour: hour?, setup: setup?, flow: flow?, layer: layer? },
            mark_copies: mark_copies?,
        })
    }
}

fn amount(reader: &mut Reader<'_>, key: &str, currency: Option<Currency>) -> Option<Amount> {
    // A currency that is not known is told where it is set.
    let parsed = currency?.parse(&reader.text(key));
    let amount = parsed.ok().filter(|amount| amount.0 >= 0);
    if amount.is_none() {
        reader.fault(key, "must be an amount of the shop's currency, such as 2.50");
    }
    amount
}

fn materials(reader: &mut Reader<'_>, currency: Option<Currency>) -> Option<Vec<Material>> {
    let currency = currency?;
    let material = |text: &String| {
        let mut parts = text.split(':').map(str::trim);
        let (name, density, price) = (parts.next()?, parts.next()?, parts.next()?);
        let named =
            !name.is_empty() && name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let density = density.parse().ok().filter(|density| (1..=30_000).contains(density))?;
        let kilogram = currency.parse(price).ok().filter(|price| price.0 >= 0)?;
        (named && parts.next().is_none()).then(|| Material { name: name.to_owned(), density, kilogram })
    };
    let read: Option<Vec<_>> = reader.list("models.materials").iter().map(material).collect();
    let distinct = |all: &Vec<Material>| {
        all.iter().enumerate().all(|(at, one)| all.iter().skip(at + 1).all(|other| other.name != one.name))
    };
    let read = read.filter(distinct);
    if read.is_none() {
        reader
            .fault("models.materials", "must be a list of name:milligrams:price, such as pla:1240:25, each name once");
    }
    read
}
