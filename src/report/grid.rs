//! A table of text: aligned for a terminal, or as Markdown or CSV.

use unicode_width::UnicodeWidthStr;

/// Rows under headings. The first column is aligned left, the others right.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    pub fn new(headings: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { headings: headings.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row of as many cells as there are headings.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Columns in line, two spaces apart.
    pub fn aligned(&self) -> String {
        let widths = self.widths(str::width);
        let mut out = String::new();
        for row in std::iter::once(&self.headings).chain(&self.rows) {
            let cells = row.iter().zip(&widths).enumerate();
            let line: Vec<String> = cells.map(|(i, (cell, &width))| padded(cell, width, i == 0)).collect();
            out.push_str(line.join("  ").trim_end());
            out.push('\n');
        }
        out
    }

    pub fn markdown(&self) -> String {
        let escaped = |row: &Vec<String>| row.iter().map(|c| c.replace('|', "\\|")).collect::<Vec<_>>();
        let line = |row: &Vec<String>| format!("| {} |\n", escaped(row).join(" | "));
        let rule: Vec<&str> = (0..self.headings.len()).map(|i| if i == 0 { "---" } else { "---:" }).collect();
        let rows: String = self.rows.iter().map(line).collect();
        format!("{}| {} |\n{rows}", line(&self.headings), rule.join(" | "))
    }

    /// RFC 4180, with line feeds.
    pub fn csv(&self) -> String {
        let quoted = |cell: &String| match cell.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell.clone(),
        };
        let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n";
        std::iter::once(&self.headings).chain(&self.rows).map(line).collect()
    }

    fn widths(&self, of: impl Fn(&str) -> usize) -> Vec<usize> {
        let column = |i: usize| {
            let cells = std::iter::once(&self.headings).chain(&self.rows).filter_map(move |row| row.get(i));
            cells.map(|cell| of(cell)).max().unwrap_or(0)
        };
        (0..self.headings.len()).map(column).collect()
    }
}

fn padded(cell: &str, width: usize, left: bool) -> String {
    let room = " ".repeat(width.saturating_sub(cell.width()));
    if left { format!("{cell}{room}") } else { format!("{room}{cell}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let mut grid = Grid::new(["name", "n"]);
        grid.row(["漢|a", "1"]);
        grid.row(["say \"hi\", you", "1024"]);
        grid
    }

    #[test]
    fn columns_are_in_line_by_their_width_on_screen() {
        assert_eq!(grid().aligned(), "name              n\n漢|a              1\nsay \"hi\", you  1024\n");
    }

    #[test]
    fn markdown_and_csv_escape_what_would_break_them() {
        assert_eq!(
            grid().markdown(),
            "| name | n |\n| --- | ---: |\n| 漢\\|a | 1 |\n| say \"hi\", you | 1024 |\n"
        );
        assert_eq!(grid().csv(), "name,n\n漢|a,1\n\"say \"\"hi\"\", you\",1024\n");
    }
}
