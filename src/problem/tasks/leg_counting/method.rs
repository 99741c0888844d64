//! Which way a solution goes, and whether its steps lead to its answer.

use super::animals::Animal;
use crate::problem::steps::{Quantity, Step};

/// The ways to count legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// A product for each kind, then their sum.
    Multiply,
    /// One total, carried from kind to kind.
    RunningTotal,
    /// Kinds with equal legs are put together first.
    Group,
    /// The running count after each single animal.
    CountUp,
    /// Pairs of legs, doubled at the end.
    Pairs,
    /// No work is shown.
    Glance,
    /// Steps of no known form.
    Other,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 7] = [
        Method::Multiply,
        Method::RunningTotal,
        Method::Group,
        Method::CountUp,
        Method::Pairs,
        Method::Glance,
        Method::Other,
    ];

    /// The method's name, as on screen and in recordings.
    pub fn name(self) -> &'static str {
        match self {
            Method::Multiply => "multiply, then add",
            Method::RunningTotal => "running total",
            Method::Group => "group equal legs",
            Method::CountUp => "count up",
            Method::Pairs => "pairs, doubled",
            Method::Glance => "at a glance",
            Method::Other => "other steps",
        }
    }

    /// The method that `steps` follow on a problem about `asked`.
    pub(super) fn of(steps: &[Step], asked: &[(&Animal, i64)]) -> Method {
        let equations: Vec<_> = equations(steps).collect();
        if equations.is_empty() {
            return if series(steps).is_some() { Method::CountUp } else { Method::Glance };
        }
        if is_grouped(steps) {
            return Method::Group;
        }
        let products = products(steps);
        let halved = products.iter().filter(|p| p.is_halved(asked)).count();
        let whole = products.iter().filter(|p| p.is_whole(asked)).count();
        if doubled(steps).is_some() && halved > 0 || halved > whole {
            return Method::Pairs;
        }
        if products.is_empty() {
            return Method::Other;
        }
        let carried = equations.iter().filter(|(terms, _)| is_carried(terms)).count();
        let alone = equations.iter().filter(|(terms, _)| terms.len() == 1).count();
        // The first kind of a running total has nothing to be added to.
        if carried > 0 && carried + 1 >= alone { Method::RunningTotal } else { Method::Multiply }
    }
}

/// Whether the steps are all right, use each animal asked about with its own legs, and
/// end in `answer`.
pub(super) fn derives(steps: &[Step], asked: &[(&Animal, i64)], answer: i64) -> bool {
    let total: i64 = asked.iter().map(|(a, n)| n * i64::from(a.legs)).sum();
    if answer != total || !steps.iter().all(Step::holds) {
        return false;
    }
    if equations(steps).next().is_none() {
        return series(steps).is_some_and(|s| counts_up(s, asked));
    }
    let Some((_, last)) = equations(steps).last() else { return false };
    let products = products(steps);
    let wanted = |legs: fn(&Animal) -> i64| pairs(asked.iter().map(|(a, n)| (*n, legs(a))));
    let used = pairs(products.iter().map(|p| (p.count, p.legs)));
    let by_kind = used == wanted(|a| a.legs.into())
        || (doubled(steps).is_some() && used == wanted(|a| i64::from(a.legs) / 2));
    last == answer && products.iter().all(|p| p.names_asked(asked)) && (by_kind || used == grouped(asked))
}

/// A product of a count and a number of legs.
struct Product<'a> {
    count: i64,
    legs: i64,
    unit: &'a str,
}

impl Product<'_> {
    fn is_whole(&self, asked: &[(&Animal, i64)]) -> bool {
        self.matches(asked, |a| a.legs.into())
    }

    fn is_halved(&self, asked: &[(&Animal, i64)]) -> bool {
        self.matches(asked, |a| i64::from(a.legs) / 2)
    }

    fn matches(&self, asked: &[(&Animal, i64)], legs: fn(&Animal) -> i64) -> bool {
        let same = |a: &Animal, n: i64| {
            let (x, y) = (n.min(legs(a)), n.max(legs(a)));
            (self.count.min(self.legs), self.count.max(self.legs)) == (x, y)
        };
        match Animal::named(self.unit) {
            Some(named) => legs(named) == self.legs,
            None => asked.iter().any(|(a, n)| same(a, *n)),
        }
    }

    /// Whether the animal it names, if it names one, is asked about in that number.
    fn names_asked(&self, asked: &[(&Animal, i64)]) -> bool {
        Animal::named(self.unit).is_none_or(|a| asked.contains(&(a, self.count)))
    }
}

fn equations(steps: &[Step]) -> impl Iterator<Item = (&Vec<Vec<Quantity>>, i64)> {
    steps.iter().filter_map(|s| match s {
        Step::Equation { terms, result } => Some((terms, *result)),
        _ => None,
    })
}

/// The longest series, if any.
fn series(steps: &[Step]) -> Option<&Vec<i64>> {
    let all = steps.iter().filter_map(|s| if let Step::Series(v) = s { Some(v) } else { None });
    all.max_by_key(|v| v.len())
}

/// Every product of two numbers, but a doubling at the end.
fn products(steps: &[Step]) -> Vec<Product<'_>> {
    let doubling = doubled(steps);
    let last = equations(steps).count().saturating_sub(1);
    let kept = equations(steps).enumerate().filter(|(i, _)| !(doubling.is_some() && *i == last));
    kept.flat_map(|(_, (terms, _))| terms)
        .filter_map(|t| match t.as_slice() {
            [a, b] => Some(Product { count: a.value, legs: b.value, unit: &a.unit }),
            _ => None,
        })
        .collect()
}

/// The number that the last equation doubles, if what it doubles is what came before.
fn doubled(steps: &[Step]) -> Option<i64> {
    let all: Vec<_> = equations(steps).collect();
    let [.., (_, before), (terms, _)] = all.as_slice() else { return None };
    // `2 legs: 1 + 3 = 4. 4 x 2 = 8.` only looks like a doubling.
    if is_grouped(steps) {
        return None;
    }
    let values: Vec<Vec<i64>> = terms.iter().map(|t| t.iter().map(|q| q.value).collect()).collect();
    let bare = terms.iter().flatten().all(|q| Animal::named(&q.unit).is_none());
    let twice = match values.as_slice() {
        [product] => matches!(product.as_slice(), [a, 2] | [2, a] if a == before),
        [a, b] => a == b && a.as_slice() == [*before],
        _ => false,
    };
    (bare && twice).then_some(*before)
}

/// Whether kinds are put together by their legs: `8 legs: 3 + 1 = 4`.
fn is_grouped(steps: &[Step]) -> bool {
    steps.iter().any(|s| matches!(s, Step::Label { of, .. } if of.unit.starts_with("leg")))
}

/// `24 + 2 x 4`: a number that is carried, and a product.
fn is_carried(terms: &[Vec<Quantity>]) -> bool {
    matches!(terms, [total, product] if total.len() == 1 && product.len() == 2)
}

/// (count, legs), whichever stands first, in an order that can be compared.
fn pairs(of: impl Iterator<Item = (i64, i64)>) -> Vec<(i64, i64)> {
    let mut all: Vec<_> = of.map(|(a, b)| (a.min(b), a.max(b))).collect();
    all.sort_unstable();
    all
}

/// What `asked` comes to when kinds with equal legs are put together.
fn grouped(asked: &[(&Animal, i64)]) -> Vec<(i64, i64)> {
    let mut by_legs = std::collections::BTreeMap::new();
    for (a, n) in asked {
        *by_legs.entry(i64::from(a.legs)).or_insert(0) += n;
    }
    pairs(by_legs.into_iter().map(|(legs, n)| (n, legs)))
}

/// Whether the series rises by the legs of each single animal, in any order.
fn counts_up(series: &[i64], asked: &[(&Animal, i64)]) -> bool {
    let mut rises: Vec<i64> =
        series.iter().scan(0, |last, v| Some(v - std::mem::replace(last, *v))).collect();
    rises.retain(|r| *r != 0);
    rises.sort_unstable();
    let mut wanted = Vec::new();
    for (a, n) in asked.iter().filter(|(a, _)| a.legs > 0) {
        if *n < 0 || wanted.len() as i64 + n > series.len() as i64 {
            return false;
        }
        wanted.extend(std::iter::repeat_n(i64::from(a.legs), *n as usize));
    }
    wanted.sort_unstable();
    rises == wanted
}
