//! The commands that look at films and cameras: count the vehicles over a line, draw the line, make
//! a slit picture, watch cameras. None of them needs a database.

mod live;

pub(super) use live::speed;

use std::{
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use smartpark_vision::{
    CaptureOptions, CountOptions, DetectorFile, Error, Line, Method, Point, Source, count, still,
};

use super::{Context, Outcome, Usage, output};
use crate::Timestamp;

/// Count vehicles in films and before cameras, and see the line that they cross
///
/// It needs ffmpeg, and no model. Cameras stand in the configuration file, as [[camera]] with
/// video, and `smartpark serve` watches them itself; `vision run` watches them on a box of its own.
///
/// Of a film, the line and the size of a car on it are pixels of the film. An
/// entry crosses the line from the left of FROM→TO to its right, as seen in the picture
///
/// Examples:
///   smartpark vision draw  ramp.mp4 --line 157,230,451,238 --car 105,107 -o line.png
///   smartpark vision count ramp.mp4 --line 157,230,451,238 --car 105,107 > events.ndjson
///   smartpark vision slit  ramp.mp4 --line 157,230,451,238 --car 105,107 -o slit.png
///   smartpark vision check --config cameras.toml
///   smartpark vision run   --config cameras.toml
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
    ///
    /// Of a film with --line and --car, or of a camera of the configuration file with --camera
    Draw(DrawArgs),
    /// Make the slit picture: one row a frame, read along the line, to count by eye
    Slit(PictureArgs),
    /// Watch the cameras of the configuration file and send each crossing to the server of [server]
    ///
    /// A crossing is on disk in the spool before it is sent, and is sent until the server has it.
    /// A camera that is lost is opened again. Stops in good order on SIGTERM and Ctrl-C
    Run,
    /// Play films of the configuration file as if they were cameras, once
    ///
    /// The events are those of now, and go to the server of [server]
    Play(live::PlayArgs),
    /// Look at each camera of the configuration file for 5 seconds and say what comes
    ///
    /// Exits with 1 if a camera cannot be read or a line does not fit its picture
    Check,
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
    /// How vehicles are found: auto, blob, strip or model. Auto is model with --model, else blob
    #[arg(long, value_name = "METHOD", default_value = "auto")]
    method: Method,
    /// The detector's file, as scripts/model makes it
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
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

#[derive(Debug, clap::Args)]
struct DrawArgs {
    /// The film
    #[arg(required_unless_present = "camera", conflicts_with = "camera")]
    film: Option<String>,
    /// A camera of the configuration file, with its lines
    #[arg(long, value_name = "ID")]
    camera: Option<String>,
    /// The line in pixels of the film: FROM and TO
    #[arg(long, value_name = "X1,Y1,X2,Y2", value_parser = numbers::<4>,
        required_unless_present = "camera", conflicts_with = "camera")]
    line: Option<[f32; 4]>,
    /// What a car on the line covers, in pixels: along the line and across it
    #[arg(long, value_name = "ALONG,ACROSS", value_parser = numbers::<2>,
        required_unless_present = "camera", conflicts_with = "camera")]
    car: Option<[f32; 2]>,
    /// An entry crosses the line the other way round
    #[arg(long, conflicts_with = "camera")]
    swap: bool,
    /// The PNG file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Args {
    /// Whether the command runs until it is told to stop, so that its log is of interest.
    pub(super) fn watches(&self) -> bool {
        matches!(self.command, Command::Run | Command::Play(_))
    }
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

pub(super) async fn run(args: Args, context: &Context) -> Outcome {
    let done = match args.command {
        Command::Count(args) => count_film(args),
        Command::Draw(args) => {
            let (source, capture, lines) = args.scene(context)?;
            draw(&source, &capture, &lines, &args.output)
        }
        Command::Slit(args) => slit(args),
        Command::Run => return live::run(context).await,
        Command::Play(args) => return live::play(args, context).await,
        Command::Check => return live::check_all(context),
    };
    match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Error::Options(text)) => Err(Usage(text).into()),
        Err(error) => Err(error.into()),
    }
}

fn count_film(args: CountArgs) -> smartpark_vision::Result<()> {
    let CountArgs { scene, method, model, start, camera_id, floor_id, events } = args;
    let options = CountOptions { method, start, camera_id, floor_id, ..scene.options() };
    let model = model.map(|path| DetectorFile::open(&path)).transpose()?;
    let path = events.clone().unwrap_or_else(|| "standard output".into());
    let failed = |cause: io::Error| Error::Write { path: path.clone(), cause };
    let mut out: Box<dyn io::Write> = match events {
        Some(file) => Box::new(File::create(file).map_err(failed)?),
        None => Box::new(io::stdout().lock()),
    };
    let report = count(&options, model.map(|model| model.detector()), |event| {
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

impl DrawArgs {
    /// The source and its lines, from the flags or from the configuration.
    fn scene(&self, context: &Context) -> anyhow::Result<(Source, CaptureOptions, Vec<Line>)> {
        if let (Some(film), Some(line), Some(car)) = (&self.film, self.line, self.car) {
            let scene = Scene { film: film.clone(), line, car, swap: self.swap, fps: None };
            let options = scene.options();
            return Ok((options.source, options.capture, vec![options.line]));
        }
        let id = self.camera.as_deref().unwrap_or_default();
        let (_, plan) = live::plan(context)?;
        let camera = plan.cameras.into_iter().find(|camera| camera.id == id);
        let camera = camera.ok_or_else(|| Usage(format!("there is no camera {id} with video")))?;
        Ok((camera.source, camera.capture, camera.watch.lines))
    }
}

fn draw(
    source: &Source,
    capture: &CaptureOptions,
    lines: &[Line],
    path: &Path,
) -> smartpark_vision::Result<()> {
    let mut picture = still::still(source, capture)?;
    let (width, height) = (picture.width, picture.height);
    for line in lines {
        line.check(width, height)?;
        still::draw_line(&mut picture, line);
    }
    still::write_png(&picture, path)?;
    let what = if lines.len() == 1 { "line" } else { "lines" };
    let path = path.display();
    output::note(&format!("{path} shows the {what} on a picture of {width}x{height}"));
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
