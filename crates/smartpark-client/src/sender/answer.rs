//! What an answer of the server means for the events that were sent.

use std::time::Duration;

use serde::Deserialize;

use crate::{
    limits::MAX_REASON_CHARS,
    spool::{Outcome, Refusal},
};

/// What came back for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A response.
    Response {
        /// The HTTP status.
        status: u16,
        /// What `Retry-After` says.
        retry_after: Option<Duration>,
        /// The body.
        body: Vec<u8>,
    },
    /// None: no connection, a time-out, a response that broke off. The server may have taken the
    /// events all the same.
    None {
        /// What happened.
        reason: String,
        /// Whether it took too long, so that a smaller request may get through.
        timed_out: bool,
    },
}

/// What an answer means for a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Each event's outcome; none for one that must be sent again.
    Rows(Vec<Option<Outcome>>),
    /// The server refuses the request as a whole.
    Refused(Outcome),
    /// Nothing is known of the events: send the same again.
    Unknown {
        reason: String,
        retry_after: Option<Duration>,
        /// Whether a smaller request may get through.
        is_slow: bool,
        /// Whether the server was away, and may come back with an older database.
        was_away: bool,
    },
}

/// The answer to a batch (`BatchRecorded` of the server).
#[derive(Deserialize)]
struct BatchAnswer {
    recorded: usize,
    duplicates: usize,
    rejected: usize,
    errors: Vec<RowProblem>,
}

/// The answer to a single event, as far as it matters.
#[derive(Deserialize)]
struct SingleAnswer {
    duplicate: bool,
}

#[derive(Deserialize)]
struct RowProblem {
    index: usize,
    #[serde(flatten)]
    problem: Problem,
}

/// A problem document (RFC 9457).
#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    r#type: String,
    status: u16,
    title: String,
    detail: String,
    errors: Vec<FieldProblem>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FieldProblem {
    pointer: String,
    detail: String,
}

/// What `answer` means for a batch of so many events.
pub(super) fn meaning(answer: &Answer, events: usize) -> Meaning {
    let (status, retry_after, body) = match answer {
        Answer::None { reason, timed_out } => {
            return Meaning::Unknown {
                reason: shown(reason),
                retry_after: None,
                is_slow: *timed_out,
                was_away: true,
            };
        }
        Answer::Response { status, retry_after, body } => (*status, *retry_after, body),
    };
    if (200..300).contains(&status) {
        return match rows(body, events) {
            Some(outcomes) => Meaning::Rows(outcomes),
            None => Meaning::Unknown {
                reason: format!(
                    "the server answered {status}, but not as SmartPark does; check the address"
                ),
                retry_after,
                is_slow: false,
                was_away: false,
            },
        };
    }
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    match outcome(status, &problem) {
        Some(outcome) => Meaning::Refused(outcome),
        None => Meaning::Unknown {
            reason: reason(status, &problem),
            retry_after,
            is_slow: status == 408,
            was_away: status >= 500,
        },
    }
}

/// The outcomes in a good answer. Nothing if it does not speak of exactly these events: then
/// something else than SmartPark answered, or a part of the answer is missing.
fn rows(body: &[u8], events: usize) -> Option<Vec<Option<Outcome>>> {
    if events == 1 && serde_json::from_slice::<SingleAnswer>(body).is_ok() {
        return Some(vec![Some(Outcome::Delivered)]);
    }
    let answer: BatchAnswer = serde_json::from_slice(body).ok()?;
    let told = answer.recorded.checked_add(answer.duplicates)?.checked_add(answer.rejected)?;
    if told != events || answer.rejected != answer.errors.len() {
        return None;
    }
    let mut outcomes = vec![Some(Outcome::Delivered); events];
    let mut is_named = vec![false; events];
    for RowProblem { index, problem } in &answer.errors {
        if std::mem::replace(is_named.get_mut(*index)?, true) {
            return None;
        }
        outcomes[*index] = outcome(problem.status, problem);
    }
    Some(outcomes)
}

/// How many events a good answer calls duplicates.
pub(super) fn repeats(answer: &Answer) -> usize {
    let Answer::Response { status: 200..300, body, .. } = answer else { return 0 };
    if let Ok(single) = serde_json::from_slice::<SingleAnswer>(body) {
        return usize::from(single.duplicate);
    }
    serde_json::from_slice::<BatchAnswer>(body).map_or(0, |batch| batch.duplicates)
}

/// What a refusal means for an event. None: send it again soon.
fn outcome(status: u16, problem: &Problem) -> Option<Outcome> {
    let refusal = || Refusal { status, reason: reason(status, problem) };
    let slug = problem.r#type.rsplit(':').next().unwrap_or_default();
    match (status, slug) {
        // Recorded, and the server is set to say so: the floor's count stays.
        (409, "at-limit" | "at_limit") => Some(Outcome::Delivered),
        (422, "in-future" | "future" | "clock-lag" | "clock_lag") => Some(Outcome::Held(refusal())),
        (422, "too-old" | "too_old") => Some(Outcome::TooOld(refusal())),
        (408 | 429, _) => None,
        (400..=499, _) => Some(Outcome::Dead(refusal())),
        _ => None,
    }
}

/// A refusal in words: what the server said, and which fields it named.
fn reason(status: u16, problem: &Problem) -> String {
    let mut text = match (problem.detail.as_str(), problem.title.as_str()) {
        ("", "") if (300..400).contains(&status) => format!(
            "the server answered {status}; redirects are not followed, so give the address that \
             this one leads to"
        ),
        ("", "") => format!("the server answered {status}"),
        ("", title) => title.to_owned(),
        (detail, _) => detail.to_owned(),
    };
    for FieldProblem { pointer, detail } in &problem.errors {
        let fault = format!("{} {detail}", pointer.trim_start_matches("#/"));
        if !text.contains(&fault) {
            text.push_str("; ");
            text.push_str(&fault);
        }
    }
    shown(&text)
}

/// A text of the server, fit for a log and bounded.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_REASON_CHARS).collect()
}

#[cfg(test)]
mod tests;
