//! The support panel: P, E, S, O and the paper's rates, of this problem and of all.

use super::frame::frame;
use crate::app::State;
use crate::app::figures::epsilon;
use crate::support::{Counts, Criterion, Status};
use crate::ui::canvas::{put, put_right, row};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub fn support(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let unit = state.lens.unit.name();
    let title = if area.width >= 34 { format!(" Support  {unit} ") } else { format!(" {unit} ") };
    let inner = frame(buf, area, theme, false, &[(&title, theme.style(Role::Title))], "");
    let (all, this) = (inner.width.saturating_sub(1), inner.width.saturating_sub(8));
    // The heads of the columns stand in the border.
    for (words, end) in [(" this ", this), (" all ", all)] {
        put_right(buf, area, end + 2, 0, words, theme.style(Role::Muted));
    }
    let counts = [&state.figures.here.counts, &state.figures.all.counts];
    let mut y = 0;
    for status in Status::ALL {
        let line = row(inner, y);
        let x =
            put(buf, line, 1, 0, &status.letter().to_string(), theme.style(widgets::role(Some(status)))) + 1;
        put(
            buf,
            line,
            x,
            0,
            &text::fit(word(status), usize::from(this.saturating_sub(7))),
            theme.style(Role::Text),
        );
        for (counts, end) in counts.iter().zip([this, all]) {
            put_right(buf, line, end, 0, &text::grouped(counts.of(status)), theme.style(Role::Text));
        }
        y += 1;
    }
    if inner.height >= 10 {
        y += 1;
    }
    let rates: [(&str, Rate); 4] =
        [("SRR", Counts::srr), ("NDR", Counts::ndr), ("SDS", Counts::sds), ("NSCR", Counts::nscr)];
    for (name, rate) in rates {
        let line = row(inner, y);
        put(buf, line, 1, 0, name, theme.style(Role::Text));
        for (counts, end) in counts.iter().zip([this, all]) {
            put_right(buf, line, end, 0, &text::decimal(rate(counts), 3), theme.style(Role::Title));
        }
        y += 1;
    }
    // The noise floor: a loss that is no larger than this is no loss.
    if inner.height >= 11 {
        let line = row(inner, y + 1);
        put(
            buf,
            line,
            1,
            0,
            &text::fit("E, S by chance", usize::from(all.saturating_sub(8))),
            theme.style(Role::Muted),
        );
        put_right(
            buf,
            line,
            all,
            0,
            &text::decimal(state.figures.all.by_chance, 1),
            theme.style(Role::Muted),
        );
    }
    foot(state, theme, area, buf);
}

/// A rate of the paper.
type Rate = fn(&Counts) -> Option<f64>;

/// How one looks, in the lower border.
fn foot(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let (k, lens) = (state.figures.here.k, &state.lens);
    let criterion = match lens.criterion {
        Criterion::Found { min_hits: 0 | 1 } => "found once".to_owned(),
        Criterion::Found { min_hits } => format!("found {min_hits} times"),
        Criterion::Threshold { .. } if k > 0 => format!("p > ε {}", text::small(epsilon(k))),
        Criterion::Threshold { .. } => "p > ε".to_owned(),
    };
    let words = if lens.sound { format!(" {criterion}, sound ") } else { format!(" {criterion} ") };
    if area.height > 1 {
        put(buf, area, 2, area.height - 1, &words, theme.style(Role::Muted));
    }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::OutOfSupport => "neither",
        other => other.word(),
    }
}
