//! Events that are sent when they are due, each until the server answers for it.

use std::{str::FromStr, time::Duration};

use clap::ValueEnum;
use jiff::Timestamp;
use smartpark_client::{
    Request,
    limits::{MAX_BATCH_EVENTS, MAX_PAUSE, MIN_PAUSE, SEND_ATTEMPTS, SEND_TOGETHER},
    replay::{Dates, Due},
    sender::{NoTally, Tally},
};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    super::{
        import::line,
        output::{bar, note},
        signals::StopSignals,
    },
    Remote, Summary,
};
use crate::{NewEvent, limits::SHOWN_FAULTS};

/// How fast, and with which times.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(in crate::cli) struct PaceArgs {
    /// How many times faster than the events happened: 600 for ten minutes a second, or max
    #[arg(long, value_name = "SPEED", default_value = "600")]
    pub(in crate::cli) speed: Speed,
    /// Which times the events carry
    #[arg(long, value_name = "DATES", value_enum, default_value = "keep")]
    dates: DatesChoice,
}

/// How many times faster than the events happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::cli) struct Speed(pub(in crate::cli) f64);

/// So fast that nothing waits: a year in 3 ms.
const MAX_SPEED: f64 = 1e10;

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self(MAX_SPEED));
        }
        let speed = text.parse().ok().filter(|speed: &f64| speed.is_finite() && *speed > 0.0);
        let wanted = "must be a number above 0, such as 600 for ten minutes a second, or max";
        speed.map(Self).ok_or_else(|| wanted.to_owned())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DatesChoice {
    /// Their own
    Keep,
    /// Their own, all moved by the same time, so that the last one happens now
    EndNow,
    /// The time at which each is sent
    AsSent,
}

impl PaceArgs {
    /// The choice for a replay that begins at this time.
    pub(in crate::cli) fn dates(self, now: Timestamp) -> Dates {
        match self.dates {
            DatesChoice::Keep => Dates::Keep,
            DatesChoice::EndNow => Dates::EndingAt(now),
            DatesChoice::AsSent => Dates::AsSent(now),
        }
    }

    /// Whether the server is to pass over the delay of the events: they happened long ago.
    pub(in crate::cli) fn is_backlog(self) -> bool {
        self.dates != DatesChoice::AsSent
    }
}

/// Sends events when they are due, several in a request if several are due. Ends when all are
/// answered, when somebody interrupts, or when the server takes no more.
pub(in crate::cli) async fn send_all(
    remote: &Remote,
    due: Vec<Due>,
    is_backlog: bool,
    signals: &mut StopSignals,
) -> anyhow::Result<Summary> {
    let start = Instant::now();
    let bar = bar(Some(due.len() as u64), "{pos}/{len} events {wide_bar} {eta}");
    let mut summary = Summary::new(&remote.url, due.len());
    let mut due = due.into_iter().peekable();
    let mut batch: Vec<NewEvent> = Vec::new();
    loop {
        let reached = start.elapsed().saturating_add(SEND_TOGETHER);
        while batch.len() < MAX_BATCH_EVENTS
            && let Some(next) = due.next_if(|next| next.after <= reached)
        {
            batch.push(next.event);
        }
        let step = async {
            match (batch.is_empty(), due.peek()) {
                (true, None) => Ok(Step::Complete),
                (true, Some(next)) => {
                    sleep_until(start + next.after).await;
                    Ok(Step::Due)
                }
                (false, _) => remote.post(&batch, is_backlog).await,
            }
        };
        let step = tokio::select! {
            biased;
            _ = signals.wait() => Step::Stop("interrupted".to_owned()),
            step = step => step?,
        };
        match step {
            Step::Due => {}
            Step::Sent(tally) => {
                batch = summary.count(batch, &tally);
                bar.set_position(summary.sent as u64);
                if !batch.is_empty() {
                    sleep(MIN_PAUSE).await;
                }
            }
            Step::Complete => break,
            Step::Stop(reason) => {
                bar.suspend(|| note(&reason));
                break;
            }
        }
    }
    bar.finish_and_clear();
    summary.finish(start.elapsed());
    Ok(summary)
}

/// What came of one turn.
enum Step {
    /// The next event is due.
    Due,
    /// The server answered for each event.
    Sent(Tally),
    /// Nothing is left to send.
    Complete,
    /// No more can be sent.
    Stop(String),
}

impl Remote {
    /// Posts events until the server answers for each of them, or for about a minute.
    async fn post(&self, events: &[NewEvent], is_backlog: bool) -> anyhow::Result<Step> {
        let body: String = events.iter().map(line).collect();
        let request = Request { path: "/events".into(), body: Some(body), is_backlog };
        let mut pause = MIN_PAUSE;
        let mut attempt = 1;
        loop {
            let (reason, asked) = match self.ask(request.clone()).await?.tally(events.len()) {
                Ok(tally) => return Ok(Step::Sent(tally)),
                Err(NoTally::Refused(refusal)) => {
                    let advice = match refusal.status {
                        401 | 403 => "; give a camera's key with --key-file or in SMARTPARK_KEY",
                        _ => "",
                    };
                    let reason = format!("error: the server refuses: {}{advice}", refusal.reason);
                    return Ok(Step::Stop(reason));
                }
                Err(NoTally::Again { reason, retry_after }) => (reason, retry_after),
            };
            if attempt == SEND_ATTEMPTS {
                let tries = format!("gave up after {SEND_ATTEMPTS} tries");
                let advice = "run the command again: what was recorded is not counted twice";
                return Ok(Step::Stop(format!("error: {tries}: {reason}; {advice}")));
            }
            tracing::warn!("{reason}; it is sent again");
            sleep(asked.unwrap_or(Duration::ZERO).clamp(pause, MAX_PAUSE)).await;
            pause = (pause * 2).min(MAX_PAUSE);
            attempt += 1;
        }
    }
}

impl Summary {
    /// Counts what the server did with the events of a request; returns those to be sent again.
    fn count(&mut self, events: Vec<NewEvent>, tally: &Tally) -> Vec<NewEvent> {
        self.sent += events.len() - tally.again.len();
        self.recorded += tally.recorded;
        self.duplicates += tally.duplicates;
        self.refused += tally.refused.len();
        for (place, refusal) in &tally.refused {
            if self.refusals.len() < SHOWN_FAULTS
                && let Some(event) = events.get(*place)
            {
                self.refuse(event, &refusal.reason);
            }
        }
        let again = |(place, event)| tally.again.contains(&place).then_some(event);
        events.into_iter().enumerate().filter_map(again).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_above_zero_or_max() {
        assert_eq!("600".parse(), Ok(Speed(600.0)));
        assert_eq!("0.5".parse(), Ok(Speed(0.5)));
        assert_eq!("max".parse(), Ok(Speed(MAX_SPEED)));
        for text in ["0", "-1", "NaN", "inf", "fast", ""] {
            assert!(text.parse::<Speed>().unwrap_err().contains("above 0"), "{text}");
        }
    }
}
