//! The messages in a recorded file, by what the file holds and what the device is.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    config::{Camera, Input},
    input::{DahuaPart, DahuaStream, Message},
};

/// One message of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedMessage {
    /// The MQTT topic; `None` for a message by HTTP or from a file.
    pub topic: Option<String>,
    /// Whether the broker kept it from before.
    pub retained: bool,
    /// The `Content-Type` of an HTTP body.
    pub content_type: Option<String>,
    /// The name of the file, for devices whose files are imported.
    pub file_name: Option<String>,
    /// The bytes.
    pub body: Vec<u8>,
}

impl RecordedMessage {
    /// The message, as if it came at this time.
    #[must_use]
    pub fn message(&self, arrived: Timestamp) -> Message<'_> {
        Message {
            topic: self.topic.as_deref(),
            retained: self.retained,
            content_type: self.content_type.as_deref(),
            file_name: self.file_name.as_deref(),
            body: &self.body,
            arrived,
        }
    }

    fn post(body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..Self::default() }
    }
}

/// Why the messages of a file cannot be told apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// A line of a recording of MQTT messages is not one.
    #[error(
        "line {0} is not an MQTT message: write one object a line with topic, payload and, \
         if the broker kept it, \"retain\": true"
    )]
    Line(usize),
    /// A part of a stream is larger than a message may be.
    #[error("a part of the stream is larger than a message may be")]
    TooLarge,
}

/// The messages of a file, in their order:
///
/// - MQTT messages, one JSON object a line with `topic` and `payload` (JSON, or a text as it
///   stands) and optionally `retain`;
/// - the event stream of a Dahua camera;
/// - a JSON array: a post for each element, which may be `{"content_type": …, "body": …}`;
/// - else one body, which may be multipart.
///
/// # Errors
/// [`RecordingError`] names the line that does not fit.
pub fn messages(
    camera: &Camera,
    file_name: &str,
    bytes: &[u8],
) -> Result<Vec<RecordedMessage>, RecordingError> {
    if matches!(camera.input, Input::Dahua(_)) {
        return stream(bytes);
    }
    if matches!(camera.input, Input::OpenDataCam(_)) {
        let file_name = Some(file_name.to_owned());
        return Ok(vec![RecordedMessage { file_name, ..RecordedMessage::post(bytes) }]);
    }
    let has_lines = [".ndjson", ".jsonl"].iter().any(|ending| file_name.ends_with(ending));
    if has_lines || is_mqtt(bytes) {
        return lines(bytes);
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Array(list)) => Ok(list.iter().map(posted).collect()),
        _ => Ok(vec![RecordedMessage::post(bytes)]),
    }
}

/// Whether the first line is an object with a topic and a payload.
fn is_mqtt(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty()).unwrap_or_default();
    serde_json::from_slice(first).is_ok_and(|line: Value| mqtt(&line).is_some())
}

fn lines(bytes: &[u8]) -> Result<Vec<RecordedMessage>, RecordingError> {
    let mut messages = Vec::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let line: Option<Value> = serde_json::from_slice(line).ok();
        let message = line.as_ref().and_then(mqtt);
        messages.push(message.ok_or(RecordingError::Line(number + 1))?);
    }
    Ok(messages)
}

fn mqtt(line: &Value) -> Option<RecordedMessage> {
    let body = match line.get("payload")? {
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    };
    Some(RecordedMessage {
        topic: Some(line["topic"].as_str()?.to_owned()),
        retained: line["retain"] == true,
        body,
        ..RecordedMessage::default()
    })
}

fn posted(item: &Value) -> RecordedMessage {
    match item["body"].as_str() {
        Some(body) => RecordedMessage {
            content_type: item["content_type"].as_str().map(str::to_owned),
            ..RecordedMessage::post(body.as_bytes())
        },
        None => RecordedMessage::post(item.to_string().as_bytes()),
    }
}

/// The parts of an event stream; its first line names the boundary.
fn stream(bytes: &[u8]) -> Result<Vec<RecordedMessage>, RecordingError> {
    let mut stream = DahuaStream::new(None);
    let mut parts = stream.push(bytes);
    parts.extend(stream.finish());
    let content = |part: DahuaPart| match part {
        DahuaPart::Content(content) => Ok(RecordedMessage::post(&content)),
        DahuaPart::TooLarge => Err(RecordingError::TooLarge),
    };
    parts.into_iter().map(content).collect()
}
