//! Dahua: the endless multipart answer of `eventManager.cgi`.
//!
//! [`DahuaStream`] cuts the stream into parts; [`translate`](super::translate) reads one part. A
//! part that is damaged is one part that is not counted: the stream goes on with the next.

use std::borrow::Cow;

use super::{
    Finding, Message,
    json::{Json, Object},
    kinds::confidence,
    multipart::boundary_in,
    refusal::{NotCounted, Reason},
};
use crate::{
    config::{Camera, Dahua},
    limits::MAX_MESSAGE_BYTES,
};

pub(crate) fn translate(
    camera: &Camera,
    dahua: &Dahua,
    message: &Message<'_>,
) -> Result<Vec<Finding>, NotCounted> {
    let unreadable = |detail: &str| NotCounted::new(Reason::Unreadable, detail);
    let text = std::str::from_utf8(message.body).map_err(|_| unreadable("not text"))?.trim();
    if text.eq_ignore_ascii_case("heartbeat") {
        return Ok(vec![Finding::Alive]);
    }
    let (head, data) = match text.split_once(";data=") {
        Some((head, data)) => (head, Some(data)),
        None => (text, None),
    };
    let field = |name: &str| {
        head.split(';').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let code = field("Code").ok_or_else(|| NotCounted::missing("Code"))?;
    if code != "CrossLineDetection" {
        return Err(NotCounted::not_configured("event", code));
    }
    let index = field("index").unwrap_or("0");
    if dahua.channel.is_some_and(|channel| channel.to_string() != index) {
        return Err(NotCounted::not_configured("channel", index));
    }
    let action = field("action").ok_or_else(|| NotCounted::missing("action"))?;
    if !["Start", "Pulse"].contains(&action) {
        return Err(NotCounted::word(Reason::NoCrossing, "action", action, ""));
    }
    let data = data.ok_or_else(|| NotCounted::missing("data"))?;
    let data = Json::first_in(data)?;
    let data = data.ok_or_else(|| unreadable("data ends in the middle of the JSON"))?;
    let data = data.object().ok_or_else(|| unreadable("data is no JSON object"))?;
    crossing(camera, dahua, index, &data).map(|crossing| vec![crossing])
}

fn crossing(
    camera: &Camera,
    dahua: &Dahua,
    index: &str,
    data: &Object<'_>,
) -> Result<Finding, NotCounted> {
    let rule = data.scalar("RuleId").or_else(|| data.scalar("RuleID")).unwrap_or_default();
    if dahua.rule.is_some_and(|wanted| wanted.to_string() != rule) {
        return Err(NotCounted::not_configured("rule", &rule));
    }
    let way = data.scalar("Direction").ok_or_else(|| NotCounted::missing("data.Direction"))?;
    let direction = dahua.directions.of(&way).ok_or_else(|| match way.as_ref() {
        "Both" => NotCounted::new(Reason::NoDirection, "direction Both"),
        other => NotCounted::not_configured("direction", other),
    })?;
    let object = data.get("Object").and_then(Json::object);
    let member = |name: &str| object.as_ref().and_then(|object| object.set(name));
    let kind = member("ObjectType").and_then(Json::text);
    let vehicle_type = camera.vehicle_type(kind)?;
    let seconds = data.scalar("UTC").ok_or_else(|| NotCounted::missing("data.UTC"))?;
    let millis = data.scalar("UTCMS").unwrap_or(Cow::Borrowed("0"));
    let time = camera.instant(&with_millis(&seconds, &millis)?, "data.UTC")?;
    let track = match member("ObjectID").and_then(Json::scalar) {
        Some(object) => format!("{index}/{rule}/{object}"),
        None => format!("{index}/{rule}"),
    };
    let confidence = ("confidence", confidence(member("Confidence")));
    camera.crossing(direction, &track, vehicle_type, confidence, time)
}

/// Seconds and milliseconds as one decimal number.
fn with_millis(seconds: &str, millis: &str) -> Result<String, NotCounted> {
    let millis = millis.parse().ok().filter(|millis: &u16| *millis < 1_000);
    let refusal = || NotCounted::new(Reason::NotANumber, "data.UTCMS is not a number below 1000");
    Ok(format!("{seconds}.{:03}", millis.ok_or_else(refusal)?))
}

/// One part of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DahuaPart {
    /// The content of a part, for [`translate`](super::translate).
    Content(Vec<u8>),
    /// A part that was larger than a message may be; it was skipped.
    TooLarge,
}

/// Cuts the bytes of the stream into parts, wherever the network cuts the bytes. Keeps at most one
/// part of [`MAX_MESSAGE_BYTES`].
#[derive(Clone, Debug, Default)]
pub struct DahuaStream {
    boundary: Option<Vec<u8>>,
    buffer: Vec<u8>,
    /// The part in the buffer was given out when its announced length was there.
    is_given: bool,
    /// The part is too large: everything is dropped until the next boundary.
    is_skipping: bool,
    /// Up to where the buffer was searched for the next boundary.
    searched: usize,
}

impl DahuaStream {
    /// A stream whose answer had this `Content-Type`. Without one, the first line that begins with
    /// `--` is taken for the boundary.
    #[must_use]
    pub fn new(content_type: Option<&str>) -> Self {
        let boundary = content_type.and_then(boundary_in);
        Self { boundary: boundary.map(|name| format!("--{name}").into_bytes()), ..Self::default() }
    }

    /// Takes the next bytes and gives the parts that are complete with them.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<DahuaPart> {
        let mut parts = Vec::new();
        for chunk in bytes.chunks(MAX_MESSAGE_BYTES / 16) {
            self.buffer.extend_from_slice(chunk);
            self.cut(&mut parts);
        }
        parts
    }

    /// The stream has ended: gives the last part.
    pub fn finish(mut self) -> Option<DahuaPart> {
        let part = std::mem::take(&mut self.buffer);
        self.content_of(&part)
    }

    fn cut(&mut self, parts: &mut Vec<DahuaPart>) {
        while let Some((start, end)) = self.next_boundary() {
            let part: Vec<u8> = self.buffer.drain(..end).take(start).collect();
            parts.extend(self.content_of(&part));
            (self.is_given, self.is_skipping, self.searched) = (false, false, 0);
        }
        if self.is_skipping || self.buffer.len() > MAX_MESSAGE_BYTES {
            if !std::mem::replace(&mut self.is_skipping, true) {
                parts.push(DahuaPart::TooLarge);
            }
            let kept = self.buffer.len().saturating_sub(MAX_BOUNDARY_LINE);
            self.buffer.drain(..kept);
            self.searched = 0;
        } else if !self.is_given
            && let Some(length) = announced(&self.buffer)
            && let Some(content) = self.buffer.get(length.0..length.0 + length.1)
            && is_whole(content)
        {
            parts.push(DahuaPart::Content(content.to_vec()));
            self.is_given = true;
        }
    }

    /// The content of a part that ended at a boundary, unless it was given out or skipped.
    fn content_of(&self, part: &[u8]) -> Option<DahuaPart> {
        if self.is_given || self.is_skipping || self.boundary.is_none() {
            return None;
        }
        let content = head_end(part).map_or(part, |end| &part[end..]).trim_ascii();
        (!content.is_empty()).then(|| DahuaPart::Content(content.to_vec()))
    }

    /// Where the next boundary line begins and ends.
    fn next_boundary(&mut self) -> Option<(usize, usize)> {
        loop {
            let line = self.searched;
            let length = self.buffer[line..].iter().position(|byte| *byte == b'\n')?;
            let text = self.buffer[line..line + length].trim_ascii_end();
            if self.boundary.is_none() && text.starts_with(b"--") && text.len() > 2 {
                self.boundary = Some(text.to_vec());
                self.is_given = true;
            }
            let boundary = self.boundary.as_deref();
            let is_boundary = boundary.is_some_and(|boundary| {
                text.strip_prefix(boundary).is_some_and(|rest| rest.is_empty() || rest == b"--")
            });
            if is_boundary {
                return Some((line, line + length + 1));
            }
            self.searched = line + length + 1;
        }
    }
}

/// Bytes that are kept of a part that is too large, so that a boundary is not cut in two.
const MAX_BOUNDARY_LINE: usize = 128;

/// Where the content begins and how long it is, by the part's head.
fn announced(part: &[u8]) -> Option<(usize, usize)> {
    let end = head_end(part)?;
    let head = std::str::from_utf8(&part[..end]).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    length.filter(|length| *length <= MAX_MESSAGE_BYTES).map(|length| (end, length))
}

fn head_end(part: &[u8]) -> Option<usize> {
    let find = |pattern: &[u8]| part.windows(pattern.len()).position(|window| window == pattern);
    match (find(b"\r\n\r\n"), find(b"\n\n")) {
        (Some(crlf), Some(lf)) if lf < crlf => Some(lf + 2),
        (Some(crlf), _) => Some(crlf + 4),
        (None, Some(lf)) => Some(lf + 2),
        (None, None) => None,
    }
}

/// Whether a part of the announced length is a heartbeat or ends with its JSON: some devices
/// announce a length that is too short.
fn is_whole(content: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(content) else { return false };
    match text.split_once(";data=") {
        Some((_, data)) => matches!(Json::first_in(data), Ok(Some(_))),
        None => text.trim().eq_ignore_ascii_case("heartbeat"),
    }
}
