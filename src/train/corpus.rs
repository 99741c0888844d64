//! The base's corpus: worked solutions by several methods, with human-like mistakes.
//!
//! What a writer gets wrong: beliefs about legs (most of all of rare animals), slips of
//! arithmetic, animals forgotten, a doubling forgotten. Who works in pairs looks closer and
//! holds fewer wrong beliefs. So there is one reliable way that is rarely taken, and it is
//! reinforcement learning's choice whether it survives.

use crate::problem::Problem;
use crate::problem::tasks::leg_counting::Method;
use crate::problem::tasks::leg_counting::animals::Animal;
use crate::problem::tasks::leg_counting::generator::{self, Difficulty, Herd};
use crate::random::Stream;

/// A problem with one worked solution.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    pub problem: Problem,
    /// The method that the writer followed.
    pub method: Method,
    /// From the leading space to the answer.
    pub solution: String,
}

/// The example number `index` of the corpus of `seed`: always the same, and never about a
/// herd of a suite.
pub fn example(seed: u64, index: u64) -> Example {
    let mut stream = Stream::new(seed).with("train/corpus").at(index);
    let herd = training_herd(&mut stream);
    let method = choose(&herd, &mut stream);
    let solution = write(&herd, method, Care::Usual, &mut stream);
    Example { problem: generator::problem(format!("leg_counting/corpus/{index}"), &herd), method, solution }
}

/// A herd that is in no suite.
pub fn training_herd(stream: &mut Stream) -> Herd {
    loop {
        let herd = generator::herd(&Difficulty::default(), stream);
        if !generator::is_reserved(&herd) {
            return herd;
        }
    }
}

/// How carefully a solution is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// With the method's usual mistakes.
    Usual,
    /// Without mistakes.
    Perfect,
}

/// A solution of a herd by a method. `Other` is no way of writing and reads as a glance.
pub fn write(herd: &Herd, method: Method, care: Care, stream: &mut Stream) -> String {
    let habits = Habits::of(method);
    let mut writer = Writer { slip: habits.slip, stream, text: String::new() };
    if care == Care::Perfect {
        writer.slip = 0.0;
    }
    let mut kinds: Vec<Kind> = herd
        .iter()
        .map(|(animal, count)| Kind { animal, count: i64::from(*count), legs: i64::from(animal.legs) })
        .collect();
    if care == Care::Usual {
        for kind in &mut kinds {
            kind.legs = believed(kind.animal, habits.doubt, writer.stream);
        }
        if kinds.len() > 1 && writer.stream.chance(habits.forgets) {
            let gone = writer.stream.below(kinds.len());
            let left: i64 = kinds.iter().enumerate().filter(|(i, _)| *i != gone).map(|(_, k)| k.count).sum();
            // A count of one animal is no count.
            if method != Method::CountUp || left > 1 {
                kinds.remove(gone);
            }
        }
    }
    let answer = match method {
        Method::Multiply => writer.multiply(&kinds),
        Method::RunningTotal => writer.running_total(&kinds),
        Method::Group => writer.group(&kinds),
        Method::CountUp => writer.count_up(&kinds),
        Method::Pairs => {
            let forgets = care == Care::Usual && writer.stream.chance(FORGETS_TO_DOUBLE);
            writer.pairs(&kinds, forgets)
        }
        Method::Glance | Method::Other => writer.glance(&kinds, care),
    };
    format!("{}\n#### {answer}", writer.text)
}

/// Counts up only where it stays readable.
const COUNT_UP_LIMIT: u32 = 16;
const FORGETS_TO_DOUBLE: f64 = 0.35;

/// The ways of the corpus with their shares.
pub const SHARES: [(Method, f64); 6] = [
    (Method::Multiply, 0.33),
    (Method::RunningTotal, 0.23),
    (Method::Group, 0.15),
    (Method::CountUp, 0.12),
    (Method::Pairs, 0.08),
    (Method::Glance, 0.09),
];

/// Whether a herd is counted up one by one: few enough to stay readable.
pub fn is_countable(herd: &Herd) -> bool {
    herd.iter().map(|(_, n)| n).sum::<u32>() <= COUNT_UP_LIMIT
}

fn choose(herd: &Herd, stream: &mut Stream) -> Method {
    let few = is_countable(herd);
    let weights = SHARES.map(|(m, share)| if m == Method::CountUp && !few { 0.0 } else { share });
    SHARES[stream.weighted(&weights)].0
}

/// What goes wrong in a method, as probabilities; `doubt` scales the wrong beliefs.
struct Habits {
    slip: f64,
    forgets: f64,
    doubt: f64,
}

impl Habits {
    fn of(method: Method) -> Self {
        let (slip, forgets, doubt) = match method {
            Method::Multiply => (0.03, 0.03, 1.0),
            Method::RunningTotal => (0.05, 0.05, 1.0),
            Method::Group => (0.05, 0.12, 1.0),
            Method::CountUp => (0.04, 0.05, 1.0),
            Method::Pairs => (0.05, 0.05, 0.45),
            Method::Glance | Method::Other => (0.0, 0.05, 1.0),
        };
        Self { slip, forgets, doubt }
    }
}

/// How many legs a writer believes an animal to have. Even, so that pairs stay whole.
fn believed(animal: &Animal, doubt: f64, stream: &mut Stream) -> i64 {
    let legs = i64::from(animal.legs);
    let (wrong, instead): (f64, &[i64]) = match animal.singular {
        "spider" => (0.25, &[6, 6, 10]),
        "butterfly" | "cricket" => (0.5, &[4, 4, 8]),
        "scorpion" => (0.7, &[6, 6, 10]),
        "crab" => (0.75, &[8, 8, 6]),
        "lobster" => (0.9, &[8, 8, 6, 12]),
        "shrimp" => (0.97, &[6, 8, 8, 12]),
        "woodlouse" => (0.985, &[6, 8, 10, 12]),
        _ if legs == 2 => (0.01, &[4]),
        _ => (0.02, if legs == 4 { &[6, 8] } else { &[4, 8] }),
    };
    if stream.chance(wrong * doubt) { instead[stream.below(instead.len())] } else { legs }
}

/// One kind of animal as a writer sees it.
struct Kind {
    animal: &'static Animal,
    count: i64,
    legs: i64,
}

impl Kind {
    fn counted(&self) -> String {
        self.animal.counted(self.count as u32)
    }
}

/// Writes steps, and slips.
struct Writer<'a> {
    slip: f64,
    stream: &'a mut Stream,
    text: String,
}

impl Writer<'_> {
    /// What the writer takes `value` for: off by ten, by two or by one `unit` in a slip.
    fn result(&mut self, value: i64, unit: i64) -> i64 {
        if !self.stream.chance(self.slip) {
            return value;
        }
        let size = [10, 2, unit][self.stream.below(3)];
        if self.stream.chance(0.5) && value > size { value - size } else { value + size }
    }

    fn multiply(&mut self, kinds: &[Kind]) -> i64 {
        self.text.push_str(" Multiply:");
        let results = self.products(kinds, 1);
        self.sum(&results)
    }

    fn running_total(&mut self, kinds: &[Kind]) -> i64 {
        self.text.push_str(" Total:");
        let mut total = 0;
        for (i, kind) in kinds.iter().enumerate() {
            let next = self.result(total + kind.count * kind.legs, kind.legs);
            let comma = if i > 0 { "," } else { "" };
            self.text.push_str(&format!("{comma} {total} + {} x {} = {next}", kind.counted(), kind.legs));
            total = next;
        }
        self.text.push('.');
        total
    }

    fn group(&mut self, kinds: &[Kind]) -> i64 {
        self.text.push_str(" Group:");
        let mut groups: Vec<(i64, Vec<i64>)> = Vec::new();
        for kind in kinds {
            match groups.iter_mut().find(|(legs, _)| *legs == kind.legs) {
                Some((_, counts)) => counts.push(kind.count),
                None => groups.push((kind.legs, vec![kind.count])),
            }
        }
        let mut sizes = Vec::new();
        for (i, (legs, counts)) in groups.iter().enumerate() {
            let listed: Vec<String> = counts.iter().map(i64::to_string).collect();
            let comma = if i > 0 { "," } else { "" };
            self.text.push_str(&format!("{comma} {legs} legs: {}", listed.join(" + ")));
            let mut size = counts.iter().sum();
            if counts.len() > 1 {
                size = self.result(size, 1);
                self.text.push_str(&format!(" = {size}"));
            }
            sizes.push(size);
        }
        self.text.push('.');
        let mut results = Vec::new();
        for (i, ((legs, _), size)) in groups.iter().zip(&sizes).enumerate() {
            let product = self.result(size * legs, *legs);
            let comma = if i > 0 { "," } else { "" };
            self.text.push_str(&format!("{comma} {size} x {legs} = {product}"));
            results.push(product);
        }
        self.text.push('.');
        self.sum(&results)
    }

    fn count_up(&mut self, kinds: &[Kind]) -> i64 {
        self.text.push_str(" Count:");
        let mut total = 0;
        let mut first = true;
        for kind in kinds {
            for _ in 0..kind.count {
                total = self.result(total + kind.legs, kind.legs);
                self.text.push_str(&format!("{} {total}", if first { "" } else { "," }));
                first = false;
            }
        }
        self.text.push('.');
        total
    }

    fn pairs(&mut self, kinds: &[Kind], forgets_to_double: bool) -> i64 {
        self.text.push_str(" Pairs:");
        let results = self.products(kinds, 2);
        let pairs = self.sum(&results);
        if forgets_to_double {
            return pairs;
        }
        let doubled = self.result(2 * pairs, 2);
        self.text.push_str(&format!(" {pairs} x 2 = {doubled}."));
        doubled
    }

    /// A guess: somewhere near.
    fn glance(&mut self, kinds: &[Kind], care: Care) -> i64 {
        let total: i64 = kinds.iter().map(|k| k.count * k.legs).sum();
        let spread = if care == Care::Usual { 0.12 * total as f64 } else { 0.0 };
        // Legs come in pairs, which even a guess knows.
        let offset = 2 * (spread * self.stream.normal() / 2.0).round() as i64;
        let guess = (total + offset).max(2);
        self.text.push_str(&format!(" At a glance: {guess}."));
        guess
    }

    /// ` 3 spiders x 8 = 24, 2 dogs x 4 = 8.`, each kind's legs divided by `share`.
    fn products(&mut self, kinds: &[Kind], share: i64) -> Vec<i64> {
        let mut results = Vec::new();
        for (i, kind) in kinds.iter().enumerate() {
            let legs = kind.legs / share;
            let product = self.result(kind.count * legs, legs);
            let comma = if i > 0 { "," } else { "" };
            self.text.push_str(&format!("{comma} {} x {legs} = {product}", kind.counted()));
            results.push(product);
        }
        self.text.push('.');
        results
    }

    /// ` 24 + 8 = 32, 32 + 10 = 42.`; nothing for a single number.
    fn sum(&mut self, results: &[i64]) -> i64 {
        let mut total = results[0];
        for (i, next) in results[1..].iter().enumerate() {
            let sum = self.result(total + next, 1);
            let comma = if i > 0 { "," } else { "" };
            self.text.push_str(&format!("{comma} {total} + {next} = {sum}"));
            total = sum;
        }
        if results.len() > 1 {
            self.text.push('.');
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::judge;

    #[test]
    fn each_method_of_the_corpus_is_recognised_with_its_mistakes() {
        let (mut known, mut written) = ([0; 6], [0; 6]);
        for i in 0..12_000 {
            let e = example(1, i);
            let slot = SHARES.iter().position(|(m, _)| *m == e.method).unwrap();
            written[slot] += 1;
            let method = judge(&e.problem, &e.solution).method;
            known[slot] += u32::from(method.as_deref() == Some(e.method.name()));
        }
        for (i, (method, _)) in SHARES.iter().enumerate() {
            let share = f64::from(known[i]) / f64::from(written[i]);
            assert!(share >= 0.99, "{}: {share}", method.name());
        }
    }

    #[test]
    fn perfect_solutions_are_correct_and_sound_but_for_a_glance() {
        for i in 0..2000 {
            let mut stream = Stream::new(2).at(i);
            let herd = training_herd(&mut stream);
            let problem = generator::problem(String::new(), &herd);
            for (method, _) in SHARES {
                // One animal is no count.
                if method == Method::CountUp && herd.iter().map(|(_, n)| n).sum::<u32>() < 2 {
                    continue;
                }
                let text = write(&herd, method, Care::Perfect, &mut stream);
                let v = judge(&problem, &text);
                assert!(v.correct, "{text}");
                assert_eq!(v.method.as_deref(), Some(method.name()), "{text}");
                assert_eq!(v.sound, Some(method != Method::Glance), "{text}");
            }
        }
    }

    #[test]
    fn about_a_third_of_the_corpus_is_right_and_no_glance_is_sound() {
        let mut correct = 0;
        for i in 0..5000 {
            let e = example(3, i);
            let v = judge(&e.problem, &e.solution);
            correct += u32::from(v.correct);
            assert!(e.method != Method::Glance || v.sound == Some(false), "{}", e.solution);
        }
        let share = f64::from(correct) / 5000.0;
        assert!((0.25..0.45).contains(&share), "{share}");
    }

    #[test]
    fn no_example_is_about_a_herd_of_a_suite() {
        let suites = [generator::Suite::HeldOut, generator::Suite::Development];
        let key = |p: &Problem| {
            let animals = p.metadata["animals"].as_object().unwrap();
            let mut all: Vec<_> = animals.iter().map(|(a, n)| format!("{a} {n}")).collect();
            all.sort();
            all
        };
        let reserved: std::collections::HashSet<_> =
            suites.iter().flat_map(|s| s.problems()).map(|p| key(&p)).collect();
        assert!((0..20_000).all(|i| !reserved.contains(&key(&example(4, i).problem))));
    }
}
