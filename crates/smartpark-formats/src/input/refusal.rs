//! What is not counted, and why.

use std::fmt;

use crate::limits::MAX_WORD_CHARS;

/// The kind of a reason, for counting by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The message is not in the format of the device.
    Unreadable,
    /// The message is larger, deeper or makes more events than is allowed.
    TooLarge,
    /// A member that the translator needs is absent or does not fit.
    Missing,
    /// No entry of the configuration names the device's word.
    NotConfigured,
    /// No camera subscribes to the topic, or a retained message is an old one.
    NotSubscribed,
    /// The configuration ignores this type of object.
    IgnoredType,
    /// The type of object is not one of the known words.
    UnknownType,
    /// The device is less sure than `min_confidence`.
    LowConfidence,
    /// The device tells no direction.
    NoDirection,
    /// The device tells of something that is no crossing.
    NoCrossing,
    /// The number or time is not one that can be read.
    NotANumber,
    /// The same was told before.
    Repeat,
    /// More vehicles than can have passed, or a reading that contradicts others.
    Implausible,
    /// A message between this one and the one before was lost.
    LostMessage,
    /// Time passed between two intervals that no interval tells of.
    Gap,
}

impl Reason {
    /// One word for metrics and lists.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::Missing => "missing",
            Self::NotConfigured => "not_configured",
            Self::NotSubscribed => "not_subscribed",
            Self::IgnoredType => "ignored_type",
            Self::UnknownType => "unknown_type",
            Self::LowConfidence => "low_confidence",
            Self::NoDirection => "no_direction",
            Self::NoCrossing => "no_crossing",
            Self::NotANumber => "not_a_number",
            Self::Repeat => "repeat",
            Self::Implausible => "implausible",
            Self::LostMessage => "lost_message",
            Self::Gap => "gap",
        }
    }
}

/// Something in a message that made no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct NotCounted {
    /// The kind of the reason.
    pub reason: Reason,
    /// The reason as a short sentence for a person: `rule Fence is not configured`.
    pub detail: String,
    /// The device's word that was not known, cut to 100 characters without control characters.
    /// Never a plate, a name of a person or a picture.
    pub word: Option<String>,
    /// Its position in the message, if the message is a list of events.
    pub element: Option<usize>,
}

impl NotCounted {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), word: None, element: None }
    }

    /// `<what> <word> <verdict>`, as in `rule Fence is not configured`.
    pub(crate) fn word(reason: Reason, what: &str, word: &str, verdict: &str) -> Self {
        let word = displayable(word);
        let detail = format!("{what} {word} {verdict}");
        Self { reason, detail: detail.trim().to_owned(), word: Some(word), element: None }
    }

    /// `<what> <word> is not configured`.
    pub(crate) fn not_configured(what: &str, word: &str) -> Self {
        Self::word(Reason::NotConfigured, what, word, "is not configured")
    }

    /// `<path> is missing`.
    pub(crate) fn missing(path: impl fmt::Display) -> Self {
        Self::new(Reason::Missing, format!("{path} is missing"))
    }

    pub(crate) fn at(mut self, element: usize) -> Self {
        self.element = Some(element);
        self
    }
}

/// A device's word, fit to be shown: short, on one line.
pub(crate) fn displayable(word: &str) -> String {
    word.chars().filter(|c| !c.is_control()).take(MAX_WORD_CHARS).collect()
}
