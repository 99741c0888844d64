//! Graph Colouring: give every vertex a colour that no neighbour has.

use super::{ASK, Level, Mend, Path, Reading, Task, id, problem, worked};
use crate::problem::repair::{self, Repair};
use crate::problem::{Problem, Rule};
use crate::random::Stream;
use regex::Regex;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The task.
pub struct GraphColor;

const LEVELS: [Level; 4] = [
    Level { name: "easy", parameters: "10 vertices, 3 colours, a tenth of all edges" },
    Level { name: "hard", parameters: "10–20 vertices, 4 colours, a tenth of all edges" },
    Level { name: "15", parameters: "15 vertices, 3 colours, a tenth of all edges" },
    Level { name: "20", parameters: "20 vertices, 3 colours, a tenth of all edges" },
];

impl Task for GraphColor {
    fn name(&self) -> &'static str {
        "graph_color"
    }

    fn title(&self) -> &'static str {
        "Graph Colouring"
    }

    fn levels(&self) -> &'static [Level] {
        &LEVELS
    }

    fn scoring(&self) -> &'static str {
        "Any colouring in which no two joined vertices share a colour. The package gives 0.01 to \
         any other JSON; here that is wrong."
    }

    fn generate(&self, level: &str, seed: u64, index: u64) -> Option<Problem> {
        let (low, high, colours) = match level {
            "easy" => (10, 10, 3),
            "hard" => (10, 20, 4),
            "15" => (15, 15, 3),
            "20" => (20, 20, 3),
            _ => return None,
        };
        let mut stream = Stream::new(seed).with("graph_color").with(level).at(index);
        let n = low + stream.below(high - low + 1);
        // Only graphs that colouring in order solves: so it is in the package.
        let (edges, solution) = loop {
            let pairs = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
            let edges: Vec<(usize, usize)> = pairs.filter(|_| stream.chance(0.1)).collect();
            if let Some(solution) = greedy(n, &edges, colours) {
                break (edges, solution);
            }
        };
        let listed: Vec<String> = edges.iter().map(|(a, b)| format!("{a}–{b}")).collect();
        let prompt = format!(
            "A graph has the vertices 0 to {}. These are joined: {}. Give each vertex one of the colours 1 to \
             {colours}, so that no two joined vertices share one. Answer with a JSON object from vertex to colour, \
             such as {{\"0\": 1, \"1\": 2}}. {ASK}",
            n - 1,
            if listed.is_empty() { "none".to_owned() } else { listed.join(", ") }
        );
        let vertices: Vec<usize> = (0..n).collect();
        let options: Vec<usize> = (1..=colours).collect();
        let metadata = json!({
            "puzzle": { "vertices": vertices, "edges": edges, "num_colors": colours, "color_options": options },
            "num_vertices": n,
        });
        let answer = shown(vertices.iter().zip(solution.iter().map(|c| *c as i64)));
        Some(problem(id("graph_color", level, seed, index), "graph_color", prompt, answer, metadata))
    }

    /// Every proper colouring is right.
    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let Value::Object(given) = serde_json::from_str(answer).ok()? else { return None };
        let puzzle = problem.metadata.get("puzzle")?;
        let vertices: Vec<i64> = numbers(puzzle.get("vertices")?)?;
        let options: Vec<i64> = numbers(puzzle.get("color_options")?)?;
        let colour = |v: i64| given.get(&v.to_string()).and_then(as_python_int);
        let colours: Vec<Option<i64>> = vertices.iter().map(|v| colour(*v)).collect();
        let proper = puzzle.get("edges")?.as_array()?.iter().all(|e| match numbers(e).as_deref() {
            Some([a, b]) => colour(*a) != colour(*b),
            _ => false,
        });
        let allowed = colours.iter().all(|c| c.is_some_and(|c| options.contains(&c)));
        let known = vertices.iter().zip(&colours).filter_map(|(v, c)| Some((v, (*c)?)));
        Some(Reading { answer: shown(known), correct: allowed && proper })
    }

    fn rules(&self) -> &'static [Rule] {
        &[Rule::Tag, Rule::Box, Rule::Marker, Rule::Fence, Rule::LastLine]
    }

    fn repairs(&self) -> &'static [Mend] {
        &[(Repair::JsonFence, repair::json_fence), (Repair::Dress, repair::dress)]
    }

    /// The order in which vertices get their colours; sound if the steps give no two joined
    /// vertices one colour.
    fn path(&self, problem: &Problem, text: &str, _answer: Option<&str>) -> Path {
        let steps = assignments(worked(text));
        let Some(edges) = edges(problem) else { return (Some(order(&steps, &[]).into()), None) };
        let mut colour = std::collections::HashMap::new();
        for (v, c) in &steps {
            colour.insert(*v, *c);
        }
        let clash = edges.iter().any(|(a, b)| colour.get(a).is_some_and(|c| colour.get(b) == Some(c)));
        (Some(order(&steps, &edges).into()), Some(!steps.is_empty() && !clash))
    }
}

/// The first free colour for each vertex in order, from 1.
fn greedy(n: usize, edges: &[(usize, usize)], colours: usize) -> Option<Vec<usize>> {
    let mut given = vec![0; n];
    for v in 0..n {
        let taken = |c: usize| edges.iter().any(|(a, b)| *b == v && given[*a] == c);
        given[v] = (1..=colours).find(|c| !taken(*c))?;
    }
    Some(given)
}

/// `{"0": 1, "1": 2}`.
fn shown<V: std::fmt::Display>(colours: impl Iterator<Item = (V, i64)>) -> String {
    let all: Vec<String> = colours.map(|(v, c)| format!("\"{v}\": {c}")).collect();
    format!("{{{}}}", all.join(", "))
}

fn numbers(value: &Value) -> Option<Vec<i64>> {
    value.as_array()?.iter().map(Value::as_i64).collect()
}

/// A JSON value that Python holds equal to a whole number: `1`, `1.0`, `true`.
fn as_python_int(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(b) => Some(i64::from(*b)),
        Value::Number(n) => n.as_i64().or_else(|| n.as_f64().filter(|x| x.fract() == 0.0).map(|x| x as i64)),
        _ => None,
    }
}

fn edges(problem: &Problem) -> Option<Vec<(i64, i64)>> {
    let all = problem.metadata.get("puzzle")?.get("edges")?.as_array()?;
    all.iter().map(|e| Some((e.get(0)?.as_i64()?, e.get(1)?.as_i64()?))).collect()
}

/// Every `vertex 3: colour 1`, `3 gets 1`, `3 -> 1` of a text.
fn assignments(text: &str) -> Vec<(i64, i64)> {
    static GIVEN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(\d{1,4})\b\s*(?::|=|->|→|is|gets|takes)\s*(?:the\s+)?(?:colou?r\s*)?(\d{1,3})\b")
            .expect("a valid expression")
    });
    GIVEN.captures_iter(text).filter_map(|c| Some((c[1].parse().ok()?, c[2].parse().ok()?))).collect()
}

fn order(steps: &[(i64, i64)], edges: &[(i64, i64)]) -> &'static str {
    let degree = |v: i64| edges.iter().filter(|(a, b)| *a == v || *b == v).count();
    // Only the first time counts, and only as many vertices as a puzzle can have.
    let mut seen = std::collections::HashSet::new();
    let vertices: Vec<i64> = steps.iter().map(|(v, _)| *v).filter(|v| seen.insert(*v)).take(64).collect();
    let by_colour = steps.windows(2).all(|w| w[0].1 <= w[1].1);
    if vertices.len() < 2 {
        "at a glance"
    } else if vertices.windows(2).all(|w| w[0] < w[1]) {
        "in order of number"
    } else if vertices.windows(2).all(|w| degree(w[0]) >= degree(w[1])) {
        "most neighbours first"
    } else if by_colour {
        "colour by colour"
    } else {
        "in another order"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_of_vertices_are_methods() {
        let puzzle = json!({ "puzzle": {
            "vertices": [0, 1, 2, 3], "edges": [[0, 1], [1, 2], [1, 3]], "color_options": [1, 2, 3],
        }});
        let p = problem("p".into(), "graph_color", "?".into(), String::new(), puzzle);
        let case = |text: &str, name: &str, sound| {
            let v = GraphColor.judge(&p, &format!("{text}\n#### {{\"0\":1,\"1\":2,\"2\":1,\"3\":1}}"));
            assert!(v.correct, "{text}");
            assert_eq!((v.method.as_deref(), v.sound), (Some(name), Some(sound)), "{text}");
        };
        case("0: 1, 1: 2, 2: 1, 3: 1.", "in order of number", true);
        case("Vertex 1 gets colour 2. 0 gets 1. 3 gets 1. 2 gets 1.", "most neighbours first", true);
        case("3 -> 1, 0 -> 1, 2 -> 1, 1 -> 2", "colour by colour", true);
        case("3 -> 1, 1 -> 2, 0 -> 3, 2 -> 1", "in another order", true);
        case("0: 1, 1: 1", "in order of number", false);
        case("", "at a glance", false);
    }

    #[test]
    fn one_colouring_has_one_form() {
        let p = GraphColor.generate("easy", 1, 1).unwrap();
        let reference = p.reference.clone().unwrap();
        let turned: Value = serde_json::from_str(&reference).unwrap();
        let again = GraphColor.read(&p, &serde_json::to_string_pretty(&turned).unwrap()).unwrap();
        assert_eq!((again.answer, again.correct), (reference, true));
    }
}
