//! Our verifiers against those of other tools, answer by answer.
//!
//! The fixtures are written by the scripts beside them with the tools installed.

use leash::problem::{Problem, file, tasks};
use serde_json::Value;

const FAMILIES: [(&str, &str); 11] = [
    ("leg_counting", include_str!("fixtures/leg_counting.jsonl")),
    ("family_relationships", include_str!("fixtures/family_relationships.jsonl")),
    ("power_function", include_str!("fixtures/power_function.jsonl")),
    ("dice", include_str!("fixtures/dice.jsonl")),
    ("prime_factorization", include_str!("fixtures/prime_factorization.jsonl")),
    ("palindrome_generation", include_str!("fixtures/palindrome_generation.jsonl")),
    ("advanced_geometry", include_str!("fixtures/advanced_geometry.jsonl")),
    ("graph_color", include_str!("fixtures/graph_color.jsonl")),
    ("arc_1d", include_str!("fixtures/arc_1d.jsonl")),
    ("boxnet", include_str!("fixtures/boxnet.jsonl")),
    ("countdown", include_str!("fixtures/countdown.jsonl")),
];

/// An item of Reasoning Gym as a problem, and answers with what the package says of them.
fn items(fixture: &str) -> Vec<(Problem, Vec<(String, bool)>)> {
    let item = |line: &str| {
        let mut item: Value = serde_json::from_str(line).unwrap();
        let cases = item["cases"].take();
        let cases = cases.as_array().unwrap().iter();
        let cases = cases.map(|c| (c[0].as_str().unwrap().to_owned(), c[1] == 1)).collect();
        let entry = item.as_object_mut().unwrap();
        entry.entry("question").or_insert_with(|| "?".into());
        let problems = file::json_lines(&item.to_string(), &file::Fields::default(), "fixture").unwrap();
        (problems.into_iter().next().unwrap(), cases)
    };
    fixture.lines().map(item).collect()
}

#[test]
fn a_full_point_of_reasoning_gym_is_right_here_and_nothing_else() {
    for (family, fixture) in FAMILIES {
        let task = tasks::find(family).unwrap();
        let mut wrong = Vec::new();
        let (mut count, mut hits) = (0, 0);
        for (problem, cases) in items(fixture) {
            assert_eq!(problem.task.as_deref(), Some(family));
            for (answer, full) in cases {
                count += 1;
                hits += usize::from(full);
                let ours = task.read(&problem, &answer).is_some_and(|r| r.correct);
                if ours != full {
                    wrong.push(format!("{answer:?} for {:?}: ours {ours}", problem.reference));
                }
            }
        }
        assert!(count >= 500 && hits >= 10, "{family}: {count} cases, {hits} right");
        assert!(wrong.is_empty(), "{family}: {} of {count}\n{}", wrong.len(), wrong.join("\n"));
    }
}

/// What the package holds right is also right as a completion, with our rules and repairs.
#[test]
fn a_right_answer_in_a_completion_is_right() {
    for (family, fixture) in FAMILIES {
        let task = tasks::find(family).unwrap();
        for (problem, cases) in items(fixture) {
            for (answer, _) in cases.iter().filter(|(a, full)| *full && !a.trim().is_empty()) {
                let verdict = task.judge(&problem, &format!("Let me see.\n<answer>{answer}</answer>"));
                assert!(verdict.correct, "{family} {answer:?}: {verdict:?}");
            }
        }
    }
}

/// The pairs on which we differ from math-verify, each with our verdict and why.
const JUDGED: &str = include_str!("fixtures/mathematics_judged.jsonl");

#[test]
fn mathematics_agrees_with_math_verify_but_for_what_is_judged() {
    let judged: Vec<(String, String, u8, String)> =
        JUDGED.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let mut differing = Vec::new();
    let mut count = 0;
    for line in include_str!("fixtures/mathematics.jsonl").lines() {
        let (reference, answer, equal): (String, String, u8) = serde_json::from_str(line).unwrap();
        count += 1;
        let ours = tasks::mathematics::equal(&reference, &answer);
        if ours != (equal == 1) {
            let known = judged.iter().find(|(r, a, ..)| *r == reference && *a == answer);
            if known.is_none_or(|(_, _, verdict, _)| (*verdict == 1) != ours) {
                differing.push(format!("[{reference:?},{answer:?},{}]", u8::from(ours)));
            }
        }
    }
    assert!(count >= 2000 && judged.len() * 100 <= count, "{} of {count} differ", judged.len());
    assert!(differing.is_empty(), "{} not judged:\n{}", differing.len(), differing.join("\n"));
}
