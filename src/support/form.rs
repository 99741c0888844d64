//! The method of any solution, as a normal form of its equations.
//!
//! Numbers are renamed by their role, whether given or the result of an earlier equation;
//! the order of terms, of factors and of like equations does not matter, nor how many like
//! equations there are.

use crate::problem::steps::{Quantity, Step, steps};
use std::collections::BTreeSet;

/// The normal form of a solution's steps; empty where it shows none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Form {
    shapes: BTreeSet<Shape>,
}

/// What an equation, or another step, does. In the order in which it is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Shape {
    /// `8 legs: 3`: things put together under a label.
    Grouping,
    /// `8, 16, 24`.
    Series,
    /// Given numbers multiplied.
    Products,
    /// Given numbers added.
    Sums,
    /// A result carried on, and a product added to it.
    RunningTotal,
    /// A result carried on, and a given number added to it.
    AddingOn,
    /// Results added.
    SumOfResults,
    /// A total multiplied by a given number, last of all.
    Scaling(i64),
    /// Anything else, as factors of `n` (given) and `r` (a result) in terms.
    Other(String),
}

impl Form {
    /// The form of a text. Linear in its length.
    pub fn of(text: &str) -> Form {
        let steps = steps(text);
        let last = steps.iter().rposition(|s| matches!(s, Step::Equation { .. }));
        let mut reader = Reader::default();
        for (i, step) in steps.iter().enumerate() {
            reader.read(step, Some(i) == last);
        }
        Form { shapes: reader.shapes }
    }

    /// Whether the text shows no steps.
    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    /// A short name for people, made from the steps: `products, their sum, times 2`.
    /// Different forms have different names.
    pub fn name(&self) -> String {
        if self.is_empty() {
            return "no steps".into();
        }
        let words: Vec<String> = self.shapes.iter().map(|s| s.words(&self.shapes)).collect();
        words.join(", ")
    }
}

impl Shape {
    fn words(&self, all: &BTreeSet<Shape>) -> String {
        match self {
            Shape::Grouping => "grouping".into(),
            Shape::Series => "counting up".into(),
            Shape::Products => "products".into(),
            Shape::Sums => "sums".into(),
            Shape::RunningTotal => "a running total".into(),
            Shape::AddingOn => "adding on".into(),
            Shape::SumOfResults if all.len() > 1 => "their sum".into(),
            Shape::SumOfResults => "a sum".into(),
            Shape::Scaling(by) => format!("times {by}"),
            Shape::Other(form) => form.clone(),
        }
    }
}

/// Reads steps in order and knows which results are still to be used.
#[derive(Default)]
struct Reader {
    shapes: BTreeSet<Shape>,
    open: Vec<i64>,
    last: Option<Last>,
    after_label: bool,
}

/// The equation before.
struct Last {
    result: i64,
    /// Whether it put results together.
    total: bool,
}

impl Reader {
    fn read(&mut self, step: &Step, is_last: bool) {
        match step {
            Step::Series(_) => {
                self.shapes.insert(Shape::Series);
            }
            Step::Label { .. } => {
                self.shapes.insert(Shape::Grouping);
                self.after_label = true;
                return;
            }
            Step::Equation { terms, result } => self.equation(terms, *result, is_last),
        }
        self.after_label = false;
    }

    fn equation(&mut self, terms: &[Vec<Quantity>], result: i64, is_last: bool) {
        // `0 + 3 x 8` is 3 x 8.
        let is_zero = |t: &Vec<Quantity>| t.len() == 1 && t[0].value == 0;
        let terms: Vec<&Vec<Quantity>> = terms.iter().filter(|t| !is_zero(t)).collect();
        let single: Vec<i64> = terms.iter().filter(|t| t.len() == 1).map(|t| t[0].value).collect();
        let products = terms.len() - single.len();
        let carried = single.iter().filter(|v| self.take(**v)).count();
        let mut total = carried > 0;
        let shape = match (single.len(), products) {
            // How many there are under a label is part of the grouping.
            (_, 0) if self.after_label => Shape::Grouping,
            (n, 0) if carried == n => Shape::SumOfResults,
            (_, 0) if carried == 0 => Shape::Sums,
            (_, 0) => Shape::AddingOn,
            (0, 1) => match self.scaling(terms[0], is_last) {
                Some(by) => {
                    total = true;
                    Shape::Scaling(by)
                }
                None => Shape::Products,
            },
            (0, _) => {
                // All in one line: the products, and their sum.
                self.shapes.insert(Shape::Products);
                total = true;
                Shape::SumOfResults
            }
            (1, 1) if carried == 1 => Shape::RunningTotal,
            _ => Shape::Other(self.other(&terms)),
        };
        self.shapes.insert(shape);
        self.open.push(result);
        self.last = Some(Last { result, total });
    }

    /// Uses an earlier result up, if there is one of this value.
    fn take(&mut self, value: i64) -> bool {
        let found = self.open.iter().rposition(|r| *r == value);
        found.map(|i| self.open.remove(i)).is_some()
    }

    /// The other factor of a product whose one factor is the total before. Where counts are
    /// grouped, a product of a group's size is a product like any other.
    fn scaling(&mut self, factors: &[Quantity], is_last: bool) -> Option<i64> {
        let last = self.last.as_ref().filter(|l| l.total || is_last)?.result;
        let grouped = self.shapes.contains(&Shape::Grouping) && !self.shapes.contains(&Shape::Products);
        let [a, b] = factors else { return None };
        let bare = a.unit.is_empty() && b.unit.is_empty();
        let by = match (a.value == last, b.value == last) {
            (true, _) => b.value,
            (_, true) => a.value,
            _ => return None,
        };
        (bare && !grouped && self.take(last)).then_some(by)
    }

    fn other(&mut self, terms: &[&Vec<Quantity>]) -> String {
        let mut all: Vec<String> = Vec::new();
        for term in terms {
            let mut roles: Vec<&str> =
                term.iter().map(|q| if term.len() > 1 && self.take(q.value) { "r" } else { "n" }).collect();
            roles.sort_unstable();
            all.push(roles.join("×"));
        }
        all.sort();
        all.join(" + ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> String {
        Form::of(text).name()
    }

    #[test]
    fn ways_differ_and_words_and_order_do_not() {
        let case = |text, want| assert_eq!(name(text), want, "{text}");
        case("3 spiders x 8 = 24, 2 dogs x 4 = 8. 24 + 8 = 32.", "products, their sum");
        case("First 4 * 2 = 8; and 8 * 3 = 24. So 8 + 24 = 32", "products, their sum");
        case("3 x 8 + 2 x 4 = 32", "products, their sum");
        case("5 x 2 = 10, 7 x 4 = 28, 1 x 6 = 6. 10 + 28 + 6 = 44", "products, their sum");
        case("0 + 3 x 8 = 24, 24 + 2 x 4 = 32.", "products, a running total");
        case("3 x 8 = 24, 2 x 4 + 24 = 32.", "products, a running total");
        case(
            "8 legs: 3 + 1 = 4, 4 legs: 2. 4 x 8 = 32, 2 x 4 = 8. 32 + 8 = 40.",
            "grouping, products, their sum",
        );
        case("8, 16, 24, 28, 32.", "counting up");
        case("3 x 4 = 12, 2 x 2 = 4. 12 + 4 = 16. 16 x 2 = 32.", "products, their sum, times 2");
        case("3 spiders x 4 = 12. 12 x 2 = 24.", "products, times 2");
        case("3 + 4 = 7, 7 + 2 = 9", "sums, adding on");
        case("At a glance: 42.\n#### 42", "no steps");
        case("2 x 3 + 4 + 5 = 15", "n + n + n×n");
        case("", "no steps");
    }

    #[test]
    fn a_count_that_happens_to_be_a_result_is_still_given() {
        assert_eq!(name("2 dogs x 4 = 8, 8 cats x 4 = 32. 8 + 32 = 40."), "products, their sum");
        assert_eq!(name("2 x 4 = 8, 8 x 4 = 32. 8 + 32 = 40."), "products, their sum");
    }

    proptest! {
        #[test]
        fn any_text_has_a_form_and_a_name(text in "([0-9]{1,3}|[ x+=,:.\n]|legs|é){0,80}") {
            let form = Form::of(&text);
            prop_assert_eq!(form.is_empty(), form.name() == "no steps");
        }
    }
}
