//! The records of a CSV file (RFC 4180), each with the physical line it begins on.
//!
//! Invariant: one damaged line costs one record. A quote that is never closed would make the
//! rest of a file one cell; here the record is refused after a bounded look ahead and the lines
//! behind it are read as records of their own. (This, and line numbers that hold with every kind
//! of line break and blank line, is why the lines are taken apart here.)

use std::io::{self, BufRead};

use smartpark_formats::{
    file::{Cells, Columns, Header, Search},
    limits::MAX_HEADER_LINES,
};

use super::{super::Usage, Line, Lines};
use crate::limits::MAX_IMPORT_LINE_BYTES;

/// One record: the line it begins on, and its cells or what is wrong with it.
pub(in crate::cli) type Record = (u64, Result<Cells, &'static str>);

/// Reads records. Lines and records without a text in any cell are none.
pub(in crate::cli) struct Records<R> {
    lines: Lines<R>,
    separator: char,
}

impl<R: BufRead> Records<R> {
    /// The records behind the header, which is looked for among the first lines. `None` if the
    /// file holds nothing.
    ///
    /// # Errors
    /// Says which columns are missing, and what stands there instead.
    pub(in crate::cli) fn open<const N: usize>(
        mut lines: Lines<R>,
        columns: &Columns<N>,
    ) -> anyhow::Result<Option<(Self, Header<N>)>> {
        let (mut search, mut fault) = (Search::new(columns), None);
        for _ in 0..MAX_HEADER_LINES {
            let Some(line) = lines.next()? else { break };
            match line.text {
                Err(told) => fault = fault.or(Some(format!("line {}: {told}", line.number))),
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => {
                    if let Some(header) = search.line(line.number, &text).map_err(Usage)? {
                        let separator = header.separator;
                        return Ok(Some((Self { lines, separator }, header)));
                    }
                }
            }
        }
        match fault.or_else(|| search.not_found()) {
            Some(told) => Err(Usage(told).into()),
            None => Ok(None),
        }
    }

    /// The next record; `None` at the end.
    pub(in crate::cli) fn next(&mut self) -> io::Result<Option<Record>> {
        loop {
            let Some(line) = self.lines.next()? else { return Ok(None) };
            if line.is_blank() {
                continue;
            }
            let number = line.number;
            let record = self.record(line)?;
            if !record.as_ref().is_ok_and(Cells::is_empty) {
                return Ok(Some((number, record)));
            }
        }
    }

    fn record(&mut self, line: Line) -> io::Result<Result<Cells, &'static str>> {
        let text = match line.text {
            Ok(text) => text,
            Err(fault) => return Ok(Err(fault)),
        };
        let mut cells = Cells::default();
        if cells.add(&text, self.separator, false) && !self.close_quote(&mut cells)? {
            return Ok(Err("a quote is opened and never closed"));
        }
        Ok(Ok(cells))
    }

    /// Reads on to the line that closes the quote; gives the lines back where none does.
    fn close_quote(&mut self, cells: &mut Cells) -> io::Result<bool> {
        let mut read = Vec::new();
        while cells.text_len() <= MAX_IMPORT_LINE_BYTES {
            let Some(line) = self.lines.next()? else { break };
            let still_open = match &line.text {
                Ok(text) => cells.add(text, self.separator, true),
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
        let lines = Lines::new(text.as_bytes());
        let mut records = Records { lines, separator: ',' };
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
    fn records_know_the_line_they_begin_on() {
        let read = records("a,b\r\n\r\n\"1\r\n2\",3\r\n4,5\n\n , \n6,7");
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
