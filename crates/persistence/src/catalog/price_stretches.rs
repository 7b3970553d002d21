//! A range of prices as stretches of counted buckets and the two edges that no bucket covers.

/// The widths of the buckets, as powers of two: level 0 holds 64 minor units, each further one 64 times as many.
const SHIFT: i64 = 6;

/// `from..=to`; empty when `to` is less than `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) to: i64,
}

const EMPTY: Stretch = Stretch { from: 1, to: 0 };

/// Always the same number of parts, so that the statement's text is always the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PriceStretches {
    /// Prices to be counted one by one, at most 63 at each end.
    pub(super) edges: [Stretch; 2],
    /// Prices that whole buckets cover.
    pub(super) covered: Stretch,
    /// Buckets to be summed, with their level.
    pub(super) buckets: [(i32, Stretch); 5],
}

impl PriceStretches {
    /// The parts of `lo..=hi`.
    pub(super) fn of(lo: i64, hi: i64) -> Self {
        let mut parts = Self {
            edges: [EMPTY; 2],
            covered: EMPTY,
            buckets: [(0, EMPTY), (0, EMPTY), (1, EMPTY), (1, EMPTY), (2, EMPTY)],
        };
        if lo > hi {
            return parts;
        }
        let Some(level0) = inner(lo, hi + 1) else {
            parts.edges[0] = Stretch { from: lo, to: hi };
            return parts;
        };
        parts.covered = Stretch { from: level0.0 << SHIFT, to: (level0.1 << SHIFT) - 1 };
        parts.edges =
            [Stretch { from: lo, to: parts.covered.from - 1 }, Stretch { from: parts.covered.to + 1, to: hi }];
        let Some(level1) = inner(level0.0, level0.1) else {
            parts.buckets[0].1 = Stretch { from: level0.0, to: level0.1 - 1 };
            return parts;
        };
        parts.buckets[0].1 = Stretch { from: level0.0, to: (level1.0 << SHIFT) - 1 };
        parts.buckets[1].1 = Stretch { from: level1.1 << SHIFT, to: level0.1 - 1 };
        let Some(level2) = inner(level1.0, level1.1) else {
            parts.buckets[2].1 = Stretch { from: level1.0, to: level1.1 - 1 };
            return parts;
        };
        parts.buckets[2].1 = Stretch { from: level1.0, to: (level2.0 << SHIFT) - 1 };
        parts.buckets[3].1 = Stretch { from: level2.1 << SHIFT, to: level1.1 - 1 };
        parts.buckets[4].1 = Stretch { from: level2.0, to: level2.1 - 1 };
        parts
    }
}

/// The buckets that lie wholly within `from..to`, as another such range; `None` when there is none.
fn inner(from: i64, to: i64) -> Option<(i64, i64)> {
    let first = (from + (1 << SHIFT) - 1) >> SHIFT;
    let end = to >> SHIFT;
    (first < end).then_some((first, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a price is counted by the parts.
    fn times(parts: &PriceStretches, price: i64) -> usize {
        let within = |stretch: &Stretch, n: i64| (stretch.from..=stretch.to).contains(&n);
        parts.edges.iter().filter(|edge| within(edge, price)).count()
            + parts.buckets.iter().filter(|(level, stretch)| within(stretch, price >> (6 * (level + 1)))).count()
    }

    #[test]
    fn every_price_within_is_counted_once_and_none_outside() {
        let ends = [0, 1, 63, 64, 65, 127, 128, 4095, 4096, 4097, 8191, 262_143, 262_144, 262_145, 600_000, 1_000_000];
        for lo in ends {
            for hi in ends {
                let parts = PriceStretches::of(lo, hi);
                for price in ends.into_iter().flat_map(|end| [end - 1, end, end + 1]).filter(|price| *price >= 0) {
                    assert_eq!(times(&parts, price), usize::from(lo <= price && price <= hi), "{price} in {lo}..={hi}");
                }
                assert!(parts.edges.iter().all(|edge| edge.to - edge.from < 127), "{lo}..={hi}");
            }
        }
    }
}
