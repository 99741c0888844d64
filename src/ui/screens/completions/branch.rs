//! Where continuations lead, under both policies side by side.

use super::readout::Columns;
use crate::app::State;
use crate::app::branch::Branch;
use crate::ui::canvas::{put, put_right, row};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The rows that it would like to have in a pane of so many.
pub fn wish(branch: &Branch, height: u16) -> u16 {
    let ends = if height < 26 { 5 } else { 10 };
    4 + branch.leads().len().clamp(1, ends) as u16 + branch.failed.iter().flatten().count() as u16
}

pub fn draw(state: &State, branch: &Branch, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let muted = theme.style(Role::Muted);
    let all = text::grouped(branch.asked.into());
    let words = match branch.is_running() {
        true => {
            let drawn = text::grouped(u64::from(branch.drawn[0].min(branch.drawn[1])));
            format!("branch: {drawn} of {all} each")
        }
        false => format!("branch: {all} each"),
    };
    super::rule(buf, area, &words, theme);
    let line = row(area, 1);
    let x = put(buf, line, 1, 0, "after ", muted);
    let room = usize::from(area.width.saturating_sub(x));
    put(buf, line, x, 0, &tail(&branch.prefix, room), theme.style(Role::Title));
    let columns = Columns::new(area.width);
    let hint = if branch.is_empty() { "not recorded" } else { "unrecorded; c reads" };
    let room = usize::from(columns.words);
    put(buf, row(area, 2), 1, 0, &text::fit(hint, room), theme.style(Role::Faint));
    columns.names(state, theme, row(area, 2), buf);
    let line = row(area, 3);
    put(buf, line, 1, 0, "correct", muted);
    let share = |hits: [u32; 2], side: usize| match (hits[side], branch.drawn[side]) {
        (0, 1..) => "0".to_owned(),
        (hits, drawn) => text::percent(hits, drawn),
    };
    for side in [0, 1] {
        columns.figure(side, &share(branch.correct, side), theme, line, buf);
        let rate = f64::from(branch.correct[side]) / f64::from(branch.drawn[side].max(1));
        columns.bar(side, rate, theme, line, buf);
    }
    let mut below = Rect { y: area.y + area.height.min(4), height: area.height.saturating_sub(4), ..area };
    for (side, why) in branch.failed.iter().enumerate() {
        let Some(why) = why.as_ref().filter(|_| below.height > 0) else { continue };
        below.height -= 1;
        let line = Rect { y: below.y + below.height, height: 1, ..below };
        let words = format!("{}: {why}", state.name(side));
        let room = usize::from(line.width.saturating_sub(1));
        put(buf, line, 1, 0, &text::fit(&words, room), theme.style(Role::Lost));
    }
    let leads = branch.leads();
    let rows = usize::from(below.height);
    for (y, lead) in leads.iter().take(rows).enumerate() {
        let line = row(below, y as u16);
        let (mark, role) = if lead.correct { ("✓", Role::Correct) } else { ("✗", Role::Wrong) };
        if branch.shown().is_some_and(|(_, end)| end == *lead) {
            put(buf, line, 0, 0, "▸", theme.style(Role::Accent));
        }
        put(buf, line, 1, 0, mark, theme.style(role));
        let words = format!("{}  {}", lead.answer, lead.method);
        let style = theme.style(if lead.correct { Role::Text } else { Role::Muted });
        let room = usize::from(columns.words.saturating_sub(2));
        put(buf, line, 3, 0, &text::fit(words.trim_end(), room), style);
        for side in [0, 1] {
            columns.figure(side, &share(lead.hits, side), theme, line, buf);
            let rate = f64::from(lead.hits[side]) / f64::from(branch.drawn[side].max(1));
            columns.bar(side, rate, theme, line, buf);
        }
    }
    let more = leads.len().saturating_sub(rows);
    if more > 0 && rows > 0 {
        let words = format!(" {more} more ends ");
        put_right(buf, row(area, 0), area.width.saturating_sub(1), 0, &words, muted);
    }
}

/// The end of a text on one line, its line feeds visible.
fn tail(words: &str, columns: usize) -> String {
    let line = match crate::completion::clean(words).trim_start_matches('\n') {
        "" => "nothing: from the start".to_owned(),
        words => format!("“{}”", words.trim_start().replace('\n', "↵")),
    };
    text::tail(&line, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_prefix_its_end_is_shown() {
        assert_eq!(tail(" Multiply: 4\n", 40), "“Multiply: 4↵”");
        assert_eq!(tail("one two three", 8), "… three”");
        assert!(tail("\n", 40).starts_with("nothing"));
        assert!((0..30).all(|n| text::width(&tail("漢字 and more words", n)) <= n.max(1)));
    }
}
