//! The commands that look at films: count the vehicles over a line, draw the line, make a slit
//! picture. None of them needs a database.

use std::{
    fs::File,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use smartpark_vision::{
    CaptureOptions, CountOptions, Error, Line, Method, Point, Source, count, still,
};

use super::{Outcome, Usage, output};
use crate::Timestamp;

/// Count vehicles in a film, and see the line that they cross
///
/// It needs ffmpeg, and no model. The line and the size of a car on it are pixels of the film. An
/// entry crosses the line from the left of FROM→TO to its right, as seen in the picture
///
/// Examples:
///   smartpark vision draw  ramp.mp4 --line 157,230,451,238 --car 105,107 -o line.png
///   smartpark vision count ramp.mp4 --line 157,230,451,238 --car 105,107 > events.ndjson
///   smartpark vision slit  ramp.mp4 --line 157,230,451,238 --car 105,107 -o slit.png
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print one event a line for each vehicle that crosses the line
    ///
    /// The events have the fields of POST /events, and "t", the seconds from the first frame. The
    /// same film gives the same bytes. `smartpark import` reads the output
    Count(CountArgs),
    /// Draw the line, the band around it and the size of a car on the first picture
    Draw(PictureArgs),
    /// Make the slit picture: one row a frame, read along the line, to count by eye
    Slit(PictureArgs),
}

/// The film and the line.
#[derive(Debug, clap::Args)]
struct Scene {
    /// The film, or the address of a camera
    film: String,
    /// The line in pixels of the film: FROM and TO
    #[arg(long, value_name = "X1,Y1,X2,Y2", value_parser = numbers::<4>)]
    line: [f32; 4],
    /// What a car on the line covers, in pixels: along the line and across it
    #[arg(long, value_name = "ALONG,ACROSS", value_parser = numbers::<2>)]
    car: [f32; 2],
    /// An entry crosses the line the other way round
    #[arg(long)]
    swap: bool,
    /// Frames a second to look at [default: those of the film, at most 30]
    #[arg(long, value_name = "NUMBER")]
    fps: Option<f64>,
}

#[derive(Debug, clap::Args)]
struct CountArgs {
    #[command(flatten)]
    scene: Scene,
    /// How vehicles are found: auto, blob or strip
    #[arg(long, value_name = "METHOD", default_value = "auto")]
    method: Method,
    /// The moment of the first frame, as RFC 3339 with an offset
    #[arg(long, value_name = "INSTANT", default_value = "1970-01-01T00:00:00Z",
        value_parser = super::floors::instant)]
    start: Timestamp,
    /// The camera in the events
    #[arg(long, value_name = "ID", default_value = "film")]
    camera_id: String,
    /// The id of the floor in the events
    #[arg(long, value_name = "ID", default_value_t = 1)]
    floor_id: i64,
    /// A file for the events [default: standard output]
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct PictureArgs {
    #[command(flatten)]
    scene: Scene,
    /// The PNG file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Scene {
    fn options(self) -> CountOptions {
        let [x1, y1, x2, y2] = self.line;
        CountOptions {
            source: Source::parse(&self.film),
            line: Line {
                id: "L1".into(),
                p1: Point::new(x1, y1),
                p2: Point::new(x2, y2),
                car_box: self.car,
                swap: self.swap,
            },
            masks: Vec::new(),
            method: Method::Auto,
            capture: CaptureOptions { fps: self.fps, ..CaptureOptions::default() },
            camera_id: "film".into(),
            floor_id: 1,
            start: Timestamp::UNIX_EPOCH,
            run: None,
        }
    }
}

pub(super) fn run(args: Args) -> Outcome {
    let done = match args.command {
        Command::Count(args) => count_film(args),
        Command::Draw(args) => draw(args),
        Command::Slit(args) => slit(args),
    };
    match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Error::Options(text)) => Err(Usage(text).into()),
        Err(error) => Err(error.into()),
    }
}

fn count_film(args: CountArgs) -> smartpark_vision::Result<()> {
    let CountArgs { scene, method, start, camera_id, floor_id, events } = args;
    let options = CountOptions { method, start, camera_id, floor_id, ..scene.options() };
    let path = events.clone().unwrap_or_else(|| "standard output".into());
    let failed = |cause: io::Error| Error::Write { path: path.clone(), cause };
    let mut out: Box<dyn io::Write> = match events {
        Some(file) => Box::new(File::create(file).map_err(failed)?),
        None => Box::new(io::stdout().lock()),
    };
    let report = count(&options, None, |event| {
        let line = serde_json::to_string(event).map_err(|error| failed(error.into()))?;
        writeln!(out, "{line}").map_err(failed)
    })?;
    out.flush().map_err(failed)?;
    for (from, to) in report.changes.iter().filter_map(|change| change.not_counted) {
        output::note(&format!("nothing was counted from {from:.1} s to {to:.1} s: recount"));
    }
    let events = output::count(report.events, "event");
    output::note(&format!("{events} in {} frames, {:.1} s", report.frames, report.seconds));
    Ok(())
}

fn draw(args: PictureArgs) -> smartpark_vision::Result<()> {
    let options = args.scene.options();
    let mut picture = still::still(&options.source, &options.capture)?;
    let size = (picture.width, picture.height);
    options.line.check(size.0, size.1)?;
    still::draw_line(&mut picture, &options.line);
    still::write_png(&picture, &args.output)?;
    output::note(&format!(
        "{} shows the line on a picture of {}x{}",
        args.output.display(),
        size.0,
        size.1
    ));
    Ok(())
}

fn slit(args: PictureArgs) -> smartpark_vision::Result<()> {
    let options = args.scene.options();
    let (picture, times) = still::slit(&options)?;
    still::write_png(&picture, &args.output)?;
    let seconds = times.last().copied().unwrap_or(0.0);
    output::note(&format!(
        "{} shows {} frames, {seconds:.1} s, from top to bottom",
        args.output.display(),
        times.len()
    ));
    Ok(())
}

/// Numbers between commas, exactly as many as wanted.
fn numbers<const N: usize>(text: &str) -> Result<[f32; N], String> {
    let all: Option<Vec<f32>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    let all = all.and_then(|all| <[f32; N]>::try_from(all).ok());
    let all = all.filter(|all| all.iter().all(|number| number.is_finite()));
    all.ok_or_else(|| format!("must be {N} numbers with commas between them"))
}
