//! Explore: one problem under both policies, while completions come in.

use crate::app::state::Scope;
use crate::app::state::explore::Layout;
use crate::app::{State, Target};
use crate::ui::theme::Theme;
use crate::ui::widgets::{clusters, entropy, footer, header, overlay, pass, problems, support};
use crate::ui::{Seen, layout, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub fn draw(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer, seen: &mut Seen) {
    let statement = text::width(&state.statement(state.current)) + 20;
    let panes = layout::explore(area, statement);
    header::header(state, theme, panes.header, buf);
    header::statement(state, theme, panes.statement, buf);
    if panes.problems.width > 0 {
        problems::problems(state, theme, panes.problems, buf, seen);
    }
    match state.explore.layout {
        Layout::Beside => {
            for side in [0, 1] {
                clusters::clusters(state, side, theme, panes.clusters[side], buf, seen);
            }
        }
        Layout::Over => {
            overlay::overlay(state, theme, panes.clusters[0].union(panes.clusters[1]), buf, seen);
        }
    }
    if panes.figures.height > 0 {
        header::figures(state, theme, panes.figures, buf);
    }
    if panes.support.width > 0 {
        support::support(state, theme, panes.support, buf);
        seen.target(panes.support, Target::Support);
    }
    let both = panes.charts[1].width > 0;
    let scopes = if both { [Scope::Problem, Scope::All] } else { [state.scope; 2] };
    for (chart, scope) in panes.charts.into_iter().zip(scopes).filter(|(chart, _)| chart.width > 0) {
        pass::pass(state, scope, theme, chart, buf);
        seen.target(chart, Target::Chart);
    }
    if panes.entropy.width > 0 {
        entropy::entropy(state, theme, panes.entropy, buf);
    }
    footer::footer(state, theme, panes.footer, buf);
}
