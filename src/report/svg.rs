//! The chart of pass@k as a picture that stands alone.

use super::{PassReport, Report};
use std::fmt::Write;

/// The picture's size and the chart's edges within it, in user units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 596.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 380.0;

/// Colours of both themes: the reader's own is taken where it is known, else the light one.
const STYLE: &str = "\
svg { font-family: system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; font-size: 13px; }
.ground { fill: #fbfbf8; } text { fill: #242933; } .muted { fill: #667085; }
.grid { stroke: #d9dce3; stroke-width: 1; } .axis { stroke: #667085; stroke-width: 1; }
.line { fill: none; stroke-width: 2.5; stroke-linejoin: round; } .band { opacity: 0.16; }
.s0 { stroke: #2563eb; } .f0 { fill: #2563eb; } .s1 { stroke: #b4309b; } .f1 { fill: #b4309b; }
.s2 { stroke: #b45309; } .f2 { fill: #b45309; } .s3 { stroke: #0f766e; } .f3 { fill: #0f766e; }
.cross { stroke: #242933; stroke-width: 1; stroke-dasharray: 3 3; }
@media (prefers-color-scheme: dark) {
.ground { fill: #14161b; } text { fill: #d8dbe2; } .muted { fill: #98a1b3; }
.grid { stroke: #2b303b; } .axis { stroke: #98a1b3; }
.s0 { stroke: #7aa2f7; } .f0 { fill: #7aa2f7; } .s1 { stroke: #e08fd0; } .f1 { fill: #e08fd0; }
.s2 { stroke: #f0a860; } .f2 { fill: #f0a860; } .s3 { stroke: #5fc9bd; } .f3 { fill: #5fc9bd; }
.cross { stroke: #d8dbe2; }
}";

/// Dashes tell the curves apart besides their colours.
const DASHES: [&str; 4] = ["none", "9 4", "2 4", "9 4 2 4"];

impl Report {
    /// pass@k of every policy against k on a logarithmic scale, with its 95 % band, and
    /// where the first pair's curves cross.
    pub fn svg(&self) -> String {
        let last = self.policies.iter().flat_map(|p| p.pass_at_k.last()).map(|p| p.k).max().unwrap_or(1);
        let scale = Scale { octaves: f64::from(last.max(2)).log2() };
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"pass@k against k\">\n<style>{STYLE}</style>\n<rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\"/>\n"
        );
        self.title(&mut out);
        axes(&mut out, &scale, last);
        let drawn = self.policies.iter().enumerate().filter(|(_, p)| !p.pass_at_k.is_empty());
        for (i, policy) in drawn.clone() {
            band(&mut out, &scale, i, &policy.pass_at_k);
        }
        for (i, policy) in drawn.clone() {
            curve(&mut out, &scale, i, &policy.pass_at_k);
        }
        self.crossing(&mut out, &scale);
        names(&mut out, &scale, drawn.map(|(i, p)| (i, p.name.as_str(), &p.pass_at_k[..])).collect());
        if self.policies.iter().all(|p| p.pass_at_k.is_empty()) {
            let (x, y) = ((LEFT + RIGHT) / 2.0, (TOP + BOTTOM) / 2.0);
            text(&mut out, x, y, "middle", "muted", "nothing is drawn yet");
        }
        out.push_str("</svg>\n");
        out
    }

    fn title(&self, out: &mut String) {
        let problems = self.problems.len();
        let plural = if problems == 1 { "" } else { "s" };
        let _ = writeln!(
            out,
            "<text x=\"{LEFT}\" y=\"28\"><tspan font-size=\"16\" font-weight=\"600\">pass@k</tspan><tspan class=\"muted\" dx=\"10\">mean over {problems} problem{plural}, bands: 95 %</tspan></text>"
        );
    }

    fn crossing(&self, out: &mut String, scale: &Scale) {
        let Some(k) = self.crossing else { return };
        let x = scale.x(f64::from(k));
        let _ =
            writeln!(out, "<line class=\"cross\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{BOTTOM}\"/>");
        let within = self.pairs.first().and_then(|p| p.crossing_interval);
        let within = within.map(|[low, high]| format!(" ({} to {})", grouped(low), grouped(high)));
        let label = format!("cross at k = {}{}", grouped(k), within.unwrap_or_default());
        let (at, anchor) = if x > (LEFT + RIGHT) / 2.0 { (x - 6.0, "end") } else { (x + 6.0, "start") };
        text(out, at, BOTTOM - 10.0, anchor, "", &label);
    }
}

struct Scale {
    /// log2 of the largest k.
    octaves: f64,
}

impl Scale {
    fn x(&self, k: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (k.max(1.0).log2() / self.octaves).min(1.0)
    }

    fn y(&self, value: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * value.clamp(0.0, 1.0)
    }
}

fn axes(out: &mut String, scale: &Scale, last: u32) {
    for tenth in [0, 2, 4, 6, 8, 10] {
        let y = scale.y(f64::from(tenth) / 10.0);
        let class = if tenth == 0 { "axis" } else { "grid" };
        let _ = writeln!(
            out,
            "<line class=\"{class}\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"/>"
        );
        text(out, LEFT - 8.0, y + 4.5, "end", "muted", &format!("{:.1}", f64::from(tenth) / 10.0));
    }
    // At most nine labels: every octave, or every second, third …
    let step = (scale.octaves / 8.0).ceil().max(1.0) as usize;
    for octave in (0..=last.max(2).ilog2()).step_by(step) {
        let k = 1u32 << octave;
        let x = scale.x(f64::from(k));
        let _ = writeln!(
            out,
            "<line class=\"axis\" x1=\"{x:.1}\" y1=\"{BOTTOM}\" x2=\"{x:.1}\" y2=\"{:.1}\"/>",
            BOTTOM + 5.0
        );
        text(out, x, BOTTOM + 21.0, "middle", "muted", &grouped(k));
    }
    text(out, (LEFT + RIGHT) / 2.0, BOTTOM + 44.0, "middle", "", "k, completions of each problem");
}

fn band(out: &mut String, scale: &Scale, i: usize, points: &[PassReport]) {
    let at = |k: u32, value: f64| format!("{:.1},{:.1}", scale.x(f64::from(k)), scale.y(value));
    let low = points.iter().map(|p| at(p.k, p.low));
    let high = points.iter().rev().map(|p| at(p.k, p.high));
    let edge: Vec<String> = low.chain(high).collect();
    let _ = writeln!(out, "<polygon class=\"band f{}\" points=\"{}\"/>", i % DASHES.len(), edge.join(" "));
}

fn curve(out: &mut String, scale: &Scale, i: usize, points: &[PassReport]) {
    let at = |p: &PassReport| format!("{:.1},{:.1}", scale.x(f64::from(p.k)), scale.y(p.value));
    let way: Vec<String> = points.iter().map(at).collect();
    let (number, dash) = (i % DASHES.len(), DASHES[i % DASHES.len()]);
    let _ = writeln!(
        out,
        "<polyline class=\"line s{number}\" stroke-dasharray=\"{dash}\" points=\"{}\"/>",
        way.join(" ")
    );
    if let [only] = points {
        let (x, y) = (scale.x(f64::from(only.k)), scale.y(only.value));
        let _ = writeln!(out, "<circle class=\"f{number}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
    }
}

/// Each curve's name at its end, moved apart where they would overlap.
fn names(out: &mut String, scale: &Scale, curves: Vec<(usize, &str, &[PassReport])>) {
    const LINE: f64 = 17.0;
    let mut ends: Vec<(f64, usize, String)> = curves
        .into_iter()
        .filter_map(|(i, name, points)| {
            let last = points.last()?;
            let name: String = name.chars().take(12).collect();
            Some((scale.y(last.value) + 4.5, i, format!("{name} {:.2}", last.value)))
        })
        .collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    for i in 1..ends.len() {
        ends[i].0 = ends[i].0.max(ends[i - 1].0 + LINE);
    }
    for (y, i, label) in ends {
        text(out, RIGHT + 10.0, y, "start", &format!("f{}", i % DASHES.len()), &label);
    }
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, class: &str, content: &str) {
    let content = content.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{content}</text>"
    );
}

/// A whole number with thin spaces between thousands.
fn grouped(n: u32) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::{Completion, Finish};
    use crate::problem::{Problem, Verdict};
    use crate::record::{PolicyEntry, Run};
    use crate::support::{Ledger, Lens};

    /// One problem; which of each policy's completions are correct.
    fn report(base: &[bool], rlvr: &[bool]) -> Report {
        let mut ledger = Ledger::new(2, 1);
        for (policy, all) in [base, rlvr].into_iter().enumerate() {
            for (i, &correct) in all.iter().enumerate() {
                let completion = Completion::traced(i as u32, i.to_string(), Vec::new(), Finish::Stop);
                ledger.add(policy, 0, &completion, &Verdict { correct, ..Verdict::default() });
            }
        }
        let entry = |name: &str, role: &str| PolicyEntry {
            name: name.into(),
            role: role.into(),
            spec: None,
            settings: Default::default(),
        };
        let run = Run {
            version: 1,
            policies: vec![entry("a<b", "base"), entry("rlvr", "rlvr")],
            sampling: None,
            k: None,
        };
        let problem = Problem {
            id: "p".into(),
            task: None,
            prompt: "?".into(),
            reference: None,
            metadata: serde_json::Map::new(),
        };
        Report::new(&run, &[problem], &ledger, &Lens::default())
    }

    #[test]
    fn curves_bands_names_and_the_crossing_are_there() {
        let picture = report(&[true, false, true, false], &[true; 4]).svg();
        assert_eq!(picture.matches("<polyline class=\"line").count(), 2);
        assert_eq!(picture.matches("<polygon class=\"band").count(), 2);
        assert!(picture.contains(">a&lt;b 1.00<") && !picture.contains("a<b"), "{picture}");
        assert!(picture.contains("cross at k = 3 ("), "{picture}");
        assert!(picture.contains("prefers-color-scheme: dark"));
        // Both end at 1: their names stand a line apart.
        let end = |name: &str| {
            let before = &picture[..picture.find(name).unwrap()];
            let y = before.rsplit("y=\"").next().unwrap();
            y[..y.find('"').unwrap()].parse::<f64>().unwrap()
        };
        assert!((end(">rlvr 1.00") - end(">a&lt;b 1.00")).abs() >= 17.0);
    }

    #[test]
    fn nothing_drawn_and_one_completion_are_pictures_too() {
        assert!(report(&[], &[]).svg().contains("nothing is drawn yet"));
        let one = report(&[true], &[false]).svg();
        assert_eq!(one.matches("<circle").count(), 2);
        assert!(!one.contains("cross at") && !one.contains("NaN"), "{one}");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(1024), "1\u{2009}024");
        assert_eq!(grouped(999), "999");
    }
}
