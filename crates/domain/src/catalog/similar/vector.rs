//! A vector in few bytes: each number is one byte, as part of the greatest.

/// The bytes of a vector.
pub type VectorBytes = Vec<i8>;

/// A direction. How long it was is forgotten.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector {
    bytes: VectorBytes,
    /// One by the length of the bytes as a vector.
    scale: f32,
}

impl Vector {
    /// The direction of these numbers; `None` when they have none.
    pub fn of(numbers: &[f32]) -> Option<Self> {
        let greatest = numbers.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
        if !greatest.is_finite() || greatest <= 0.0 {
            return None;
        }
        Self::from_bytes(numbers.iter().map(|number| small(number / greatest)).collect())
    }

    /// The vector of stored bytes; `None` when all are zero.
    pub fn from_bytes(bytes: VectorBytes) -> Option<Self> {
        let square = dot(&bytes, &bytes);
        if square == 0 {
            return None;
        }
        let scale = narrow(1.0 / f64::from(square).sqrt());
        Some(Self { bytes, scale })
    }

    /// How near another is, at most 1: the cosine of the angle between them.
    pub fn nearness(&self, other: &Self) -> f32 {
        cosine(self, &other.bytes, other.scale)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[i8] {
        &self.bytes
    }

    /// One by the length of its bytes as a vector.
    pub fn scale(&self) -> f32 {
        self.scale
    }
}

/// The sum of the products of two vectors of one length.
fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}

/// The cosine of the angle between a vector and the one of these bytes.
pub(super) fn cosine(asked: &Vector, row: &[i8], scale: f32) -> f32 {
    narrow(f64::from(dot(&asked.bytes, row)) * f64::from(scale) * f64::from(asked.scale))
}

#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "lies between -127 and 127 by then")]
fn small(part: f32) -> i8 {
    (part * 127.0).round().clamp(-127.0, 127.0) as i8
}

#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "so many digits are not needed")]
fn narrow(number: f64) -> f32 {
    number as f32
}
