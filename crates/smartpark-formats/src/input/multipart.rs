//! The parts of a multipart body that is whole in memory.
//!
//! An asynchronous reader of streams would be the wrong tool here: the body is bounded and at
//! hand, and a translator waits for nothing.

use super::refusal::{NotCounted, Reason};
use crate::limits::MAX_PARTS;

/// Longest boundary that RFC 2046 allows, in bytes.
const MAX_BOUNDARY_BYTES: usize = 70;

/// The bodies of all parts, without their heads. `content_type` may name the boundary; if it does
/// not, the first line of the body is taken for it.
pub(crate) fn parts<'a>(
    content_type: Option<&str>,
    body: &'a [u8],
) -> Result<Vec<&'a [u8]>, NotCounted> {
    let boundary = content_type.and_then(boundary_in).or_else(|| first_line(body));
    let boundary = boundary.ok_or_else(|| unreadable("the multipart body has no boundary"))?;
    let delimiter = [b"--", boundary.as_bytes()].concat();
    let starts = delimiters(body, &delimiter);
    if starts.is_empty() {
        return Err(unreadable("the multipart body has no part"));
    }
    let mut parts = Vec::new();
    for (number, start) in starts.iter().enumerate() {
        let after = &body[start + delimiter.len()..];
        if after.starts_with(b"--") {
            break;
        }
        if parts.len() == MAX_PARTS {
            let detail = format!("the multipart body has more than {MAX_PARTS} parts");
            return Err(NotCounted::new(Reason::TooLarge, detail));
        }
        let end = starts.get(number + 1).map_or(body.len(), |next| *next);
        let part = &body[(start + delimiter.len()).min(end)..end];
        if let Some(content) = content(part) {
            parts.push(content);
        }
    }
    Ok(parts)
}

/// Whether a body looks like multipart although its type says something else.
pub(crate) fn is_multipart(content_type: Option<&str>, body: &[u8]) -> bool {
    let named = content_type
        .is_some_and(|named| named.trim_start().to_ascii_lowercase().starts_with("multipart/"));
    named || body.starts_with(b"--")
}

/// The boundary that a content type names.
pub(crate) fn boundary_in(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';').skip(1);
    let value = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then_some(value)
    })?;
    let value = value.trim().trim_matches('"').trim_start_matches("--");
    (1..=MAX_BOUNDARY_BYTES).contains(&value.len()).then(|| value.to_owned())
}

fn first_line(body: &[u8]) -> Option<String> {
    let line = body.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let boundary = line.strip_prefix("--")?;
    (1..=MAX_BOUNDARY_BYTES).contains(&boundary.len()).then(|| boundary.to_owned())
}

/// Where a delimiter stands at the beginning of a line.
fn delimiters(body: &[u8], delimiter: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut line = 0;
    loop {
        if body[line..].starts_with(delimiter) {
            found.push(line);
            if found.len() > MAX_PARTS + 1 {
                return found;
            }
        }
        match body[line..].iter().position(|byte| *byte == b'\n') {
            Some(end) => line += end + 1,
            None => return found,
        }
    }
}

/// What follows the empty line behind a part's head, without the line end before the delimiter.
fn content(part: &[u8]) -> Option<&[u8]> {
    let find = |pattern: &[u8]| part.windows(pattern.len()).position(|window| window == pattern);
    let (head, length) = match (find(b"\r\n\r\n"), find(b"\n\n")) {
        (Some(crlf), Some(lf)) if lf < crlf => (lf, 2),
        (Some(crlf), _) => (crlf, 4),
        (None, Some(lf)) => (lf, 2),
        (None, None) => return None,
    };
    let content = &part[head + length..];
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    Some(content.strip_suffix(b"\r").unwrap_or(content))
}

fn unreadable(detail: &str) -> NotCounted {
    NotCounted::new(Reason::Unreadable, detail)
}
