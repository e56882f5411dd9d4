//! A door for the fuzz targets (`fuzz/`): the rows of a file without the file and a store. Only a
//! build with `--cfg fuzzing` has it.

use std::io::BufRead;

use smartpark_formats::file::{Columns, EVENT, FloorNames, Rules};

use super::{super::input::Lines, rows::Reader};
use crate::{Floor, NewEvent};

/// One row: the physical line that it begins on, and the event, nothing if it is of
/// something that is not counted, or why it is none.
pub type Row = (u64, Result<Option<NewEvent>, String>);

/// The rows of a table (`is_csv`) or of objects line by line. These floors have names.
///
/// # Errors
/// Why the file is refused as a whole.
pub fn read_rows(
    is_csv: bool,
    from: impl BufRead + Send,
    floors: &[Floor],
) -> Result<Vec<Row>, String> {
    let names = FloorNames::of(floors.iter().map(|floor| (floor.name.clone(), floor.id)));
    let rules = Rules::new(Columns::new(&EVENT, &[], &[])?, names, String::new());
    let lines = Lines::new(from);
    let reader = if is_csv {
        Reader::csv(lines, rules).map_err(|fault| fault.to_string())?
    } else {
        Some(Reader::ndjson(lines, rules))
    };
    // More than the lines of any input: nobody takes batches out before all are there.
    let (send, mut batches) = tokio::sync::mpsc::channel(1_024);
    if let Some(reader) = reader {
        reader.run(&send);
    }
    drop(send);
    let mut read = Vec::new();
    while let Some(batch) = batches.blocking_recv() {
        let batch = batch.map_err(|fault| fault.to_string())?;
        read.extend(batch.into_iter().map(|row| (row.line, row.event)));
    }
    Ok(read)
}
