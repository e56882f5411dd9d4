//! `vision-count FILM --line x1,y1,x2,y2 --car along,across`: counts a film and prints one line of
//! JSON for each event. The program `smartpark vision` offers the same and more.

use std::io::Write;
use std::process::ExitCode;

use smartpark_vision::{
    CaptureOptions, CountOptions, Error, Line, Method, Point, Result, Source, count,
};

const USAGE: &str = "usage: vision-count FILM --line x1,y1,x2,y2 --car along,across \
[--method blob|strip] [--fps N] [--width N] [--start T] [--camera ID] [--floor N] [--swap]";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let options = options(std::env::args().skip(1))?;
    let mut out = std::io::stdout().lock();
    let report = count(&options, None, |event| {
        let line = serde_json::to_string(event).map_err(|e| Error::Options(e.to_string()))?;
        writeln!(out, "{line}").map_err(|cause| Error::Write { path: "-".into(), cause })
    })?;
    for change in &report.changes {
        if let Some((from, to)) = change.not_counted {
            eprintln!("nothing was counted from {from:.1} s to {to:.1} s");
        }
    }
    eprintln!("{} events in {} frames, {:.1} s", report.events, report.frames, report.seconds);
    Ok(())
}

fn options(arguments: impl Iterator<Item = String>) -> Result<CountOptions> {
    let usage = |why: &str| Error::Options(format!("{why}\n{USAGE}"));
    let mut options = CountOptions {
        source: Source::parse(""),
        line: Line {
            id: "L1".into(),
            p1: Point::default(),
            p2: Point::default(),
            car_box: [0.0; 2],
            swap: false,
        },
        masks: Vec::new(),
        method: Method::Auto,
        capture: CaptureOptions::default(),
        camera_id: "film".into(),
        floor_id: 1,
        start: jiff::Timestamp::UNIX_EPOCH,
        run: None,
    };
    let mut film = None;
    let mut arguments = arguments;
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| usage(&format!("{name} needs a value")));
        let bad = |text: &str| usage(&format!("{name}: cannot read {text:?}"));
        match name.as_str() {
            "--line" => {
                let text = value()?;
                let [x1, y1, x2, y2] = numbers(&text).ok_or_else(|| bad(&text))?;
                (options.line.p1, options.line.p2) = (Point::new(x1, y1), Point::new(x2, y2));
            }
            "--car" => {
                let text = value()?;
                options.line.car_box = numbers(&text).ok_or_else(|| bad(&text))?;
            }
            "--method" => options.method = value()?.parse()?,
            "--fps" => {
                let text = value()?;
                options.capture.fps = Some(text.parse().map_err(|_| bad(&text))?);
            }
            "--width" => {
                let text = value()?;
                options.capture.width = text.parse().map_err(|_| bad(&text))?;
            }
            "--start" => {
                let text = value()?;
                options.start = text.parse().map_err(|_| bad(&text))?;
            }
            "--camera" => options.camera_id = value()?,
            "--floor" => {
                let text = value()?;
                options.floor_id = text.parse().map_err(|_| bad(&text))?;
            }
            "--swap" => options.line.swap = true,
            other if other.starts_with("--") => return Err(usage(&format!("{other} is unknown"))),
            other if film.is_none() => film = Some(other.to_owned()),
            other => return Err(usage(&format!("{other} is one film too many"))),
        }
    }
    options.source = Source::parse(&film.ok_or_else(|| usage("which film?"))?);
    Ok(options)
}

/// Numbers between commas: exactly as many as wanted.
fn numbers<const N: usize>(text: &str) -> Option<[f32; N]> {
    let all: Option<Vec<f32>> = text.split(',').map(|n| n.trim().parse().ok()).collect();
    all?.try_into().ok()
}
