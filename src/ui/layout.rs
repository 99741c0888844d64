//! Where panes stand. With little room panes go in a stated order.

use ratatui::layout::Rect;

/// The smallest window (columns, rows) that shows a screen.
pub const LEAST: (u16, u16) = (40, 12);

/// The panes of Explore. Panes without area are not drawn.
///
/// With fewer rows than 20 the lower panels become one line of figures. With fewer columns
/// the entropy panel goes below 72, the list of problems below 64, the chart below 52; from
/// 150 there are two charts, this problem's and that of all problems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explore {
    pub header: Rect,
    pub statement: Rect,
    pub problems: Rect,
    /// Base, RLVR.
    pub clusters: [Rect; 2],
    /// One line of figures in the place of the panels.
    pub figures: Rect,
    pub support: Rect,
    pub charts: [Rect; 2],
    pub entropy: Rect,
    pub footer: Rect,
}

/// The panes of Explore in a window of at least [`LEAST`]. `statement` is the columns that
/// the statement takes.
pub fn explore(area: Rect, statement: usize) -> Explore {
    let mut rows = Cutter::rows(area);
    let header = rows.first(1);
    let footer = rows.last(1);
    let two = area.height >= 30 && statement > usize::from(area.width);
    let statement = rows.first(1 + u16::from(two));
    let mut out = Explore { header, statement, footer, ..Explore::default() };
    if area.height >= 20 {
        panels(rows.last((area.height * 2 / 5).clamp(10, 18)), &mut out);
    } else {
        out.figures = rows.last(1);
    }
    let mut columns = Cutter::columns(rows.rest);
    out.problems = columns.first(match area.width {
        140.. => 34,
        110.. => 27,
        64.. => 16,
        _ => 0,
    });
    let half = columns.rest.width / 2;
    out.clusters = [columns.first(half), columns.rest];
    out
}

fn panels(area: Rect, out: &mut Explore) {
    let mut columns = Cutter::columns(area);
    let (support, entropy) = match area.width {
        150.. => (44, 38),
        110.. => (42, 34),
        72.. => (26, 25),
        52.. => (26, 0),
        _ => (area.width, 0),
    };
    out.support = columns.first(support);
    out.entropy = columns.last(entropy);
    out.charts[0] = match area.width {
        150.. => columns.first(columns.rest.width / 2),
        _ => Rect { width: 0, ..columns.rest },
    };
    out.charts[1] = columns.rest;
    if out.charts[0].width == 0 {
        out.charts.swap(0, 1);
    }
}

/// The panes of Completions: with fewer than 64 columns the list stands over the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Completions {
    pub header: Rect,
    pub statement: Rect,
    pub list: Rect,
    pub text: Rect,
    pub footer: Rect,
}

/// The panes of Completions in a window of at least [`LEAST`].
pub fn completions(area: Rect) -> Completions {
    let mut rows = Cutter::rows(area);
    let header = rows.first(1);
    let footer = rows.last(1);
    let statement = rows.first(1);
    let (list, text) = if area.width >= 64 {
        let mut columns = Cutter::columns(rows.rest);
        let list = columns.first(if area.width >= 110 { 38 } else { 30 });
        (list, columns.rest)
    } else {
        let third = rows.rest.height / 3;
        (rows.first(third.max(4)), rows.rest)
    };
    Completions { header, statement, list, text, footer }
}

/// The panes of a screen with one large pane: Curves, Suite. `below` rows stand under it
/// where there is room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Large {
    pub header: Rect,
    pub statement: Rect,
    pub main: Rect,
    pub below: Rect,
    pub footer: Rect,
}

/// The panes of Curves and Suite in a window of at least [`LEAST`].
pub fn large(area: Rect, below: u16) -> Large {
    let mut rows = Cutter::rows(area);
    let header = rows.first(1);
    let footer = rows.last(1);
    let statement = rows.first(1);
    let below = rows.last(if rows.rest.height >= below + 8 { below } else { 0 });
    Large { header, statement, main: rows.rest, below, footer }
}

/// Four tiles of an area, in reading order.
pub fn tiles(area: Rect) -> [Rect; 4] {
    let mut rows = Cutter::rows(area);
    let upper = rows.first(area.height / 2);
    let pair = |row: Rect| {
        let mut columns = Cutter::columns(row);
        [columns.first(row.width / 2), columns.rest]
    };
    let ([a, b], [c, d]) = (pair(upper), pair(rows.rest));
    [a, b, c, d]
}

/// A box of this size in the middle of `area`, cut to it.
pub fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

/// Cuts pieces off an area.
struct Cutter {
    rest: Rect,
    rows: bool,
}

impl Cutter {
    fn rows(rest: Rect) -> Self {
        Self { rest, rows: true }
    }

    fn columns(rest: Rect) -> Self {
        Self { rest, rows: false }
    }

    fn first(&mut self, size: u16) -> Rect {
        let rest = self.rest;
        if self.rows {
            let size = size.min(rest.height);
            self.rest = Rect { y: rest.y + size, height: rest.height - size, ..rest };
            Rect { height: size, ..rest }
        } else {
            let size = size.min(rest.width);
            self.rest = Rect { x: rest.x + size, width: rest.width - size, ..rest };
            Rect { width: size, ..rest }
        }
    }

    fn last(&mut self, size: u16) -> Rect {
        let rest = self.rest;
        if self.rows {
            let size = size.min(rest.height);
            self.rest.height -= size;
            Rect { y: rest.y + rest.height - size, height: size, ..rest }
        } else {
            let size = size.min(rest.width);
            self.rest.width -= size;
            Rect { x: rest.x + rest.width - size, width: size, ..rest }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(e: &Explore) -> Vec<Rect> {
        let mut all = vec![e.header, e.statement, e.problems, e.figures, e.support, e.entropy, e.footer];
        all.extend(e.clusters);
        all.extend(e.charts);
        all.retain(|r| r.area() > 0);
        all
    }

    #[test]
    fn the_panes_of_explore_fill_the_window_and_do_not_overlap() {
        for (w, h) in [(40, 12), (52, 19), (60, 20), (70, 24), (80, 24), (120, 36), (160, 50), (300, 90)] {
            let area = Rect::new(3, 2, w, h);
            let all = parts(&explore(area, 200));
            let covered: u32 = all.iter().map(|r| r.area()).sum();
            assert_eq!(covered, area.area(), "{w}×{h}");
            for (i, a) in all.iter().enumerate() {
                assert_eq!(a.intersection(area), *a);
                assert!(all[i + 1..].iter().all(|b| a.intersection(*b).area() == 0), "{w}×{h}");
            }
        }
    }

    #[test]
    fn panes_go_in_the_stated_order() {
        let shown = |w, h| {
            let e = explore(Rect::new(0, 0, w, h), 10);
            [e.problems, e.support, e.charts[0], e.charts[1], e.entropy].map(|r| r.area() > 0)
        };
        assert_eq!(shown(160, 50), [true; 5]);
        assert_eq!(shown(80, 24), [true, true, true, false, true]);
        assert_eq!(shown(70, 24), [true, true, true, false, false]);
        assert_eq!(shown(60, 24), [false, true, true, false, false]);
        assert_eq!(shown(50, 24), [false, true, false, false, false]);
        assert_eq!(shown(80, 19), [true, false, false, false, false]);
    }

    #[test]
    fn every_size_has_a_layout() {
        for w in 0..180 {
            for h in 0..60 {
                let area = Rect::new(0, 0, w, h);
                let (e, c) = (explore(area, 100), completions(area));
                for r in parts(&e).into_iter().chain([c.header, c.list, c.text, c.footer]) {
                    assert_eq!(r.intersection(area), r);
                }
                assert!(middle(area, 50, 9).area() <= area.area());
                let l = large(area, 6);
                let all = [l.header, l.statement, l.main, l.below, l.footer];
                assert_eq!(all.iter().map(|r| r.area()).sum::<u32>(), area.area());
                assert_eq!(tiles(l.main).iter().map(|r| r.area()).sum::<u32>(), l.main.area());
            }
        }
    }
}
