//! A field that does not fit.

use std::{borrow::Cow, fmt};

/// A field that does not fit, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name.
    pub field: Cow<'static, str>,
    /// What is wrong, for a person: "must be a number from 0 to 1". Never echoes the input.
    pub detail: Cow<'static, str>,
}

impl FieldError {
    /// A fault of `field`.
    pub fn new(field: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), detail: detail.into() }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.detail)
    }
}
