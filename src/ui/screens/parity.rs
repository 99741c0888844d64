//! The settings of both policies side by side, what differs marked.

use crate::app::State;
use crate::policy::differences;
use crate::ui::canvas::{inset, put, row};
use crate::ui::layout::middle;
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::frame::frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

/// Columns of the mark and the name.
const LEFT: usize = 18;

/// Draws them over a screen from line `at` on; returns the lines that do not fit.
pub fn draw(state: &State, at: usize, theme: &Theme, area: Rect, buf: &mut Buffer) -> usize {
    let area = middle(area, 110, area.height.saturating_sub(2));
    Clear.render(area, buf);
    let title = [(" Settings of the policies ", theme.style(Role::Title))];
    let inner = inset(frame(buf, area, theme, true, &title, " esc closes "), 1, 1);
    let lines = lines(state, usize::from(inner.width));
    let overflow = lines.len().saturating_sub(usize::from(inner.height));
    let shown = lines.iter().skip(at.min(overflow)).take(usize::from(inner.height));
    for (y, line) in shown.enumerate() {
        let area = row(inner, y as u16);
        put(buf, area, 0, 0, line.mark, theme.style(Role::Lost));
        put(buf, area, 2, 0, &line.name, theme.style(line.role));
        let width = column(usize::from(inner.width));
        for (i, (cell, role)) in line.cells.iter().zip([Role::Base, Role::Rlvr]).enumerate() {
            let role = if line.role == Role::Title { role } else { Role::Text };
            put(buf, area, (LEFT + i * (width + 2)) as u16, 0, cell, theme.style(role));
        }
    }
    overflow
}

struct Line {
    mark: &'static str,
    name: String,
    role: Role,
    cells: [String; 2],
}

/// Columns of a policy's values.
fn column(width: usize) -> usize {
    (width.saturating_sub(LEFT + 2) / 2).max(1)
}

fn lines(state: &State, width: usize) -> Vec<Line> {
    let plain =
        |words: &str, role| Line { mark: "", name: words.to_owned(), role, cells: Default::default() };
    let (Some(base), Some(rlvr)) = (state.settings_of(0), state.settings_of(1)) else {
        return vec![plain("Nothing is known of the settings here.", Role::Muted)];
    };
    let width = column(width);
    let head = [0, 1].map(|side| text::fit(state.name(side), width));
    let mut out = vec![Line { mark: "", name: String::new(), role: Role::Title, cells: head }];
    let both = [base.to_vec(), rlvr.to_vec()];
    let differ = differences(&both);
    let mut names: Vec<&str> = Vec::new();
    for setting in base.iter().chain(rlvr) {
        if !names.contains(&&*setting.name) {
            names.push(&setting.name);
        }
    }
    for name in names {
        let cell = |all: &[crate::policy::Setting]| -> Vec<String> {
            let value = all.iter().find(|s| s.name == name).map_or("–", |s| s.value.as_str());
            let value = crate::completion::clean(value).replace('\n', "⏎");
            text::wrap(&value, width).into_iter().map(|l| value[l].to_owned()).collect()
        };
        let cells = [cell(base), cell(rlvr)];
        for i in 0..cells[0].len().max(cells[1].len()).max(1) {
            let first = i == 0;
            out.push(Line {
                mark: if first && differ.contains(&name) { "≠" } else { "" },
                name: if first { name.to_owned() } else { String::new() },
                role: Role::Muted,
                cells: [0, 1].map(|side| cells[side].get(i).cloned().unwrap_or_default()),
            });
        }
    }
    out.push(plain("", Role::Muted));
    out.push(match differ.is_empty() {
        true => plain("What decides the draws is the same for both.", Role::Muted),
        false => plain("≠ differs: what is compared is not the training alone.", Role::Lost),
    });
    out
}
