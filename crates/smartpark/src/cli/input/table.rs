//! The records of a CSV file (RFC 4180), each with the physical line it begins on.
//!
//! Invariant: one damaged line costs one record. A quote that is never closed would make the
//! rest of a file one cell; here the record is refused after a bounded look ahead and the lines
//! behind it are read as records of their own. (This, and line numbers that hold with every kind
//! of line break and blank line, is why the lines are taken apart here.)

use std::io::{self, BufRead};

use super::Lines;
use crate::limits::MAX_IMPORT_LINE_BYTES;

/// The cells of one record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Cells {
    text: String,
    ends: Vec<usize>,
}

impl Cells {
    /// The cell at a place, if the record is that long.
    pub(in crate::cli) fn get(&self, place: usize) -> Option<&str> {
        let end = *self.ends.get(place)?;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// How many there are.
    pub(in crate::cli) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All of them.
    pub(in crate::cli) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    fn end_cell(&mut self) {
        self.ends.push(self.text.len());
    }

    /// Adds the text of one line; returns whether a quote is still open at its end.
    fn add(&mut self, line: &str, mut in_quotes: bool) -> bool {
        let mut rest = line.chars().peekable();
        let mut at_start = !in_quotes;
        while let Some(c) = rest.next() {
            match c {
                '"' if in_quotes && rest.peek() == Some(&'"') => {
                    rest.next();
                    self.text.push('"');
                }
                '"' if in_quotes => in_quotes = false,
                '"' if at_start => in_quotes = true,
                ',' if !in_quotes => {
                    self.end_cell();
                    at_start = true;
                    continue;
                }
                other => self.text.push(other),
            }
            at_start = false;
        }
        if in_quotes {
            self.text.push('\n');
        } else {
            self.end_cell();
        }
        in_quotes
    }
}

/// One record: the line it begins on, and its cells or what is wrong with it.
pub(in crate::cli) type Record = (u64, Result<Cells, &'static str>);

/// Reads records; blank lines are none.
pub(in crate::cli) struct Records<R> {
    lines: Lines<R>,
}

impl<R: BufRead> Records<R> {
    pub(in crate::cli) fn new(lines: Lines<R>) -> Self {
        Self { lines }
    }

    /// The next record; `None` at the end.
    pub(in crate::cli) fn next(&mut self) -> io::Result<Option<Record>> {
        let line = loop {
            match self.lines.next()? {
                Some(line) if line.is_blank() => {}
                Some(line) => break line,
                None => return Ok(None),
            }
        };
        let text = match line.text {
            Ok(text) => text,
            Err(fault) => return Ok(Some((line.number, Err(fault)))),
        };
        let mut cells = Cells::default();
        if cells.add(&text, false) && !self.close_quote(&mut cells)? {
            let fault = "a quote is opened and never closed";
            return Ok(Some((line.number, Err(fault))));
        }
        Ok(Some((line.number, Ok(cells))))
    }

    /// Reads on to the line that closes the quote; gives the lines back where none does.
    fn close_quote(&mut self, cells: &mut Cells) -> io::Result<bool> {
        let mut read = Vec::new();
        while cells.text.len() <= MAX_IMPORT_LINE_BYTES {
            let Some(line) = self.lines.next()? else { break };
            let still_open = match &line.text {
                Ok(text) => cells.add(text, true),
                Err(_) => true,
            };
            let is_bad = line.text.is_err();
            read.push(line);
            if is_bad {
                break;
            }
            if !still_open {
                return Ok(true);
            }
        }
        self.lines.give_back(read);
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<(u64, Result<Vec<String>, &'static str>)> {
        let mut records = Records::new(Lines::new(text.as_bytes()));
        let next = || {
            let (line, cells) = records.next().unwrap()?;
            Some((line, cells.map(|cells| cells.iter().map(str::to_owned).collect())))
        };
        std::iter::from_fn(next).collect()
    }

    fn good(line: u64, cells: &[&str]) -> (u64, Result<Vec<String>, &'static str>) {
        (line, Ok(cells.iter().map(|&cell| cell.to_owned()).collect()))
    }

    #[test]
    fn cells_are_read_as_they_were_meant() {
        let table: [(&str, &[&str]); 8] = [
            ("a,b,c", &["a", "b", "c"]),
            ("a,,", &["a", "", ""]),
            (",", &["", ""]),
            ("\"a,b\",c", &["a,b", "c"]),
            ("\"say \"\"hi\"\"\",x", &["say \"hi\"", "x"]),
            ("a\"b,c", &["a\"b", "c"]),
            ("\"a\"b,\"\"", &["ab", ""]),
            ("\"ü\nä\",b", &["ü\nä", "b"]),
        ];
        for (text, cells) in table {
            assert_eq!(records(text), [good(1, cells)], "{text:?}");
        }
    }

    #[test]
    fn records_know_the_line_they_begin_on() {
        let read = records("a,b\r\n\r\n\"1\r\n2\",3\r\n4,5\n\n\n6,7");
        let expected = [
            good(1, &["a", "b"]),
            good(3, &["1\n2", "3"]),
            good(5, &["4", "5"]),
            good(8, &["6", "7"]),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_quote_that_is_never_closed_costs_one_record() {
        let read = records("a,b\n\"1,2\n3,4\n5,6\n");
        let fault = (2, Err("a quote is opened and never closed"));
        let expected = [good(1, &["a", "b"]), fault, good(3, &["3", "4"]), good(4, &["5", "6"])];
        assert_eq!(read, expected);
    }

    #[test]
    fn it_reads_what_the_csv_crate_writes() {
        let cells = ["plain", "with,comma", "with\"quote", "with\nbreak", " spaced ", "", "ü"];
        let mut written = csv::Writer::from_writer(Vec::new());
        written.write_record(cells).unwrap();
        let text = String::from_utf8(written.into_inner().unwrap()).unwrap();
        assert_eq!(records(&text), [good(1, &cells)]);
    }
}
