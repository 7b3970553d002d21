//! What buyers think of a product as JSON.

use domain::catalog::Rating;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::number::number;

/// What buyers think of a product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rating)]
pub struct RatingView {
    /// The mean of all stars, rounded to two digits; null without reviews.
    #[schema(value_type = Option<f64>, example = 4.33, minimum = 1, maximum = 5)]
    pub average: Option<Box<RawValue>>,
    /// How many reviews are shown.
    #[schema(example = 3, minimum = 0)]
    pub count: i64,
}

impl From<Rating> for RatingView {
    fn from(rating: Rating) -> Self {
        // Half up, in whole hundredths: no binary float takes part.
        let average = (rating.count > 0).then(|| {
            let hundredths = (rating.sum * 200 + rating.count) / (rating.count * 2);
            number(format!("{}.{:02}", hundredths / 100, hundredths % 100))
        });
        Self { average, count: rating.count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn average(sum: i64, count: i64) -> Option<String> {
        RatingView::from(Rating { sum, count }).average.map(|raw| raw.get().to_owned())
    }

    #[test]
    fn a_rating_is_rounded_to_two_digits() {
        assert_eq!(average(13, 3).as_deref(), Some("4.33"));
        assert_eq!(average(14, 3).as_deref(), Some("4.67"));
        assert_eq!(average(37, 8).as_deref(), Some("4.63"));
        assert_eq!(average(0, 0), None);
    }
}
