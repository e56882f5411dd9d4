//! The physical lines of a file, with their numbers, in bounded memory.

use std::{
    collections::VecDeque,
    io::{self, BufRead},
};

use crate::limits::MAX_IMPORT_LINE_BYTES;

/// The byte order mark that some programs put before UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

const TOO_LONG: &str = "the line is longer than 65536 bytes";
const NOT_UTF_8: &str =
    "the line is not UTF-8; if the file is Latin-1 (Windows), --encoding latin1 reads it";

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

/// Reads lines. They end with a line feed, a carriage return, or both.
pub(in crate::cli) struct Lines<R> {
    from: R,
    number: u64,
    /// The last line ended with a carriage return: a line feed behind it belongs to it.
    after_return: bool,
    /// Lines that were read ahead and given back.
    back: VecDeque<Line>,
}

impl<R: BufRead> Lines<R> {
    pub(in crate::cli) fn new(from: R) -> Self {
        Self { from, number: 0, after_return: false, back: VecDeque::new() }
    }

    /// The next line; `None` at the end. A line that is too long or no UTF-8 is passed over and
    /// says so.
    pub(in crate::cli) fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.back.pop_front() {
            return Ok(Some(line));
        }
        let mut bytes = Vec::with_capacity(256);
        if !self.read_line(&mut bytes)? {
            return Ok(None);
        }
        self.number += 1;
        let mut text = bytes.as_slice();
        if self.number == 1 {
            text = text.strip_prefix(BOM).unwrap_or(text);
        }
        let text = if text.len() > MAX_IMPORT_LINE_BYTES {
            Err(TOO_LONG)
        } else {
            std::str::from_utf8(text).map(str::to_owned).map_err(|_| NOT_UTF_8)
        };
        let number = self.number;
        Ok(Some(Line { number, text }))
    }

    /// Reads to the end of a line, of which a bounded part is kept; returns whether there was one.
    fn read_line(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        let most = MAX_IMPORT_LINE_BYTES + BOM.len() + 1;
        let mut is_there = false;
        loop {
            let bytes = match self.from.fill_buf() {
                Ok(bytes) => bytes,
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => continue,
                Err(fault) => return Err(fault),
            };
            if bytes.is_empty() {
                return Ok(is_there);
            }
            if self.after_return {
                self.after_return = false;
                if bytes[0] == b'\n' {
                    self.from.consume(1);
                    continue;
                }
            }
            let end = bytes.iter().position(|&byte| byte == b'\n' || byte == b'\r');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let room = most - line.len();
            line.extend_from_slice(&part[..part.len().min(room)]);
            self.after_return = end.is_some_and(|end| bytes[end] == b'\r');
            let length = part.len() + usize::from(end.is_some());
            self.from.consume(length);
            is_there = true;
            if end.is_some() {
                return Ok(true);
            }
        }
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
        let text = b"\xef\xbb\xbfa\r\n\n\r\nb\rc\nd";
        let expected = [ok(1, "a"), ok(2, ""), ok(3, ""), ok(4, "b"), ok(5, "c"), ok(6, "d")];
        assert_eq!(lines(text), expected);
        // However it is cut.
        for size in 1..text.len() {
            let mut cut = Lines::new(io::BufReader::with_capacity(size, text.as_slice()));
            let next = || cut.next().unwrap().map(|line| (line.number, line.text));
            assert_eq!(std::iter::from_fn(next).collect::<Vec<_>>(), expected, "{size}");
        }
        assert_eq!(lines(b"a\r\rb\r"), [ok(1, "a"), ok(2, ""), ok(3, "b")]);
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
        assert_eq!(read[1], (2, Err(NOT_UTF_8)));
        assert_eq!(read[2], (3, Err(TOO_LONG)));
        assert_eq!(read[3], (4, Ok("z".to_owned())));
        assert_eq!(read.len(), 4);
    }
}
