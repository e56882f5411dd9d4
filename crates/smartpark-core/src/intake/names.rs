//! Names that people write in more than one way.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A name without the blanks around it, its accents composed (NFC): the ü of a Mac, which is a u
/// and two dots, is the ü of everybody else.
///
/// ```
/// use smartpark_core::intake::folded_name;
/// assert_eq!(folded_name(" Su\u{308}d "), "Süd");
/// ```
#[must_use]
pub fn folded_name(name: &str) -> Cow<'_, str> {
    let name = name.trim();
    match is_nfc_quick(name.chars()) {
        IsNormalized::Yes => Cow::Borrowed(name),
        _ => Cow::Owned(name.nfc().collect()),
    }
}
