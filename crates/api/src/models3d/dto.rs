//! 3D models as JSON.

use chrono::{DateTime, Utc};
use domain::{
    assets::models::{
        Findings, Model, ModelPatch, Rendition, RenditionKind, Severity, Shape, Unit, Version, VersionState,
    },
    id::ProductId,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::Fields;

/// A 3D model of a product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model3d)]
#[serde(rename_all = "camelCase")]
pub struct ModelView {
    /// Its id.
    pub id: Uuid,
    /// The product it belongs to.
    pub product_id: Uuid,
    /// The account that sells the product.
    pub seller_id: Uuid,
    /// Its name.
    #[schema(example = "Knob")]
    pub name: String,
    /// The highest number that a version of it ever had.
    #[schema(example = 1, minimum = 1, value_type = i64)]
    pub latest_version: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it or a version of it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<&Model> for ModelView {
    fn from(model: &Model) -> Self {
        Self {
            id: model.id.0,
            product_id: model.product.map(|id| id.0).unwrap_or_default(),
            seller_id: model.seller.0,
            name: model.name.clone(),
            latest_version: model.latest.0,
            created_at: model.created_at,
            updated_at: model.updated_at,
        }
    }
}

/// A change of a model: what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(as = Model3dPatch)]
#[serde(rename_all = "camelCase")]
pub struct ModelPatchBody {
    /// Another name.
    #[schema(example = "Round knob", min_length = 1, max_length = 100, format = "name", nullable = false)]
    pub name: Option<String>,
    /// Another product of the account that sells it.
    #[schema(nullable = false)]
    pub product_id: Option<Uuid>,
}

/// Reads a [`ModelPatchBody`].
pub fn model_patch(fields: &mut Fields<'_>) -> ModelPatch {
    fields.of_a_change();
    let mut patch = ModelPatch::default();
    if let Some(name) = fields.text("name") {
        patch.name(&name, &mut fields.violations);
    }
    if let Some(product) = fields.uuid("productId") {
        patch.product(ProductId(product));
    }
    patch
}

/// A version of a model: one file, and what is known of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model3dVersion)]
#[serde(rename_all = "camelCase")]
pub struct VersionView {
    /// The model.
    pub model_id: Uuid,
    /// Its number among the versions of the model, from 1.
    #[schema(example = 1, minimum = 1, value_type = i64)]
    pub number: u32,
    /// What its file was called.
    #[schema(example = "knob.stl")]
    pub file_name: String,
    /// What its file is.
    #[schema(example = "stl-binary")]
    pub file_format: String,
    /// How long its file is or was.
    #[schema(example = 684, minimum = 0)]
    pub bytes: u64,
    /// The SHA-256 of its file; absent once that was found to be no model.
    #[schema(example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How far it is.
    pub state: VersionStateView,
    /// How much of what is to be done is done, of 100.
    #[schema(example = 100, minimum = 0, maximum = 100)]
    pub progress: u8,
    /// What was measured, as soon as it was. All lengths are in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<FindingsView>,
    /// Why its file is no model, when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultView>,
    /// Pictures of it, the largest first.
    pub previews: Vec<PreviewView>,
    /// A small copy of it to turn around, as glTF in one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<CopyView>,
    /// When it was brought.
    pub created_at: DateTime<Utc>,
    /// When it last got further.
    pub updated_at: DateTime<Utc>,
}

/// How far a version is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model3dVersionState)]
#[serde(rename_all = "lowercase")]
pub enum VersionStateView {
    /// A job looks at it.
    Processing,
    /// All is known of it.
    Ready,
    /// Its file was no model, and is let go.
    Failed,
}

impl From<VersionState> for VersionStateView {
    fn from(state: VersionState) -> Self {
        match state {
            VersionState::Processing => Self::Processing,
            VersionState::Ready => Self::Ready,
            VersionState::Failed => Self::Failed,
        }
    }
}

/// A point or a size, in millimetres.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Point3d)]
pub struct PointView {
    /// To the right.
    #[schema(example = 20.0)]
    pub x: f64,
    /// To the back.
    #[schema(example = 20.0)]
    pub y: f64,
    /// Up.
    #[schema(example = 20.0)]
    pub z: f64,
}

impl From<[f64; 3]> for PointView {
    fn from([x, y, z]: [f64; 3]) -> Self {
        Self { x, y, z }
    }
}

/// What was measured of a model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model3dFindings)]
#[serde(rename_all = "camelCase")]
pub struct FindingsView {
    /// Triangles.
    #[schema(example = 12, minimum = 1)]
    pub triangles: u64,
    /// The lowest coordinates.
    pub low: PointView,
    /// The highest.
    pub high: PointView,
    /// The lengths along the axes.
    pub size: PointView,
    /// The area of the surface, in square millimetres.
    #[schema(example = 2400.0, minimum = 0)]
    pub area: f64,
    /// What the surface encloses, in cubic millimetres. It means nothing unless the surface is closed.
    #[schema(example = 8000.0, minimum = 0)]
    pub volume: f64,
    /// Solids or objects that the file names.
    #[schema(example = 1, minimum = 0)]
    pub solids: u64,
    /// Whether the file says what its numbers mean; millimetres are taken for granted where it does not.
    pub unit: UnitView,
    /// How the model hangs together; absent when it has more triangles than that is found out for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<ShapeView>,
    /// What stands between it and a good print, the worst first.
    pub warnings: Vec<WarningView>,
}

/// What the numbers of a file mean.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model3dUnit)]
pub struct UnitView {
    /// Whether the file says so itself.
    #[schema(example = false)]
    pub stated: bool,
    /// Millimetres of a unit.
    #[schema(example = 1.0)]
    pub millimetres: f64,
}

/// How a model hangs together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model3dShape)]
#[serde(rename_all = "camelCase")]
pub struct ShapeView {
    /// Whether each edge belongs to exactly two triangles.
    #[schema(example = true)]
    pub watertight: bool,
    /// Whether it encloses a volume: watertight, and turned the same way all over.
    #[schema(example = true)]
    pub closed: bool,
    /// Corners at places of their own.
    #[schema(example = 8, minimum = 0)]
    pub vertices: u64,
    /// Edges.
    #[schema(example = 18, minimum = 0)]
    pub edges: u64,
    /// Edges of two triangles.
    #[schema(example = 18, minimum = 0)]
    pub manifold_edges: u64,
    /// Edges of one triangle only: the rims of holes.
    #[schema(example = 0, minimum = 0)]
    pub boundary_edges: u64,
    /// Edges of more than two.
    #[schema(example = 0, minimum = 0)]
    pub non_manifold_edges: u64,
    /// Edges whose two triangles turn opposite ways.
    #[schema(example = 0, minimum = 0)]
    pub inconsistent_edges: u64,
    /// Parts that hang together.
    #[schema(example = 1, minimum = 0)]
    pub shells: u64,
    /// Closed parts that are inside out: hollows, or mistakes.
    #[schema(example = 0, minimum = 0)]
    pub inverted_shells: u64,
    /// Triangles two of whose corners are at one place.
    #[schema(example = 0, minimum = 0)]
    pub collapsed_facets: u64,
    /// Triangles that another one with the same corners came before.
    #[schema(example = 0, minimum = 0)]
    pub duplicate_facets: u64,
}

/// Something that stands between a model and a good print.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model3dWarning)]
pub struct WarningView {
    /// What it is.
    #[schema(example = "NOT_WATERTIGHT")]
    pub code: String,
    /// How bad it is.
    pub severity: SeverityView,
    /// How often it was found.
    #[schema(example = 3, minimum = 1)]
    pub count: u64,
}

/// How bad something is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model3dSeverity)]
#[serde(rename_all = "lowercase")]
pub enum SeverityView {
    /// Good to know.
    Info,
    /// It may print badly.
    Warning,
    /// It will not print as it looks.
    Error,
}

/// Why a file is no model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model3dFault)]
pub struct FaultView {
    /// What it is.
    #[schema(example = "NOT_FINITE")]
    pub code: String,
    /// The reason, for people.
    #[schema(example = "Facet 7 has a vertex that is not finite")]
    pub message: String,
}

/// A picture of a model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model3dPreview)]
pub struct PreviewView {
    /// The length of its sides in pixels.
    #[schema(example = 480)]
    pub side: u32,
    /// Where it is, for good.
    #[schema(example = "/content/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.png")]
    pub url: String,
    /// How long it is.
    #[schema(example = 5120, minimum = 0)]
    pub bytes: u64,
}

/// A small copy of a model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Model3dCopy)]
pub struct CopyView {
    /// Where it is, for good.
    #[schema(example = "/content/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.glb")]
    pub url: String,
    /// How long it is.
    #[schema(example = 996, minimum = 0)]
    pub bytes: u64,
}

impl From<&Version> for VersionView {
    fn from(version: &Version) -> Self {
        let pictures = version
            .renditions
            .iter()
            .filter_map(|made| Some(PreviewView { side: made.kind.side()?, url: address(made), bytes: made.size }));
        let copy = version.rendition(RenditionKind::Copy);
        Self {
            model_id: version.model.0,
            number: version.number.0,
            file_name: version.file_name.clone(),
            file_format: version.format.name().to_owned(),
            bytes: version.size,
            sha256: version.source.map(|digest| digest.to_string()),
            state: version.state.into(),
            progress: version.progress(),
            findings: version.findings.as_ref().map(FindingsView::from),
            fault: version
                .fault
                .as_ref()
                .map(|fault| FaultView { code: fault.code.clone(), message: fault.message.clone() }),
            previews: pictures.collect(),
            copy: copy.map(|made| CopyView { url: address(made), bytes: made.size }),
            created_at: version.created_at,
            updated_at: version.updated_at,
        }
    }
}

fn address(made: &Rendition) -> String {
    let ending = if made.kind == RenditionKind::Copy { "glb" } else { "png" };
    format!("/content/{}.{ending}", made.digest)
}

impl From<&Findings> for FindingsView {
    fn from(findings: &Findings) -> Self {
        let unit = match findings.unit() {
            Unit::Assumed => UnitView { stated: false, millimetres: 1.0 },
            Unit::Stated(millimetres) => UnitView { stated: true, millimetres },
        };
        let warnings = findings.warnings.iter().map(|warning| WarningView {
            code: warning.code.clone(),
            severity: match warning.severity {
                Severity::Info => SeverityView::Info,
                Severity::Warning => SeverityView::Warning,
                Severity::Error => SeverityView::Error,
            },
            count: warning.count,
        });
        Self {
            triangles: findings.triangles,
            low: findings.low.into(),
            high: findings.high.into(),
            size: findings.size().into(),
            area: findings.area,
            volume: findings.volume.abs(),
            solids: findings.solids,
            unit,
            shape: findings.shape.as_ref().map(ShapeView::from),
            warnings: warnings.collect(),
        }
    }
}

impl From<&Shape> for ShapeView {
    fn from(shape: &Shape) -> Self {
        let others = shape.boundary_edges.saturating_add(shape.non_manifold_edges);
        Self {
            watertight: shape.watertight,
            closed: shape.closed(),
            vertices: shape.vertices,
            edges: shape.edges,
            manifold_edges: shape.edges.saturating_sub(others),
            boundary_edges: shape.boundary_edges,
            non_manifold_edges: shape.non_manifold_edges,
            inconsistent_edges: shape.inconsistent_edges,
            shells: shape.shells,
            inverted_shells: shape.inverted_shells,
            collapsed_facets: shape.collapsed,
            duplicate_facets: shape.duplicate,
        }
    }
}

/// A file.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct ModelFile(());
