//! Cells of CSV files that a spreadsheet must not take for a formula.
//!
//! What a camera calls itself is text; in a spreadsheet a cell that begins with `=`, `+`, `-` or
//! `@` is a formula. Such a cell is written with a `'` before it, which says "text" there, and
//! the import takes it off again. A text that has `'` before such a sign by itself gets one more,
//! so that what is read back is always what was written.

use std::borrow::Cow;

/// Whether a spreadsheet may take a cell for a formula, or would, without the `'` before it.
fn is_charged(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A text as a cell that no spreadsheet takes for a formula. (What has to be quoted for the form
/// of the file is up to who writes it.)
///
/// ```
/// use smartpark_core::csv_cells::defuse;
/// assert_eq!(defuse("cam_001"), "cam_001");
/// assert_eq!(defuse("=1+1"), "'=1+1");
/// ```
#[must_use]
pub fn defuse(text: &str) -> Cow<'_, str> {
    if is_charged(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text that [`defuse`] made this cell of.
#[must_use]
pub fn undo(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|_| is_charged(cell)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_everything_is_read_back() {
        let table = [
            ("", ""),
            ("cam_001", "cam_001"),
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("+49", "'+49"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("'=1", "''=1"),
            ("''-", "'''-"),
            ("'quoted'", "'quoted'"),
            ("a=b", "a=b"),
            ("'", "'"),
        ];
        for (text, cell) in table {
            assert_eq!(defuse(text), cell);
            assert_eq!(undo(cell), text);
        }
    }
}
