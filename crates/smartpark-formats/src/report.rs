//! Reports as tables and pages.

mod csv;
mod page;
mod words;

pub use csv::csv;
pub use page::{STYLE, page};
