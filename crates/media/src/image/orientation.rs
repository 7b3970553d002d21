//! Which way up a picture is, and turning it.

use super::Pixels;

/// Which way up a picture is, by the numbers of Exif: 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orientation(u8);

impl Default for Orientation {
    /// As it lies.
    fn default() -> Self {
        Self(1)
    }
}

impl Orientation {
    /// The orientation of that number.
    pub fn of(number: u16) -> Option<Self> {
        u8::try_from(number).ok().filter(|number| (1..=8).contains(number)).map(Self)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether width and height change places.
    pub fn on_its_side(self) -> bool {
        self.0 >= 5
    }

    /// The picture the right way up.
    pub(super) fn upright(self, picture: Pixels) -> Pixels {
        if self.0 == 1 {
            return picture;
        }
        let (width, height) = (picture.width, picture.height);
        let (across, down) = if self.on_its_side() { (height, width) } else { (width, height) };
        let mut turned = Pixels::sized(across, down);
        for y in 0..down {
            for x in 0..across {
                let (left, top) = match self.0 {
                    2 => (width - 1 - x, y),
                    3 => (width - 1 - x, height - 1 - y),
                    4 => (x, height - 1 - y),
                    5 => (y, x),
                    6 => (y, height - 1 - x),
                    7 => (width - 1 - y, height - 1 - x),
                    _ => (width - 1 - y, x),
                };
                turned.rgb.extend_from_slice(picture.at(left, top));
            }
        }
        turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_turns_as_exif_says() {
        // Two across, three down: a b / c d / e f.
        let rgb: Vec<u8> = b"abcdef".iter().flat_map(|letter| [*letter; 3]).collect();
        let picture = Pixels { width: 2, height: 3, rgb };
        let turned = |number| {
            let turned = Orientation::of(number).unwrap().upright(picture.clone());
            let letters: Vec<u8> = turned.rgb.iter().step_by(3).copied().collect();
            (turned.width, String::from_utf8(letters).unwrap())
        };
        let expected = [
            (2, "abcdef"),
            (2, "badcfe"),
            (2, "fedcba"),
            (2, "efcdab"),
            (3, "acebdf"),
            (3, "ecafdb"),
            (3, "fdbeca"),
            (3, "bdface"),
        ];
        for (number, (width, letters)) in (1..).zip(expected) {
            assert_eq!(turned(number), (width, letters.to_owned()), "{number}");
        }
    }
}
