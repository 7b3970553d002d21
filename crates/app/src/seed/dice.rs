//! Numbers that look random and follow from a seed (`SplitMix64`).

/// The step of the sequence: 2^64 divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A sequence of numbers.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// The sequence of one number of a seed; those of neighbours have nothing in common.
    pub(super) fn new(seed: u64, number: u64) -> Self {
        let seed = Self(seed).next();
        let number = Self(number).next();
        Self(seed ^ number.rotate_left(32))
    }

    /// A number below `end`; 0 when there is none.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or_default()
    }

    /// One of these.
    pub(super) fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let count = u64::try_from(of.len()).unwrap_or(1);
        let place = usize::try_from(self.below(count)).unwrap_or_default();
        of.get(place).copied().unwrap_or_default()
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
