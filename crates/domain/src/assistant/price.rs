//! What tokens cost, and from when until when.

use super::Usage;
use crate::clock::Timestamp;

/// What a deployment costs. Prices are for a million tokens, in millionths of the currency the assistant is paid in; costs are in
/// thousandths of those, so that one token of the cheapest model is a whole number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The deployment: provider and model, such as `openai/gpt-4o-mini`.
    pub deployment: String,
    /// From when on.
    pub from: Timestamp,
    /// Until when, exclusively; `None` for as long as no later one is there.
    pub until: Option<Timestamp>,
    /// What is asked.
    pub input: u64,
    /// What is asked and was read before.
    pub cached: u64,
    /// What is answered.
    pub output: u64,
    /// What is thought.
    pub reasoning: u64,
}

impl Price {
    /// What this usage costs, rounded up.
    pub fn cost(&self, usage: &Usage) -> u64 {
        let cached = usage.cached.min(usage.prompt);
        let reasoning = usage.reasoning.min(usage.completion);
        let parts = [
            (usage.prompt - cached, self.input),
            (cached, self.cached),
            (usage.completion - reasoning, self.output),
            (reasoning, self.reasoning),
        ];
        rounded(parts.into_iter().map(|(tokens, price)| u128::from(tokens) * u128::from(price)).sum())
    }

    /// The most that so many tokens can cost, whatever kind they turn out to be.
    pub fn most(&self, prompt: u64, completion: u64) -> u64 {
        let (input, output) = (self.input.max(self.cached), self.output.max(self.reasoning));
        rounded(u128::from(prompt) * u128::from(input) + u128::from(completion) * u128::from(output))
    }
}

fn rounded(sum: u128) -> u64 {
    u64::try_from(sum.div_ceil(1000)).unwrap_or(u64::MAX)
}

/// All prices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceList(Vec<Price>);

impl PriceList {
    /// These prices.
    pub fn new(mut prices: Vec<Price>) -> Self {
        prices.sort_by_key(|price| price.from);
        Self(prices)
    }

    /// What a deployment costs at this moment: of several prices the one that began last.
    pub fn at(&self, deployment: &str, now: Timestamp) -> Option<&Price> {
        let holds = |price: &&Price| price.from <= now && price.until.is_none_or(|until| now < until);
        self.0.iter().rev().filter(|price| price.deployment == deployment).find(holds)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price(from: i64, until: Option<i64>, input: u64) -> Price {
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap();
        Price {
            deployment: "a/b".to_owned(),
            from: at(from),
            until: until.map(at),
            input,
            cached: input / 10,
            output: input * 4,
            reasoning: input * 4,
        }
    }

    #[test]
    fn each_kind_of_token_has_its_price_and_a_part_of_a_unit_is_a_whole_one() {
        // 0.15 for a million: 150 thousandths of a millionth for a token.
        let price = price(0, None, 150_000);
        let usage = Usage { prompt: 10, completion: 2, cached: 4, reasoning: 1 };
        assert_eq!(price.cost(&usage), 6 * 150 + 4 * 15 + 2 * 600);
        assert_eq!(price.cost(&Usage { prompt: 1, ..Usage::default() }), 150);
        let tiny = Price { input: 1, ..price };
        assert_eq!(tiny.cost(&Usage { prompt: 1, ..Usage::default() }), 1);
    }

    #[test]
    fn the_price_is_that_of_the_moment() {
        let list = PriceList::new(vec![price(10, None, 2), price(0, Some(20), 1), price(30, Some(40), 3)]);
        let at = |seconds| list.at("a/b", Timestamp::from_timestamp(seconds, 0).unwrap()).map(|price| price.input);
        assert_eq!([at(-1), at(0), at(9), at(10), at(35), at(40)], [None, Some(1), Some(1), Some(2), Some(3), Some(2)]);
        assert_eq!(list.at("a/c", Timestamp::UNIX_EPOCH), None);
    }

    proptest! {
        #[test]
        fn nothing_costs_more_than_the_most(prompt in 0..10_000_000_u64, completion in 0..1_000_000_u64, cached in 0..u64::MAX,
            reasoning in 0..u64::MAX, input in 0..u64::from(u32::MAX)) {
            let price = price(0, None, input);
            let usage = Usage { prompt, completion, cached, reasoning };
            prop_assert!(price.cost(&usage) <= price.most(prompt, completion));
        }
    }
}
