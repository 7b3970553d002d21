//! Why a file is no model.

use super::Format;

/// Why a file is no model. `Display` is for whoever sent it, and holds nothing of the file but numbers.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is no kind of model that is known.
    #[error("The file is no STL, OBJ or 3MF model")]
    Unknown,
    /// It is another kind of model than was said.
    #[error("The file was said to be {declared}, and is {found}")]
    Mismatch {
        /// What was said.
        declared: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// It is something else as well.
    #[error("The file begins like a file of another kind")]
    Foreign,
    /// It ends before it is over.
    #[error("The file is cut off: {expected} bytes were to come, and {found} came")]
    Truncated {
        /// Bytes that it says it has.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// A text or archive that has no end.
    #[error("The file is cut off: its end is missing")]
    NoEnd,
    /// Something follows its end.
    #[error("The file goes on after its end: {expected} bytes were to come, and {found} came")]
    TooLong {
        /// Bytes that it says it has.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// It holds no triangle.
    #[error("The model has no facets")]
    NoFacets,
    /// More triangles than are read.
    #[error("The model has more than {most} triangles")]
    TooManyTriangles {
        /// The most.
        most: u64,
    },
    /// More corners than are held.
    #[error("The model has more than {most} vertices")]
    TooManyVertices {
        /// The most.
        most: u64,
    },
    /// A coordinate is not a number, or endless.
    #[error("Facet {facet} has a vertex that is not finite")]
    NotFinite {
        /// Which, from 1 on.
        facet: u64,
    },
    /// A text that does not read as its format.
    #[error("Line {line}: {what}")]
    Syntax {
        /// Which, from 1 on.
        line: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A package that does not read as 3MF.
    #[error("The 3MF package cannot be read: {0}")]
    Package(&'static str),
    /// A package that grows beyond measure when it is unpacked.
    #[error("The 3MF package unpacks to more than {most} bytes")]
    Bomb {
        /// The most.
        most: u64,
    },
    /// The file could not be read; another attempt may succeed.
    #[error("The file could not be read")]
    Read(#[source] std::io::Error),
}

impl Fault {
    /// A name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN_FORMAT",
            Self::Mismatch { .. } => "FORMAT_MISMATCH",
            Self::Foreign => "FOREIGN_CONTENT",
            Self::Truncated { .. } | Self::NoEnd => "TRUNCATED",
            Self::TooLong { .. } => "TOO_LONG",
            Self::NoFacets => "NO_FACETS",
            Self::TooManyTriangles { .. } => "TOO_MANY_TRIANGLES",
            Self::TooManyVertices { .. } => "TOO_MANY_VERTICES",
            Self::NotFinite { .. } => "NOT_FINITE",
            Self::Syntax { .. } => "SYNTAX",
            Self::Package(_) => "BAD_PACKAGE",
            Self::Bomb { .. } => "BOMB",
            Self::Read(_) => "UNREADABLE",
        }
    }

    /// Whether the same file can fare better another time.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Read(_))
    }

    pub(super) fn mismatch(declared: super::Declared, found: Format) -> Self {
        Self::Mismatch { declared: declared.name(), found: found.name() }
    }
}

/// What ends too early is the file's fault, everything else is that of whoever reads it.
impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::UnexpectedEof { Self::NoEnd } else { Self::Read(error) }
    }
}
