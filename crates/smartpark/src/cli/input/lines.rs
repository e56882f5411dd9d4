//! The physical lines of a file, with their numbers, in bounded memory.

use std::{
    collections::VecDeque,
    io::{self, BufRead, Read},
};

use crate::limits::MAX_IMPORT_LINE_BYTES;

/// The byte order mark that some programs put before UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// One physical line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Line {
    /// Its number in the file, from 1.
    pub(in crate::cli) number: u64,
    /// What stands on it, without the line break; or what is wrong with it.
    pub(in crate::cli) text: Result<String, &'static str>,
}

impl Line {
    /// Whether nothing stands on it.
    pub(in crate::cli) fn is_blank(&self) -> bool {
        self.text.as_ref().is_ok_and(|text| text.trim().is_empty())
    }
}

/// Reads lines.
pub(in crate::cli) struct Lines<R> {
    from: R,
    number: u64,
    /// Lines that were read ahead and given back.
    back: VecDeque<Line>,
}

impl<R: BufRead> Lines<R> {
    pub(in crate::cli) fn new(from: R) -> Self {
        Self { from, number: 0, back: VecDeque::new() }
    }

    /// The next line; `None` at the end. A line that is too long or no UTF-8 is passed over and
    /// says so.
    pub(in crate::cli) fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.back.pop_front() {
            return Ok(Some(line));
        }
        let mut bytes = Vec::with_capacity(256);
        let limit = MAX_IMPORT_LINE_BYTES as u64 + 2;
        self.from.by_ref().take(limit).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let is_whole = bytes.ends_with(b"\n");
        if !is_whole && bytes.len() as u64 == limit {
            self.from.skip_until(b'\n')?;
        }
        let mut text = bytes.as_slice();
        text = text.strip_suffix(b"\n").unwrap_or(text);
        text = text.strip_suffix(b"\r").unwrap_or(text);
        if self.number == 1 {
            text = text.strip_prefix(BOM).unwrap_or(text);
        }
        let text = if text.len() > MAX_IMPORT_LINE_BYTES {
            Err("the line is longer than 65536 bytes")
        } else {
            let text = std::str::from_utf8(text).map(str::to_owned);
            text.map_err(|_| "the line is not UTF-8")
        };
        let number = self.number;
        Ok(Some(Line { number, text }))
    }

    /// Gives lines back that were read ahead, in their order, to be read again.
    pub(super) fn give_back(&mut self, lines: Vec<Line>) {
        for line in lines.into_iter().rev() {
            self.back.push_front(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<(u64, Result<String, &'static str>)> {
        let mut lines = Lines::new(bytes);
        let next = || lines.next().unwrap().map(|line| (line.number, line.text));
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn lines_have_their_physical_numbers() {
        let ok = |number, text: &str| (number, Ok(text.to_owned()));
        let read = lines(b"\xef\xbb\xbfa\r\n\n\r\nb\rc\nd");
        assert_eq!(read, [ok(1, "a"), ok(2, ""), ok(3, ""), ok(4, "b\rc"), ok(5, "d")]);
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn a_bad_line_is_passed_over_and_the_next_is_read() {
        let longest = "x".repeat(MAX_IMPORT_LINE_BYTES);
        let mut bytes = longest.clone().into_bytes();
        bytes.extend(b"\r\n\xff\n");
        bytes.extend(longest.as_bytes());
        bytes.extend(b"yyyyyyyyyyyy\nz\n");
        let read = lines(&bytes);
        assert_eq!(read[0], (1, Ok(longest)));
        assert_eq!(read[1], (2, Err("the line is not UTF-8")));
        assert_eq!(read[2], (3, Err("the line is longer than 65536 bytes")));
        assert_eq!(read[3], (4, Ok("z".to_owned())));
        assert_eq!(read.len(), 4);
    }
}
