//! The header of a table, wherever among the first lines it stands.

use smartpark_core::intake::displayable;

use super::{Cells, Columns, Place, columns::Located};
use crate::limits::MAX_SHOWN_CELLS;

/// What may stand between two cells. If a header can be read with several, the one that makes the
/// most cells is taken.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

/// The header of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<const N: usize> {
    /// What stands between two cells.
    pub separator: char,
    /// Its cells.
    pub cells: Cells,
    /// The place of each field.
    pub places: [Option<Place>; N],
}

impl<const N: usize> Header<N> {
    /// What the column of a field is called; empty if there is none.
    #[must_use]
    pub fn name(&self, field: usize) -> &str {
        self.places[field].and_then(|place| self.cells.get(place.cell)).unwrap_or_default()
    }
}

/// Looks for the header among the first lines of a table.
#[derive(Debug)]
pub struct Search<'a, const N: usize> {
    columns: &'a Columns<N>,
    first: Option<(u64, Cells)>,
    /// The line that came closest: how many fields it names, and which it does not.
    closest: Option<(usize, u64, Cells, Vec<String>)>,
}

impl<'a, const N: usize> Search<'a, N> {
    /// A search for these columns.
    #[must_use]
    pub const fn new(columns: &'a Columns<N>) -> Self {
        Self { columns, first: None, closest: None }
    }

    /// Whether a line is the header.
    ///
    /// # Errors
    /// What is wrong with the header that it is.
    pub fn line(&mut self, number: u64, text: &str) -> Result<Option<Header<N>>, String> {
        let mut found: Option<Header<N>> = None;
        let mut fault = None;
        for separator in SEPARATORS {
            let Some(cells) = Cells::of_line(text, separator) else { continue };
            let names: Vec<&str> = cells.iter().collect();
            match self.columns.locate(&names) {
                Located::All(places) => {
                    if found.as_ref().is_none_or(|it| it.cells.len() < cells.len()) {
                        found = Some(Header { separator, cells, places });
                    }
                }
                Located::Faulty(told) => fault = Some(told),
                Located::Some(fields, missing) => self.note(number, cells, fields, missing),
            }
        }
        match (found, fault) {
            (Some(header), _) => Ok(Some(header)),
            (None, Some(fault)) => Err(format!("line {number}: {fault}")),
            (None, None) => Ok(None),
        }
    }

    fn note(&mut self, number: u64, cells: Cells, fields: usize, missing: Vec<String>) {
        let rank = |fields: usize, cells: &Cells| (fields, cells.len());
        let is_first = self
            .first
            .as_ref()
            .is_none_or(|(line, first)| *line == number && first.len() < cells.len());
        if is_first {
            self.first = Some((number, cells.clone()));
        }
        let is_closest = self
            .closest
            .as_ref()
            .is_none_or(|(named, _, closest, _)| rank(*named, closest) < rank(fields, &cells));
        if is_closest {
            self.closest = Some((fields, number, cells, missing));
        }
    }

    /// What to say if none of the lines was the header; `None` if there was no line.
    #[must_use]
    pub fn not_found(self) -> Option<String> {
        let (first, (_, line, closest, missing)) = (self.first?, self.closest?);
        let mut text = format!(
            "no column for {}; line {} holds: {}",
            missing.join(", "),
            first.0,
            shown(&first.1)
        );
        if line != first.0 {
            text.push_str(&format!("; line {line} comes closest: {}", shown(&closest)));
        }
        text.push_str(
            ". --map FIELD=COLUMN names another column, --set FIELD=VALUE gives a value for all \
             rows",
        );
        Some(text)
    }
}

/// The cells of a line, fit to be shown.
fn shown(cells: &Cells) -> String {
    let shown: Vec<String> =
        cells.iter().take(MAX_SHOWN_CELLS).map(|cell| displayable(cell.trim())).collect();
    let more = if cells.len() > MAX_SHOWN_CELLS { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
