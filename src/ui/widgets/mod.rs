//! Parts that screens are made of.

pub mod bar;
pub mod clusters;
pub mod entropy;
pub mod footer;
pub mod frame;
pub mod header;
pub mod overlay;
pub mod pass;
pub mod problems;
pub mod spark;
pub mod support;

use super::theme::Role;
use crate::support::Status;

/// The colour of a status; its letter or mark stands beside it.
pub fn role(status: Option<Status>) -> Role {
    match status {
        Some(Status::Preserved) => Role::Correct,
        Some(Status::Expanded) => Role::Gained,
        Some(Status::Shrunk) => Role::Lost,
        Some(Status::OutOfSupport) | None => Role::Muted,
    }
}

/// The first row of a list of `rows` that shows `selected` in the middle of `height` rows,
/// as far as the list's ends allow.
pub fn first_shown(selected: usize, rows: usize, height: usize) -> usize {
    selected.saturating_sub(height / 2).min(rows.saturating_sub(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_shows_its_selection() {
        for rows in 0..20 {
            for height in 1..12 {
                for selected in 0..rows {
                    let first = first_shown(selected, rows, height);
                    assert!(first <= selected && selected < first + height);
                    assert!(first == 0 || first + height <= rows);
                }
            }
        }
    }
}
