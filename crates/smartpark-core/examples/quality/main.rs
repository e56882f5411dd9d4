//! Answers the questions of the quality scorers with the pure functions of this crate.
//!
//! `scripts/quality` makes the inputs, runs this program and scores its answers.

mod cameras;
mod cost;
mod drift;
mod forecast;

use std::process::ExitCode;

/// Any failure ends the program with its message.
type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "usage: quality forecast GRID.csv REQUESTS.csv OUT.csv [WEEKS]
       quality drift SIMULATIONS OUT.csv plain|usual [SCENARIO ...]
       quality cameras SEEN.csv RECOUNTS.csv OUT.csv
       quality cost";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["forecast", grid, requests, out, weeks @ ..] => {
            forecast::answer(grid, requests, out, weeks.first().copied())
        }
        ["drift", sims, out, mode, scenarios @ ..] => drift::answer(sims, out, mode, scenarios),
        ["cameras", seen, found, out] => cameras::answer(seen, found, out),
        ["cost"] => cost::answer(),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("quality: {failure}");
            ExitCode::FAILURE
        }
    }
}
