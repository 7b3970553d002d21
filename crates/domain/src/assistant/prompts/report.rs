//! How the versions of a prompt do: sums over what was asked by them, over the ledger, and over what was said of the answers.

use std::time::Duration;

use super::VersionNumber;
use crate::assistant::Usage;

/// Fewer than these say too little for an interval.
const ENOUGH: u64 = 30;
/// How many standard errors hold 95 of 100.
const Z: f64 = 1.959_964;

/// What was said of the answers of a version by one measure.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricTally {
    /// What is measured.
    pub metric: String,
    /// How often it was.
    pub count: u64,
    /// Of these, as a flag.
    pub flags: u64,
    /// The sum.
    pub sum: f64,
    /// The sum of the squares.
    pub squares: f64,
}

/// How a version did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VersionTally {
    /// Its number.
    pub version: i64,
    /// How often it was asked.
    pub runs: u64,
    /// Of these, those that go on.
    pub open: u64,
    /// Those that were answered.
    pub done: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were refused before a model was asked.
    pub refused: u64,
    /// How long those took together that were answered.
    pub took: Duration,
    /// The calls of models they made.
    pub calls: u64,
    /// The tokens of these.
    pub usage: Usage,
    /// What they cost, in billionths of the currency.
    pub cost: u64,
    /// What was said of the answers.
    pub metrics: Vec<MetricTally>,
}

impl VersionTally {
    /// Its number.
    pub fn number(&self) -> VersionNumber {
        VersionNumber(self.version)
    }

    /// How long an answer took, on the average.
    pub fn usual_time(&self) -> Option<Duration> {
        let done = u32::try_from(self.done).ok().filter(|done| *done > 0)?;
        Some(self.took / done)
    }
}

impl MetricTally {
    /// The average.
    pub fn mean(&self) -> Option<f64> {
        let count = number(self.count)?;
        (count > 0.0).then(|| self.sum / count)
    }

    /// Whether all that was said are flags, so that the average is a share.
    pub fn is_share(&self) -> bool {
        self.flags == self.count
    }

    /// In what the true average lies in 95 of 100 cases; `None` when too little was said. Of a share it is Wilson's, of numbers that of
    /// the normal distribution.
    pub fn interval(&self) -> Option<(f64, f64)> {
        if self.count < ENOUGH {
            return None;
        }
        let (count, mean) = (number(self.count)?, self.mean()?);
        if self.is_share() {
            let square = Z * Z / count;
            let middle = (mean + square / 2.0) / (1.0 + square);
            let half = Z / (1.0 + square) * (mean * (1.0 - mean) / count + square / (4.0 * count)).max(0.0).sqrt();
            return Some(((middle - half).max(0.0), (middle + half).min(1.0)));
        }
        let variance = ((self.squares - self.sum * mean) / (count - 1.0)).max(0.0);
        let half = Z * (variance / count).sqrt();
        Some((mean - half, mean + half))
    }
}

fn number(count: u64) -> Option<f64> {
    u32::try_from(count).ok().map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(values: &[f64], flags: bool) -> MetricTally {
        let count = u64::try_from(values.len()).unwrap();
        MetricTally {
            metric: "success".to_owned(),
            count,
            flags: if flags { count } else { 0 },
            sum: values.iter().sum(),
            squares: values.iter().map(|value| value * value).sum(),
        }
    }

    #[test]
    fn a_share_has_the_interval_of_wilson() {
        // 45 of 50: 0.7864 to 0.9565, as tables have it.
        let mut values = vec![1.0; 45];
        values.resize(50, 0.0);
        let (low, high) = tally(&values, true).interval().unwrap();
        assert!((low - 0.7864).abs() < 0.0001 && (high - 0.9565).abs() < 0.0001, "{low} {high}");
        let (low, high) = tally(&[1.0; 40], true).interval().unwrap();
        assert!(low > 0.9 && low < 1.0 && high <= 1.0, "{low} {high}");
    }

    #[test]
    fn numbers_have_one_around_their_average() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let tally = tally(&values, false);
        let (low, high) = tally.interval().unwrap();
        // The deviation is 29.011, so 1.96 errors are 5.686.
        assert_eq!(tally.mean(), Some(49.5));
        assert!((low - 43.814).abs() < 0.001 && (high - 55.186).abs() < 0.001, "{low} {high}");
    }

    #[test]
    fn a_few_say_too_little() {
        assert_eq!(tally(&[1.0; 29], true).interval(), None);
        assert_eq!(tally(&[], true).mean(), None);
        assert_eq!(VersionTally::default().usual_time(), None);
        let took = VersionTally { done: 4, took: Duration::from_secs(6), ..VersionTally::default() };
        assert_eq!(took.usual_time(), Some(Duration::from_millis(1500)));
    }
}
