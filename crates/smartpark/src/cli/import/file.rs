//! The options that tell how a file is read, of every command that reads events from one.

use std::path::PathBuf;

use smartpark_formats::file::{
    Columns, Constant, EVENT, Encoding, FloorKey, FloorNames, LocalTimes, Mapping, Rules, Word,
};

use super::super::{
    Usage,
    input::{Format, Source},
};

/// A file of events, and how it is read.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct FileArgs {
    /// The file, or - for standard input
    pub(in crate::cli) file: PathBuf,
    /// What the file holds [default: what its name or its first byte says]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// How its text is written: utf-8, utf-16, utf-16be, latin1 [default: what its first bytes
    /// say]
    #[arg(long, value_name = "ENCODING")]
    encoding: Option<Encoding>,
    /// The column (or member) that holds a field, as FIELD=COLUMN; two columns of a date and a
    /// time as timestamp=DATE+TIME; can be repeated
    #[arg(long, value_name = "FIELD=COLUMN")]
    map: Vec<Mapping>,
    /// A value for all rows, for a field that has no column, as FIELD=VALUE; can be repeated
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<Constant>,
    /// What the file means by a word, as direction:WORD=entry or vehicle_type:WORD=truck
    /// (vehicle_type:WORD=none is not counted); can be repeated
    #[arg(long, value_name = "FIELD:WORD=MEANING")]
    word: Vec<Word>,
    /// The zone of times without an offset, such as Europe/Berlin [default: such rows are
    /// rejected]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// How times are written, in the signs of strptime, such as "%m/%d/%Y %I:%M:%S %p"
    #[arg(long, value_name = "FORMAT")]
    time_format: Option<String>,
    /// What decides if a row's floor id and floor name disagree, id or name [default: such rows
    /// are rejected; in a file from another site the name decides]
    #[arg(long, value_name = "FIELD")]
    floor_by: Option<FloorKey>,
}

impl FileArgs {
    /// The columns that are looked for. Here faults of the options show before anything is opened.
    pub(in crate::cli) fn columns(&self) -> Result<Columns<9>, Usage> {
        self.times()?;
        Columns::new(&EVENT, &self.map, &self.set).map_err(Usage)
    }

    fn times(&self) -> Result<LocalTimes, Usage> {
        LocalTimes::new(self.time_zone.as_deref(), self.time_format.as_deref())
            .map_err(|fault| Usage(format!("--time-zone {fault}")))
    }

    /// How its rows are read, into the ledger that files call `ledger`.
    pub(in crate::cli) fn rules(&self, floors: FloorNames, ledger: String) -> Result<Rules, Usage> {
        let rules = Rules::new(self.columns()?, floors, ledger);
        Ok(rules.with(&self.word, self.times()?, self.floor_by))
    }

    /// Opens the file.
    pub(in crate::cli) fn open(&self) -> anyhow::Result<Source> {
        Source::open(&self.file, self.format, self.encoding)
    }
}
