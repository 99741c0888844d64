//! Advanced Geometry: orthocentre, incircle or an angle of a triangle on the grid.

use super::{ASK, Level, Mend, Reading, Task, id, problem};
use crate::problem::python::{float, round, strip};
use crate::problem::repair::{self, Repair};
use crate::problem::{Problem, Rule};
use crate::random::Stream;
use serde_json::{Value, json};

/// The task.
pub struct AdvancedGeometry;

const LEVELS: [Level; 2] = [
    Level { name: "easy", parameters: "whole coordinates −10…10" },
    Level { name: "hard", parameters: "whole coordinates −100…100" },
];

type Point = (i64, i64);

impl Task for AdvancedGeometry {
    fn name(&self) -> &'static str {
        "advanced_geometry"
    }

    fn title(&self) -> &'static str {
        "Advanced Geometry"
    }

    fn levels(&self) -> &'static [Level] {
        &LEVELS
    }

    fn scoring(&self) -> &'static str {
        "An angle to 2 decimals, a point to 3, a radius as the reference writes it, with 3. The \
         package gives 0.5 to a radius that is right to 2 decimals and 0.05 or 0.01 to any other \
         answer; here these are wrong."
    }

    fn generate(&self, level: &str, seed: u64, index: u64) -> Option<Problem> {
        let reach: i64 = match level {
            "easy" => 10,
            "hard" => 100,
            _ => return None,
        };
        let mut stream = Stream::new(seed).with("advanced_geometry").with(level).at(index);
        let kind = stream.below(3);
        let mut coordinate = || stream.below(2 * reach as usize + 1) as i64 - reach;
        let [a, b, c] = loop {
            let all: [Point; 3] = std::array::from_fn(|_| (coordinate(), coordinate()));
            if doubled_area(all) != 0 {
                break all;
            }
        };
        let (task_type, question, reference, mut metadata) = match kind {
            0 => orthocentre([a, b, c]),
            1 => incircle([a, b, c]),
            _ => angle([a, b, c]),
        };
        let text = |p: Point| json!([p.0.to_string(), p.1.to_string()]);
        for (name, point) in [("A", a), ("B", b), ("C", c)] {
            metadata[name] = text(point);
        }
        metadata["task_type"] = task_type.into();
        let prompt =
            format!("A triangle has the corners A = {a:?}, B = {b:?} and C = {c:?}. {question} {ASK}");
        Some(problem(
            id("advanced_geometry", level, seed, index),
            "advanced_geometry",
            prompt,
            reference,
            metadata,
        ))
    }

    /// Angles are compared to 2 decimals and points to 3; a radius must be written as the
    /// reference is (3 decimals), as the package demands for a full score.
    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading> {
        let kind = problem.metadata.get("task_type").and_then(Value::as_str);
        let reference = problem.reference.as_deref();
        match kind? {
            "angle_measure" => {
                let read = |text: &str| float(&text.replace('°', "")).map(|x| round(x, 2));
                let x = read(answer)?;
                let correct = reference.and_then(read).is_some_and(|r| r == x);
                Some(Reading { answer: format!("{x:.2}°"), correct })
            }
            "orthocenter" => {
                let (x, y) = point(answer)?;
                let correct = exact(problem).is_some_and(|(u, v)| {
                    let same = |a: f64, b: f64| round(a, 3) == round(b, 3);
                    (x == u && y == v) || (same(x, u) && same(y, v))
                });
                // Adding zero makes −0 a 0.
                Some(Reading {
                    answer: format!("({:.3}, {:.3})", round(x, 3) + 0.0, round(y, 3) + 0.0),
                    correct,
                })
            }
            "incircle_radius" => {
                let correct = reference == Some(answer);
                (correct || float(answer).is_some())
                    .then(|| Reading { answer: strip(answer).to_owned(), correct })
            }
            _ => None,
        }
    }

    fn rules(&self) -> &'static [Rule] {
        &[Rule::Tag, Rule::Box, Rule::Marker, Rule::LastLine, Rule::LastNumber]
    }

    fn repairs(&self) -> &'static [Mend] {
        &[
            (Repair::Dress, undressed),
            (Repair::RightHandSide, repair::right_hand_side),
            (Repair::LatexFraction, |t| fractions(&repair::latex_fraction(t))),
            (Repair::Decimals, decimals),
        ]
    }
}

fn undressed(text: &str) -> String {
    let text = text.replace("^{\\circ}", "").replace("^\\circ", "").replace("\\circ", "");
    let text = text.replace("\\left", "").replace("\\right", "");
    let text = repair::dress(&text);
    text.strip_suffix("degrees").unwrap_or(&text).trim().to_owned()
}

/// Fractions of whole numbers as decimals: `(158/39, -2)`.
fn fractions(text: &str) -> String {
    let inner = text.trim_matches(|c| matches!(c, '(' | ')'));
    let value = |part: &str| {
        let (a, b) = part.split_once('/')?;
        let (a, b) = (float(a)?, float(b)?);
        (b != 0.0).then(|| (a / b).to_string())
    };
    let parts: Vec<String> = inner.split(',').map(|p| value(p).unwrap_or_else(|| p.to_owned())).collect();
    if text.contains('/') { parts.join(",") } else { text.to_owned() }
}

/// One number with 3 decimals; other texts as they are.
fn decimals(text: &str) -> String {
    match float(text) {
        Some(x) if x.is_finite() => format!("{x:.3}"),
        _ => text.to_owned(),
    }
}

/// The first two parts between commas as numbers, without opening brackets in the first and
/// closing ones in the second.
fn point(answer: &str) -> Option<(f64, f64)> {
    let mut parts = answer.split(',');
    let x = float(&parts.next()?.replace('(', ""))?;
    let y = float(&parts.next()?.replace(')', ""))?;
    Some((x, y))
}

/// The exact orthocentre of the metadata, `["158/39", "-2"]`.
fn exact(problem: &Problem) -> Option<(f64, f64)> {
    let at = |i: usize| {
        let text = problem.metadata.get("ortho")?.get(i)?.as_str()?;
        match text.split_once('/') {
            Some((a, b)) => Some(float(a)? / float(b)?),
            None => float(text),
        }
    };
    Some((at(0)?, at(1)?))
}

type Made = (&'static str, &'static str, String, Value);

fn orthocentre([a, b, c]: [Point; 3]) -> Made {
    // (H − A)·(C − B) = 0 and (H − B)·(C − A) = 0, by Cramer's rule.
    let (u, v) = ((c.0 - b.0, c.1 - b.1), (c.0 - a.0, c.1 - a.1));
    let (p, q) = (a.0 * u.0 + a.1 * u.1, b.0 * v.0 + b.1 * v.1);
    let d = u.0 * v.1 - u.1 * v.0;
    let (x, y) = (p * v.1 - u.1 * q, u.0 * q - p * v.0);
    let (fx, fy) = (x as f64 / d as f64 + 0.0, y as f64 / d as f64 + 0.0);
    let metadata = json!({ "ortho": [lowest(x, d), lowest(y, d)], "orthocenter_approx": [fx, fy] });
    let question = "Where do its altitudes meet (the orthocentre)? Answer as (x, y), to 3 decimals.";
    // Decimals that round to −0 are written without the sign.
    let reference = format!("({:.3}, {:.3})", round(fx, 3) + 0.0, round(fy, 3) + 0.0);
    ("orthocenter", question, reference, metadata)
}

fn lowest(n: i64, d: i64) -> String {
    let g = repair::gcd(n.unsigned_abs().into(), d.unsigned_abs().into()) as i64 * d.signum();
    let (n, d) = (n / g, d / g);
    if d == 1 { n.to_string() } else { format!("{n}/{d}") }
}

fn incircle(corners: [Point; 3]) -> Made {
    let [a, b, c] = corners;
    let perimeter = distance(a, b) + distance(b, c) + distance(c, a);
    let radius = doubled_area(corners).abs() as f64 / perimeter;
    let metadata = json!({ "incircle_radius_approx": radius });
    (
        "incircle_radius",
        "What is the radius of its incircle, to 3 decimals?",
        format!("{radius:.3}"),
        metadata,
    )
}

fn angle([a, b, c]: [Point; 3]) -> Made {
    let (u, v) = ((a.0 - b.0, a.1 - b.1), (c.0 - b.0, c.1 - b.1));
    let (cross, dot) = ((u.0 * v.1 - u.1 * v.0) as f64, (u.0 * v.0 + u.1 * v.1) as f64);
    let degrees = cross.abs().atan2(dot).to_degrees();
    let metadata = json!({ "angle_ABC_degrees": degrees });
    (
        "angle_measure",
        "How large is its angle at B, in degrees, to 2 decimals?",
        format!("{degrees:.2}°"),
        metadata,
    )
}

fn doubled_area([a, b, c]: [Point; 3]) -> i64 {
    a.0 * (b.1 - c.1) + b.0 * (c.1 - a.1) + c.0 * (a.1 - b.1)
}

fn distance(a: Point, b: Point) -> f64 {
    ((a.0 - b.0) as f64).hypot((a.1 - b.1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triangles_are_measured() {
        let right = [(0, 0), (4, 0), (0, 3)];
        assert_eq!(orthocentre(right).2, "(0.000, 0.000)");
        assert_eq!(orthocentre([(8, -8), (-2, -7), (5, 4)]).2, "(4.051, -5.487)");
        assert_eq!(incircle(right).2, "1.000");
        assert_eq!(angle([(4, 0), (0, 0), (0, 3)]).2, "90.00°");
    }
}
