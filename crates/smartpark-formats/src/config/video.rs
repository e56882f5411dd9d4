//! `video = {…}` of a camera, and the tables `[vision]` and `[server]` beside it.

use super::{
    table::Table,
    values::{Endpoint, one_of},
};
use crate::limits::{MAX_VIDEO_LINES, MAX_VIDEO_MASKS, VIDEO_FPS, VIDEO_WIDTH};

/// How vehicles are found in the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VideoMethod {
    /// The model if `[vision]` names one, else outlines.
    #[default]
    Auto,
    /// Boxes of a detector.
    Model,
    /// Outlines in the difference to the background.
    Blob,
    /// A strip across the line.
    Strip,
}

impl VideoMethod {
    /// The word in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Model => "model",
            Self::Blob => "blob",
            Self::Strip => "strip",
        }
    }
}

const METHODS: [(&str, VideoMethod); 4] = [
    ("auto", VideoMethod::Auto),
    ("model", VideoMethod::Model),
    ("blob", VideoMethod::Blob),
    ("strip", VideoMethod::Strip),
];

/// A counting line in pixels of the source picture.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoLine {
    /// Its name; `L1`, `L2`, … if the file gives none.
    pub id: String,
    /// One end.
    pub p1: [f64; 2],
    /// The other end. An entry goes from the left of `p1 → p2` to its right.
    pub p2: [f64; 2],
    /// What a car on the line covers: along the line and across it.
    pub car_box: [f64; 2],
    /// Turns entry and exit round.
    pub swap: bool,
}

/// `video = {…}`: a picture that SmartPark watches itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    /// A URL (`rtsp`, `rtsps`, `http`, `https`), a device such as `/dev/video0`, or a film.
    pub source: String,
    /// The user of the camera.
    pub username: Option<String>,
    /// The file that holds the user's password.
    pub password_file: Option<String>,
    /// Frames per second to look at, at most.
    pub fps: Option<f64>,
    /// The width in pixels that the picture is scaled down to.
    pub width: Option<u32>,
    /// How vehicles are found.
    pub method: VideoMethod,
    /// The lines, at least one.
    pub lines: Vec<VideoLine>,
    /// Polygons that are left out, in pixels of the source picture.
    pub masks: Vec<Vec<[f64; 2]>>,
}

impl Video {
    pub(super) fn read(table: &Table<'_, '_>) -> Option<Self> {
        table.require("source");
        let source = table.parsed("source", source);
        let (username, password_file) = (table.text("username"), table.text("password_file"));
        if username.is_some() != password_file.is_some() {
            table.fault("username", "username and password_file go together");
        }
        if username.is_some() && source.as_ref().is_some_and(|text| !text.contains("://")) {
            table.fault("username", "only a source that is a URL has a user");
        }
        let fps = table.number("fps", VIDEO_FPS);
        let width = table.whole("width", VIDEO_WIDTH).and_then(|width| u32::try_from(width).ok());
        let method = table.parsed("method", |text| one_of(text, &METHODS)).unwrap_or_default();
        let lines = lines(table);
        let masks = table.polygons("masks");
        if masks.len() > MAX_VIDEO_MASKS {
            table.fault("masks", &format!("there are more than {MAX_VIDEO_MASKS} masks"));
        }
        Some(Self { source: source?, username, password_file, fps, width, method, lines, masks })
    }
}

fn source(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(char::is_control) {
        return Err("must be a URL, a device such as /dev/video0, or a file".to_owned());
    }
    if text.contains("://") {
        let schemes = [("rtsp", 554), ("rtsps", 322), ("http", 80), ("https", 443)];
        Endpoint::read(text, &schemes)?;
    }
    Ok(text.to_owned())
}

fn lines(table: &Table<'_, '_>) -> Vec<VideoLine> {
    let tables = table.tables("lines");
    if tables.is_empty() {
        table.fault("lines", "name at least one line: { p1 = [x, y], p2 = [x, y], car_box = […] }");
    }
    if tables.len() > MAX_VIDEO_LINES {
        table.fault("lines", &format!("there are more than {MAX_VIDEO_LINES} lines"));
    }
    let mut lines: Vec<VideoLine> = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        if let Some(line) = line(table, index + 1) {
            if lines.iter().any(|known| known.id == line.id) {
                table.fault("id", "another line has this id");
            }
            lines.push(line);
        }
    }
    lines
}

fn line(table: &Table<'_, '_>, number: usize) -> Option<VideoLine> {
    if !table.has("car_box") {
        let detail = "is missing: write the pixels that a car on the line covers, \
                      [along the line, across it]";
        table.fault("car_box", detail);
    }
    table.require("p1");
    table.require("p2");
    let (p1, p2, car_box) =
        (table.numbers("p1"), table.numbers("p2"), table.numbers::<2>("car_box"));
    let id = table.text("id").unwrap_or_else(|| format!("L{number}"));
    let swap = table.switch("swap");
    table.finish();
    let line = VideoLine { id, p1: p1?, p2: p2?, car_box: car_box?, swap };
    if line.car_box.iter().any(|side| !(4.0..=10_000.0).contains(side)) {
        table.fault("car_box", "must be two numbers of pixels, each at least 4");
    }
    let length = (line.p2[0] - line.p1[0]).hypot(line.p2[1] - line.p1[1]);
    if length < 0.7 * line.car_box[0] {
        let detail = format!(
            "makes a line of {length:.0} pixels, shorter than 0.7 car; draw it over the whole \
             lane, or correct car_box"
        );
        table.fault("p2", &detail);
    }
    Some(line)
}

/// `[vision]`: what all cameras with `video` share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vision {
    /// The file of crossings that the server has not taken yet.
    pub spool: Option<String>,
    /// The program that decodes: `ffmpeg` on the path if there is none.
    pub ffmpeg: Option<String>,
    /// The file of the detector.
    pub model: Option<String>,
}

impl Vision {
    pub(super) fn read(table: &Table<'_, '_>) -> Self {
        let vision = Self {
            spool: table.text("spool"),
            ffmpeg: table.text("ffmpeg"),
            model: table.text("model"),
        };
        table.finish();
        vision
    }
}

/// `[server]`: the server that takes the crossings of a box of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its address.
    pub url: String,
    /// The file that holds the API key.
    pub key_file: Option<String>,
    /// The file of certificates that are trusted instead of the system's.
    pub ca_file: Option<String>,
}

impl Server {
    pub(super) fn read(table: &Table<'_, '_>) -> Option<Self> {
        table.require("url");
        let schemes = [("https", 443), ("http", 80)];
        let url =
            table.parsed("url", |text| Endpoint::read(text, &schemes).map(|_| text.to_owned()));
        let (key_file, ca_file) = (table.text("key_file"), table.text("ca_file"));
        table.finish();
        Some(Self { url: url?, key_file, ca_file })
    }
}
