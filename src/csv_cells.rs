//! Cells of CSV that are safe in a spreadsheet: what begins like a formula is shown, not run.

use std::borrow::Cow;

/// The text with a `'` before it where a spreadsheet would take it for a formula.
pub(crate) fn defuse(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_defused() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r"] {
            assert_eq!(defuse(text), format!("'{text}"));
        }
        for text in ["", "cam_001", "a=b", "'", "1-1", " =1"] {
            assert_eq!(defuse(text), text);
        }
    }
}
