use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

fn levels() -> impl Iterator<Item = (&'static dyn Task, &'static str)> {
    ALL.into_iter().flat_map(|t| t.levels().iter().map(move |l| (t, l.name)))
}

#[test]
fn the_same_seed_gives_the_same_problem_and_every_reference_verifies() {
    for (task, level) in levels() {
        for index in 0..60 {
            let p = task.generate(level, 7, index).unwrap();
            assert_eq!(Some(&p), task.generate(level, 7, index).as_ref());
            let reference = p.reference.clone().unwrap();
            let read = task.read(&p, &reference).unwrap();
            assert!(read.correct, "{} {reference}", p.id);
            let v = task.judge(&p, &format!("So it is.\n#### {reference}"));
            assert!(v.correct && v.repairs.is_empty(), "{} {reference} {v:?}", p.id);
            assert_eq!(v.answer, Some(read.answer), "{}", p.id);
            assert!(task.judge(&p, &format!("<answer>{reference}</answer>")).correct, "{}", p.id);
        }
        let first = |seed| (0..8).map(|i| task.generate(level, seed, i).unwrap().prompt).collect::<Vec<_>>();
        assert_ne!(first(1), first(2), "{}", task.name());
    }
}

#[test]
fn a_task_has_no_level_that_it_does_not_name() {
    for task in ALL {
        assert_eq!(task.generate("impossible", 0, 0), None);
    }
}

#[test]
fn tasks_are_named_on_the_command_line() {
    let named = |text| Choice::parse(text).map(|c| (c.task.name(), c.level.name));
    assert_eq!(named("leg_counting"), Ok(("leg_counting", "embedded")));
    assert_eq!(named("graph_color:20"), Ok(("graph_color", "20")));
    assert_eq!(Choice::parse("dice:hard").unwrap().problems(3, 5).len(), 5);
    let said = |text| Choice::parse(text).err().unwrap().to_string();
    assert!(said("sudoku").starts_with("there is no task `sudoku`; the tasks are leg_counting, "));
    assert_eq!(said("dice:medium"), "the task `dice` has no difficulty `medium`; it has easy, hard");
}

#[test]
fn repairs_mend_the_dress_and_are_recorded() {
    let case = |task: &str, answer: &str, reference: &str, metadata, want: Option<&[Repair]>| {
        let task = find(task).unwrap();
        let p = problem("p".into(), task.name(), "?".into(), reference.into(), metadata);
        let v = task.judge(&p, &format!("<answer>{answer}</answer>"));
        assert_eq!(v.correct, want.is_some(), "{answer}: {v:?}");
        if let Some(want) = want {
            assert_eq!(v.repairs.iter().collect::<Vec<_>>(), want, "{answer}");
        }
    };
    use Repair::*;
    case("dice", "1/6", "1/6", json!({}), Some(&[]));
    case("dice", "$\\frac{4}{24}$", "1/6", json!({}), Some(&[Dress, LatexFraction, ReducedFraction]));
    case("dice", "P = 4/25", "1/6", json!({}), None);
    case("prime_factorization", "2^2 \\times 3", "2 × 2 × 3", json!({}), Some(&[TimesSign, Exponents]));
    case("prime_factorization", "12 = 3 * 2 * 2", "2 × 2 × 3", json!({}), Some(&[RightHandSide, TimesSign]));
    case("prime_factorization", "4 × 3", "2 × 2 × 3", json!({}), None);
    case("power_function", "1.23 \\times 10^{4}", "1.23e+4", json!({}), Some(&[ScientificNotation]));
    case("power_function", "12,345", "1.23e+4", json!({}), Some(&[ScientificNotation]));
    case("power_function", "1.24e4", "1.23e+4", json!({}), None);
    let letters = json!({ "letters": ["a", "b", "a"] });
    case("palindrome_generation", "a b a", "aba", letters.clone(), Some(&[Spacing]));
    case("palindrome_generation", "ABA.", "aba", letters.clone(), Some(&[Dress]));
    case("palindrome_generation", "bab", "aba", letters, None);
    case("arc_1d", "[0, 1, 2]", "0 1 2", json!({}), Some(&[Spacing]));
    case("arc_1d", "0 1 2 0", "0 1 2", json!({}), None);
    case("family_relationships", "**Aunt**.", "aunt", json!({}), Some(&[Dress]));
    case("family_relationships", "uncle", "aunt", json!({}), None);
    let numbers = json!({ "numbers": [8, 7, 4, 2], "target": 30 });
    case("countdown", "**(8+7)*4÷2 = 30**.", "", numbers.clone(), Some(&[Dress, TimesSign, Equation]));
    case("countdown", "15*2", "", numbers, None);
    case("leg_counting", "42 legs.", "42", json!({}), Some(&[Dress]));
    let radius = json!({ "task_type": "incircle_radius" });
    case("advanced_geometry", "r = 2.5", "2.500", radius, Some(&[RightHandSide, Decimals]));
    let ortho = json!({ "task_type": "orthocenter", "ortho": ["1/3", "-2"] });
    case(
        "advanced_geometry",
        "\\left(\\frac{1}{3}, -2\\right)",
        "(0.333, -2.000)",
        ortho,
        Some(&[Dress, LatexFraction]),
    );
    let field = json!({ "initial_state": { "0.5_0.5": ["box_red", "target_red"] } });
    let plan = "{\"Agent[0.5, 0.5]\": \"move(box_red, target_red)\"}";
    case("boxnet", plan, "", field.clone(), Some(&[SingleDictionary]));
    case("boxnet", &format!("```json\n[{plan}]\n```"), "", field.clone(), Some(&[JsonFence]));
    case("boxnet", "[{\"Agent[0.5, 0.5]\": \"move(box_red, target_blue)\"}]", "", field, None);
}

/// Answers that look like answers, and what breaks parsers.
fn answers() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[0-9]{1,24}",
        "[-+*/^×x=.,:;(){}\\[\\]\"'$°_e \n]{1,4}",
        prop::sample::select(vec![
            "\\frac{",
            "\\boxed{",
            "<answer>",
            "</answer>",
            "####",
            "```json\n",
            "```",
            "Agent[0.5, 0.5]",
            "move(box_red, square[",
            "move(box_red, target_red)",
            "aunt",
            "is the mother of",
            "\\times",
            "10^",
            "NaN",
            "inf",
            "1e999",
            "é",
            "\u{200b}",
            "answer is",
            "answer:",
            "</think>",
            "{\"0\":1",
            "²",
        ])
        .prop_map(String::from),
    ];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_text_gets_a_verdict_from_every_task(text in answers(), index in 0u64..40) {
        for (task, level) in levels() {
            let mut p = task.generate(level, 3, index).unwrap();
            let _ = task.judge(&p, &text);
            let _ = task.judge(&p, &format!("<answer>{text}</answer>"));
            p.metadata.insert("puzzle".into(), json!([1]));
            p.metadata.insert("task_type".into(), json!("orthocenter"));
            p.reference = None;
            prop_assert!(task.name() == "graph_color" || task.name() == "boxnet"
                || task.name() == "palindrome_generation" || task.name() == "countdown" || !task.judge(&p, &text).correct);
        }
    }

    /// A right answer with one character changed is right only if it reads as an equal one.
    #[test]
    fn a_mutated_answer_is_wrong_or_equal(at in 0.0f64..1.0, with in "[0-9a-z]", index in 0u64..200) {
        for (task, level) in levels() {
            let p = task.generate(level, 5, index).unwrap();
            let reference = p.reference.clone().unwrap();
            let mut letters: Vec<char> = reference.chars().collect();
            let place = (at * letters.len() as f64) as usize;
            letters[place] = with.chars().next().unwrap();
            let mutated: String = letters.iter().collect();
            let same = mutated == reference;
            let one_answer = !["graph_color", "boxnet", "palindrome_generation", "countdown"].contains(&task.name());
            let v = task.judge(&p, &format!("<answer>{mutated}</answer>"));
            let wanted = task.read(&p, &reference).unwrap().answer;
            prop_assert!(!same || v.correct);
            prop_assert!(!(one_answer && v.correct) || v.answer == Some(wanted), "{} {mutated}", p.id);
        }
    }
}

/// Notes what it is given to read.
#[derive(Default)]
struct Probe {
    longest: AtomicUsize,
    reads: AtomicUsize,
    worked: AtomicUsize,
}

impl Task for Probe {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn title(&self) -> &'static str {
        "Probe"
    }

    fn levels(&self) -> &'static [Level] {
        &[]
    }

    fn scoring(&self) -> &'static str {
        "Nothing."
    }

    fn generate(&self, _: &str, _: u64, _: u64) -> Option<Problem> {
        None
    }

    fn read(&self, _: &Problem, answer: &str) -> Option<Reading> {
        self.longest.fetch_max(answer.len(), Ordering::Relaxed);
        self.reads.fetch_add(1, Ordering::Relaxed);
        None
    }

    fn repairs(&self) -> &'static [Mend] {
        find("prime_factorization").unwrap().repairs()
    }

    fn rules(&self) -> &'static [Rule] {
        &Rule::ALL
    }

    fn path(&self, _: &Problem, text: &str, _: Option<&str>) -> Path {
        self.worked.fetch_max(worked(text).len(), Ordering::Relaxed);
        (None, None)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// However a text of a megabyte is made, a verifier reads only so many answers of it, and
    /// only so long ones: what judging costs has a bound.
    #[test]
    fn what_is_read_of_a_megabyte_is_bounded(
        part in answers(), open in prop::sample::select(vec!["", "<answer>", "\\boxed{", "#### ", "```\n"]),
        close in prop::sample::select(vec!["", "</answer>", "}", "\n", "\n```"]),
    ) {
        let text = format!("{open}{}{close}", part.repeat(1_000_000 / part.len().max(1)));
        let p = ALL[0].generate(ALL[0].levels()[0].name, 0, 0).unwrap();
        let probe = Probe::default();
        prop_assert_eq!(probe.judge(&p, &text).answer, None);
        prop_assert!(probe.longest.load(Ordering::Relaxed) <= LONGEST);
        prop_assert!(probe.reads.load(Ordering::Relaxed) <= Rule::ALL.len() * (1 + probe.repairs().len()));
        prop_assert!(probe.worked.load(Ordering::Relaxed) <= WORKED);
    }
}

/// Adversarial texts of a megabyte: nested, repeated, without an end. That each returns is
/// the test; how long it takes is in the benchmark of the verifiers.
#[test]
fn a_megabyte_of_anything_is_judged() {
    let parts = [
        "answ\n",
        "answer\n",
        "\\boxed{",
        "<answer>",
        "[",
        "{\"a\":",
        "\\frac{",
        "9^64 ",
        "1,000,",
        "answer is ",
        "answer ",
        "#### 1\n",
        "move(a, ",
        "Ann is the mother of ",
        "1 x 1 = ",
        "3: 1 ",
        "```",
        "{\"0\":1},",
        "a",
        "0 ",
        "=",
        "(",
        "\n",
        " ",
    ];
    for part in parts {
        let text = part.repeat(1_000_000 / part.len());
        let tagged = format!("<answer>{text}</answer>");
        for task in ALL {
            let p = task.generate(task.levels()[0].name, 0, 0).unwrap();
            let _ = (task.judge(&p, &text), task.judge(&p, &tagged), task.read(&p, &text));
        }
    }
}
