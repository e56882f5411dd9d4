//! What people and programs read: tables, JSON and short notes.

use std::io::{self, IsTerminal, Write};

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

/// Where results go: standard output, as JSON for programs or as text for people.
pub(super) struct Out {
    /// Whether programs read it.
    pub(super) json: bool,
}

impl Out {
    /// Prints one result: `value` for programs, what `text` makes for people.
    pub(super) fn print(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let mut written = if self.json { serde_json::to_string(value)? } else { text() };
        if !written.is_empty() {
            written.push('\n');
        }
        Ok(write(written.as_bytes())?)
    }
}

/// Writes to standard output; a reader that went away is an error, not a panic.
pub(super) fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes a line to standard error. Where that is closed, nobody wants to know.
pub(super) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// A bar that shows people how far long work is; hidden where nobody sits in front of standard
/// error. `look` is its template; without a size it has no end.
pub(super) fn bar(size: Option<u64>, look: &str) -> ProgressBar {
    let bar = size.map_or_else(ProgressBar::no_length, ProgressBar::new);
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    match ProgressStyle::with_template(look) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A table; the columns whose titles begin with `>` hold numbers and stand at the right.
pub(super) fn table<R>(titles: &[&str], rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item = String>,
{
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(titles.iter().map(|title| title.trim_start_matches('>')));
    for row in rows {
        table.add_row(row);
    }
    for (column, title) in table.column_iter_mut().zip(titles) {
        column.set_padding((0, 2));
        if title.starts_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// "1 event", "2 events".
pub(super) fn count(number: u64, thing: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{s}")
}

/// A database URL for people: without what may be a password.
pub(super) fn shown_url(url: &str) -> &str {
    if url.starts_with("sqlite:") { url } else { "the database" }
}
