//! What an import tells: the progress on a terminal, rejected rows, the summary.

use std::{collections::BTreeMap, fs::File, path::Path, time::Instant};

use anyhow::Context as _;
use indicatif::{HumanCount, ProgressBar};
use serde::Serialize;
use smartpark_formats::file::MappedWord;

use super::super::{
    input::Progress,
    output::{bar, count, note},
};
use crate::{Recorded, limits::SHOWN_FAULTS, private};

/// What an import did, as programs read it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Summary {
    /// Rows that were read and dealt with.
    pub(super) read: u64,
    /// Events that were new.
    pub(super) recorded: u64,
    /// Events that had been recorded before.
    pub(super) duplicates: u64,
    /// Of the duplicates those that are not like the first, which stands.
    pub(super) differing: u64,
    /// Of the new ones those that found their floor full or empty.
    pub(super) at_limit: u64,
    /// Rows that are no event, or one that was refused.
    pub(super) rejected: u64,
    /// Rows of something that is not counted, such as bicycles.
    pub(super) not_counted: u64,
    /// The foreign words, what each was taken for, and how often.
    pub(super) words: Vec<WordCount>,
    /// Up to which line of the file all is dealt with.
    pub(super) safe_to_line: u64,
    /// Whether that is the whole file.
    pub(super) complete: bool,
    /// How long it took.
    pub(super) seconds: f64,
    /// Rows in a second.
    pub(super) rows_per_second: f64,
}

/// How often a foreign word was taken for one of SmartPark's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct WordCount {
    field: &'static str,
    word: String,
    meaning: &'static str,
    rows: u64,
}

impl Summary {
    /// In words.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "Read        {}\nRecorded    {}\nDuplicates  {}\nAt limit    {}\nRejected    {}\n\
             in {:.1} s, {:.0} rows/s",
            self.read,
            self.recorded,
            self.duplicates,
            self.at_limit,
            self.rejected,
            self.seconds,
            self.rows_per_second,
        );
        if self.differing > 0 {
            let differing = count(self.differing, "duplicate");
            text.push_str(&format!(
                "\n{differing} differ in floor, type or confidence from the first, which stands"
            ));
        }
        if self.not_counted > 0 {
            let rows = count(self.not_counted, "row");
            text.push_str(&format!("\n{rows} not counted: no vehicles"));
        }
        for WordCount { field, word, meaning, rows } in &self.words {
            let rows = count(*rows, "row");
            text.push_str(&match word.as_str() {
                "" => format!("\n{field} was empty in {rows}: taken for {meaning}"),
                word => format!("\n{field} {word:?} in {rows}: {meaning}"),
            });
        }
        if !self.complete {
            text.push_str(&format!(
                "\nNot complete: all is safely recorded to line {}; repeat the import to go on",
                self.safe_to_line
            ));
        }
        text
    }
}

/// Keeps count and tells.
pub(super) struct Report {
    summary: Summary,
    words: BTreeMap<MappedWord, u64>,
    rejects: Option<csv::Writer<File>>,
    bar: ProgressBar,
    progress: Progress,
    since: Instant,
}

impl Report {
    /// Begins, with the file for rejected rows if one is wanted.
    pub(super) fn start(progress: Progress, rejects: Option<&Path>) -> anyhow::Result<Self> {
        let rejects = rejects.map(|path| {
            let writer = private::create(path).map(csv::Writer::from_writer);
            let mut writer =
                writer.with_context(|| format!("{} cannot be written", path.display()))?;
            writer.write_record(["line", "reason"])?;
            anyhow::Ok(writer)
        });
        Ok(Self {
            summary: Summary::default(),
            words: BTreeMap::new(),
            rejects: rejects.transpose()?,
            bar: match progress.size {
                Some(size) => {
                    bar(Some(size), "{bar:30} {percent:>3} % of {total_bytes}, {msg}, {eta} left")
                }
                None => bar(None, "{spinner} {bytes}, {msg}"),
            },
            progress,
            since: Instant::now(),
        })
    }

    /// A row that was recorded.
    pub(super) fn recorded(&mut self, line: u64, recorded: &Recorded) {
        self.dealt_with(line);
        if recorded.duplicate {
            self.summary.duplicates += 1;
            self.summary.differing += u64::from(!recorded.differs.is_empty());
        } else {
            self.summary.recorded += 1;
            self.summary.at_limit += u64::from(recorded.event.at_limit.is_some());
        }
    }

    /// The foreign words of a row.
    pub(super) fn mapped(&mut self, words: Vec<MappedWord>) {
        for word in words {
            *self.words.entry(word).or_default() += 1;
        }
    }

    /// A row of something that is not counted.
    pub(super) fn not_counted(&mut self, line: u64) {
        self.dealt_with(line);
        self.summary.not_counted += 1;
    }

    /// A row that was not.
    pub(super) fn rejected(&mut self, line: u64, reason: &str) -> anyhow::Result<()> {
        self.dealt_with(line);
        self.summary.rejected += 1;
        if self.summary.rejected <= SHOWN_FAULTS as u64 {
            self.bar.suspend(|| note(&format!("line {line}: {reason}")));
        }
        if let Some(rejects) = &mut self.rejects {
            let written = rejects.write_record([line.to_string().as_str(), reason]);
            written.context("the file of rejected rows cannot be written")?;
        }
        Ok(())
    }

    fn dealt_with(&mut self, line: u64) {
        self.summary.read += 1;
        self.summary.safe_to_line = line;
    }

    /// Moves the bar on.
    pub(super) fn show(&self) {
        let read = self.progress.read();
        self.bar.set_position(self.progress.size.map_or(read, |size| read.min(size)));
        let rows = HumanCount(self.summary.read);
        self.bar.set_message(format!(
            "{rows} rows, {:.0} rows/s",
            rows_per_second(&self.summary, self.since)
        ));
    }

    /// Ends, with the summary.
    pub(super) fn finish(mut self, complete: bool) -> anyhow::Result<Summary> {
        self.bar.finish_and_clear();
        if let Some(mut rejects) = self.rejects.take() {
            rejects.flush().context("the file of rejected rows cannot be written")?;
        }
        let more = self.summary.rejected.saturating_sub(SHOWN_FAULTS as u64);
        if more > 0 {
            note(&format!("and {}; --rejects FILE keeps all", count(more, "more rejected row")));
        }
        let words = self.words.into_iter().map(|(it, rows)| {
            let MappedWord { field, word, meaning } = it;
            WordCount { field, word, meaning, rows }
        });
        self.summary.words = words.collect();
        self.summary.complete = complete;
        self.summary.seconds = self.since.elapsed().as_secs_f64();
        self.summary.rows_per_second = rows_per_second(&self.summary, self.since);
        Ok(self.summary)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of rows is far below 2^53")]
fn rows_per_second(summary: &Summary, since: Instant) -> f64 {
    let seconds = since.elapsed().as_secs_f64();
    if seconds > 0.0 { summary.read as f64 / seconds } else { 0.0 }
}
