//! Kinds of files.

/// What a file is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declared {
    /// STL, of either kind.
    Stl,
    /// Wavefront OBJ.
    Obj,
    /// 3MF.
    ThreeMf,
}

impl Declared {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Stl, Self::Obj, Self::ThreeMf];

    /// Its name, which is also how names of such files end.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stl => "stl",
            Self::Obj => "obj",
            Self::ThreeMf => "3mf",
        }
    }

    /// What a file of that name is, by its ending.
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(ending))
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// STL of fixed records.
    StlBinary,
    /// STL as text.
    StlAscii,
    /// Wavefront OBJ.
    Obj,
    /// 3MF: an archive with XML in it.
    ThreeMf,
}

impl Format {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::StlBinary, Self::StlAscii, Self::Obj, Self::ThreeMf];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::StlBinary => "stl-binary",
            Self::StlAscii => "stl-ascii",
            Self::Obj => "obj",
            Self::ThreeMf => "3mf",
        }
    }

    /// The one of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// What such a file is said to be.
    pub fn declared(self) -> Declared {
        match self {
            Self::StlBinary | Self::StlAscii => Declared::Stl,
            Self::Obj => Declared::Obj,
            Self::ThreeMf => Declared::ThreeMf,
        }
    }
}
