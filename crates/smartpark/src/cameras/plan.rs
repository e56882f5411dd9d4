//! From the configuration to cameras that can be watched.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use anyhow::Context as _;
use jiff::Timestamp;
use smartpark_client::{Crossing, FloorRef};
use smartpark_formats::config::{Camera, Connections, Floor, Input, Video, VideoLine, VideoMethod};
use smartpark_vision::{
    CaptureOptions, DetectorFile, Line, Method, Point, Source, WatchOptions, event::run_name,
    limits::WARM_UP_LIVE_S, watch::DetectorMaker,
};

use super::word;
use crate::{Clock, Direction, VehicleType};

/// The file of crossings, if the configuration names none.
const DEFAULT_SPOOL: &str = "smartpark-cameras.db";

/// The cameras to watch.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The file of crossings that the server has not taken yet.
    pub(crate) spool: PathBuf,
    /// The cameras.
    pub(crate) cameras: Vec<CameraPlan>,
}

/// One camera.
#[derive(Debug)]
pub(crate) struct CameraPlan {
    /// The `camera_id` of its events.
    pub(crate) id: String,
    /// Where pictures come from.
    pub(crate) source: Source,
    /// Width and rate of the frames.
    pub(crate) capture: CaptureOptions,
    /// Lines, masks and method.
    pub(crate) watch: WatchOptions,
    /// How fast a film plays.
    pub(crate) speed: f64,
    /// What its events say.
    pub(super) events: EventWords,
}

impl Plan {
    /// The cameras with `video`.
    ///
    /// # Errors
    /// Names the file of a password that cannot be read.
    pub(crate) fn new(connections: &Connections) -> anyhow::Result<Self> {
        let vision = &connections.vision;
        let spool = vision.spool.as_deref().unwrap_or(DEFAULT_SPOOL).into();
        let program = vision.ffmpeg.as_deref().unwrap_or("ffmpeg");
        let model = vision.model.as_ref().map(|path| DetectorFile::open(path.as_ref()));
        let model = model.transpose()?;
        let mut cameras = Vec::new();
        for camera in &connections.cameras {
            if let Input::Video(video) = &camera.input {
                cameras.push(CameraPlan::new(camera, video, program, model.as_ref())?);
            }
        }
        Ok(Self { spool, cameras })
    }

    /// Only films, or only live cameras.
    ///
    /// # Errors
    /// Names a camera of the other kind.
    pub(crate) fn only(self, films: bool) -> anyhow::Result<Self> {
        if let Some(other) = self.cameras.iter().find(|it| it.source.is_live() == films) {
            let advice = match films {
                true => "is no film; `smartpark vision run` and `smartpark serve` watch cameras",
                false => "is a film; `smartpark vision play` plays films as if they were cameras",
            };
            anyhow::bail!("camera {}: {} {advice}", other.id, other.source);
        }
        Ok(self)
    }
}

impl CameraPlan {
    fn new(
        camera: &Camera,
        video: &Video,
        program: &str,
        model: Option<&DetectorFile>,
    ) -> anyhow::Result<Self> {
        if video.method == VideoMethod::Model && model.is_none() {
            let advice = "[vision] model must name the file that scripts/model makes";
            anyhow::bail!("camera {}: method model needs a detector; {advice}", camera.id);
        }
        let usual = CaptureOptions::default();
        let width = video.width.and_then(|width| usize::try_from(width).ok());
        let masks = video.masks.iter().map(|mask| mask.iter().map(|p| point(*p)).collect());
        Ok(Self {
            id: camera.id.clone(),
            source: source(&camera.id, video)?,
            capture: CaptureOptions {
                width: width.unwrap_or(usual.width),
                fps: video.fps,
                program: program.to_owned(),
                ..usual
            },
            watch: WatchOptions {
                lines: video.lines.iter().map(line).collect(),
                masks: masks.collect(),
                method: video.method.as_str().parse::<Method>()?,
                warm_up_s: WARM_UP_LIVE_S,
                detector: model.cloned().map(|model| {
                    let make: DetectorMaker = Box::new(move || Ok(model.detector()));
                    make
                }),
                run: Box::new(new_run),
            },
            speed: 1.0,
            events: EventWords::of(camera),
        })
    }
}

/// The source with user and password, which `ffmpeg` wants in the URL.
fn source(camera: &str, video: &Video) -> anyhow::Result<Source> {
    let (Some(user), Some(file)) = (&video.username, &video.password_file) else {
        return Ok(Source::parse(&video.source));
    };
    let password = std::fs::read_to_string(file);
    let password =
        password.with_context(|| format!("camera {camera}: cannot read password_file {file}"))?;
    let (scheme, rest) = video.source.split_once("://").unwrap_or(("rtsp", &video.source));
    let (user, password) = (encoded(user), encoded(password.trim_end_matches(['\r', '\n'])));
    Ok(Source::parse(&format!("{scheme}://{user}:{password}@{rest}")))
}

/// A text with everything encoded that means something in a URL.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn point([x, y]: [f64; 2]) -> Point {
    Point::new(x as f32, y as f32)
}

fn line(line: &VideoLine) -> Line {
    Line {
        id: line.id.clone(),
        p1: point(line.p1),
        p2: point(line.p2),
        car_box: line.car_box.map(|side| side as f32),
        swap: line.swap,
    }
}

/// The name of a run that begins now.
fn new_run() -> String {
    let millis = Clock::system().now().as_millisecond();
    let mut random = [0; 16];
    // Without randomness of the system the time alone tells runs apart.
    let _ = getrandom::fill(&mut random);
    run_name(u64::try_from(millis).unwrap_or(0), u128::from_le_bytes(random))
}

/// What the configuration says of a camera's events.
#[derive(Clone, Debug)]
pub(super) struct EventWords {
    floor: FloorRef,
    from: Option<FloorRef>,
    default_type: VehicleType,
    types: BTreeMap<String, VehicleType>,
    ignore: BTreeSet<String>,
    min_confidence: f64,
}

impl EventWords {
    fn of(camera: &Camera) -> Self {
        let floor = |floor: &Floor| match floor {
            Floor::Id(id) => FloorRef::Id(*id),
            Floor::Name(name) => FloorRef::Name(name.clone()),
        };
        Self {
            floor: floor(&camera.floor),
            from: camera.from.as_ref().map(floor),
            default_type: camera.default_type,
            types: camera.types.clone(),
            ignore: camera.ignore.clone(),
            min_confidence: camera.min_confidence,
        }
    }

    /// The crossing as it is delivered; `None` if the configuration leaves such crossings out.
    pub(super) fn crossing(
        &self,
        camera: &str,
        run: &str,
        seen: &smartpark_vision::Crossing,
        at: Timestamp,
    ) -> Option<Crossing> {
        let word = word(seen.vehicle_type);
        if self.ignore.contains(word) || seen.confidence < self.min_confidence {
            return None;
        }
        let usual = match seen.vehicle_type {
            smartpark_vision::VehicleType::Car => self.default_type,
            smartpark_vision::VehicleType::Truck => VehicleType::Truck,
            smartpark_vision::VehicleType::Motorcycle => VehicleType::Motorcycle,
        };
        let direction = match seen.direction {
            smartpark_vision::Direction::Entry => Direction::Entry,
            smartpark_vision::Direction::Exit => Direction::Exit,
        };
        let track = smartpark_vision::event::track_id(run, seen);
        let millis = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        let mut crossing = Crossing::new(camera, self.floor.clone(), track, direction).at(millis);
        crossing.from.clone_from(&self.from);
        crossing.vehicle_type = self.types.get(word).copied().unwrap_or(usual);
        crossing.confidence = (seen.confidence * 1000.0).round() / 1000.0;
        Some(crossing)
    }
}
