//! The Curves screen.

/// Which curves are looked at, and where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    pub tile: Tile,
    /// Whether the tile fills the window.
    pub maximised: bool,
    /// Where the crosshair stands on every axis, from 0 at the left to 1; `None` until it is
    /// moved.
    pub cursor: Option<f64>,
    /// How often the window was halved around the crosshair.
    pub zoom: u32,
    /// The middle of the window, in shares of the whole axis.
    pub middle: f64,
}

/// One chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tile {
    /// pass@k.
    #[default]
    Pass,
    /// Cover@τ.
    Cover,
    /// Distinct correct items against k.
    Coverage,
    /// Answer entropy against k.
    Entropy,
}

impl Tile {
    /// Every tile, in reading order.
    pub const ALL: [Tile; 4] = [Tile::Pass, Tile::Cover, Tile::Coverage, Tile::Entropy];

    /// The tile `by` places further on, around the end.
    pub fn step(self, by: i32) -> Tile {
        let at = Tile::ALL.iter().position(|t| *t == self).unwrap_or(0) as i32;
        Tile::ALL[(at + by).rem_euclid(Tile::ALL.len() as i32) as usize]
    }
}

/// The most halvings.
const MOST: u32 = 4;

impl Curves {
    /// The part of the axis that is shown, in shares of the whole.
    pub fn window(&self) -> (f64, f64) {
        let width = 0.5f64.powi(self.zoom as i32);
        let from = (self.middle - width / 2.0).clamp(0.0, 1.0 - width);
        (from, from + width)
    }

    /// Moves the crosshair by so many hundredths of the window.
    pub fn shift(&mut self, by: f64) {
        let (from, to) = self.window();
        let at = self.cursor.unwrap_or((from + to) / 2.0) + by * (to - from) / 100.0;
        self.point(at);
    }

    /// Puts the crosshair at a share of the axis; the window follows.
    pub fn point(&mut self, at: f64) {
        let at = at.clamp(0.0, 1.0);
        self.cursor = Some(at);
        let (from, to) = self.window();
        if at < from || at > to {
            self.middle = at;
        }
    }

    /// Halves the window around the crosshair, or doubles it.
    pub fn zoom(&mut self, inwards: bool) {
        self.middle = self.cursor.unwrap_or(if self.zoom == 0 { 0.5 } else { self.middle });
        self.zoom = if inwards { (self.zoom + 1).min(MOST) } else { self.zoom.saturating_sub(1) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_stays_on_the_axis_and_follows_the_crosshair() {
        let mut curves = Curves::default();
        assert_eq!(curves.window(), (0.0, 1.0));
        curves.point(0.9);
        curves.zoom(true);
        assert_eq!(curves.window(), (0.5, 1.0));
        curves.zoom(true);
        assert_eq!(curves.window(), (0.75, 1.0));
        curves.shift(-100.0);
        let (from, to) = curves.window();
        assert!((from..=to).contains(&curves.cursor.unwrap()) && from < 0.75);
        (0..9).for_each(|_| curves.zoom(true));
        assert_eq!(curves.zoom, MOST);
        (0..9).for_each(|_| curves.zoom(false));
        assert_eq!(curves.window(), (0.0, 1.0));
        (0..200).for_each(|_| curves.shift(7.0));
        assert_eq!(curves.cursor, Some(1.0));
    }
}
