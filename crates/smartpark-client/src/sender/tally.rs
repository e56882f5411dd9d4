//! An answer in numbers, for programs that send events without a spool.

use std::time::Duration;

use super::{
    Answer,
    answer::{Meaning, meaning, repeats},
};
use crate::spool::{Outcome, Refusal};

/// What the server did with the events of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many were new to it.
    pub recorded: usize,
    /// How many it had already.
    pub duplicates: usize,
    /// The places of those that it refused, and why.
    pub refused: Vec<(usize, Refusal)>,
    /// The places of those to be sent again.
    pub again: Vec<usize>,
}

/// Why an answer says nothing about single events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTally {
    /// The server could not take the request now. Send the same again: that is safe.
    Again {
        /// What happened.
        reason: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// The server refuses the request as a whole: the key or the address does not fit.
    Refused(Refusal),
}

impl Answer {
    /// What this answer says about a request with so many events.
    ///
    /// # Errors
    /// [`NoTally`] if it says nothing about each of them.
    pub fn tally(&self, events: usize) -> Result<Tally, NoTally> {
        let outcomes = match meaning(self, events) {
            Meaning::Rows(outcomes) => outcomes,
            Meaning::Refused(Outcome::Delivered) => vec![Some(Outcome::Delivered); events],
            Meaning::Refused(
                Outcome::Held(refusal) | Outcome::TooOld(refusal) | Outcome::Dead(refusal),
            ) => return Err(NoTally::Refused(refusal)),
            Meaning::Unknown { reason, retry_after, .. } => {
                return Err(NoTally::Again { reason, retry_after });
            }
        };
        let mut tally = Tally { duplicates: repeats(self), ..Tally::default() };
        for (place, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                None => tally.again.push(place),
                Some(Outcome::Delivered) => tally.recorded += 1,
                Some(
                    Outcome::Held(refusal) | Outcome::TooOld(refusal) | Outcome::Dead(refusal),
                ) => tally.refused.push((place, refusal)),
            }
        }
        tally.recorded = tally.recorded.saturating_sub(tally.duplicates);
        Ok(tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer::Response { status, retry_after: None, body: body.into() }
    }

    #[test]
    fn a_batch_is_counted() {
        let body = r#"{"recorded": 1, "duplicates": 1, "rejected": 3, "errors": [
            {"index": 1, "type": "urn:x:in-future", "status": 422, "detail": "ahead"},
            {"index": 2, "type": "urn:x:at-limit", "status": 409},
            {"index": 4, "status": 503}]}"#;
        let tally = answer(200, body).tally(5).unwrap();
        let refused = vec![(1, Refusal { status: 422, reason: "ahead".into() })];
        let again = vec![4];
        assert_eq!(tally, Tally { recorded: 2, duplicates: 1, refused, again });
    }

    #[test]
    fn a_single_event_is_counted() {
        let new = answer(201, r#"{"duplicate": false}"#).tally(1).unwrap();
        assert_eq!(new, Tally { recorded: 1, ..Tally::default() });
        let known = answer(200, r#"{"duplicate": true}"#).tally(1).unwrap();
        assert_eq!(known, Tally { duplicates: 1, ..Tally::default() });
    }

    #[test]
    fn a_refused_request_and_a_lost_one_are_told_apart() {
        let refused = answer(401, r#"{"detail": "no key"}"#).tally(2).unwrap_err();
        let refusal = Refusal { status: 401, reason: "no key".into() };
        assert_eq!(refused, NoTally::Refused(refusal));
        let lost = Answer::None { reason: "cut".into(), timed_out: false }.tally(2);
        assert_eq!(lost, Err(NoTally::Again { reason: "cut".into(), retry_after: None }));
        assert!(matches!(answer(200, "hello").tally(2), Err(NoTally::Again { .. })));
    }
}
