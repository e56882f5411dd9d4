//! Cells of CSV files that a spreadsheet must not take for a formula.
//!
//! What a camera calls itself is text; in a spreadsheet a cell that begins with `=`, `+`, `-` or
//! `@` is a formula, in some also after blanks, and with the wide or small forms of these signs
//! that East Asian keyboards write. Such a cell is written with a `'` before it, which says "text"
//! there, and the import takes it off again. A text that has `'` before such a sign by itself gets
//! one more, so that an import reads back exactly what was written.

use std::borrow::Cow;

/// How a formula may begin: the ASCII signs, and every character that Unicode's compatibility
/// normalization (NFKC) turns into one of them.
const SIGNS: [char; 15] = [
    '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}', '\u{fe66}', '\u{fe62}',
    '\u{fe63}', '\u{fe6b}', '\u{207a}', '\u{208a}', '\u{fb29}',
];
/// Characters without a width, which a spreadsheet may not see.
const UNSEEN: [char; 8] =
    ['\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}'];

/// Whether a spreadsheet may take a cell for a formula, or would, without the `'` before it.
fn is_charged(cell: &str) -> bool {
    let begin = cell.trim_start_matches('\'');
    let is_passed = |c: char| c == '\'' || c.is_whitespace() || UNSEEN.contains(&c);
    begin.starts_with(['\t', '\r']) || begin.trim_start_matches(is_passed).starts_with(SIGNS)
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
            ("\u{ff1d}1+1", "'\u{ff1d}1+1"),
            ("\u{ff0b}1", "'\u{ff0b}1"),
            ("\u{ff0d}1", "'\u{ff0d}1"),
            ("\u{ff20}SUM(1)", "'\u{ff20}SUM(1)"),
            ("\u{fe66}1", "'\u{fe66}1"),
            ("'\u{ff1d}1", "''\u{ff1d}1"),
            (" =1", "' =1"),
            ("\u{feff}=1", "'\u{feff}=1"),
            ("\u{a0}'\u{200b}+1", "'\u{a0}'\u{200b}+1"),
            (" 1=1", " 1=1"),
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

    /// Every text of up to three characters of these is read back, and none begins a formula.
    #[test]
    fn whatever_is_written_is_read_back() {
        let alphabet = ['\'', ' ', '\t', '=', '\u{ff1d}', '\u{feff}', 'a', '"'];
        let mut texts = vec![String::new()];
        for _ in 0..3 {
            let longer = texts.iter().flat_map(|text| alphabet.map(|c| format!("{text}{c}")));
            texts = longer.chain(texts.iter().cloned()).collect();
        }
        for text in texts {
            let cell = defuse(&text);
            assert_eq!(undo(&cell), text);
            let seen = cell.trim_start_matches(|c: char| c.is_whitespace() || UNSEEN.contains(&c));
            assert!(!seen.starts_with(SIGNS), "{text:?} becomes {cell:?}");
        }
    }
}
