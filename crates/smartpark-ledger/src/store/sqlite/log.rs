//! What is in a log (WAL) that lies beside a database file, before SQLite looks at it.
//!
//! SQLite takes over any whole log that it finds under the right name, also one of another file:
//! after a backup was put in the place of a file whose server was killed, the old log would be
//! mixed into the backup. So the file has a number, which the first transaction of each log moves
//! on by one ([`Writer`](super::writer)): it is in the header of the file (`user_version`), and so
//! in the first page as the log has it. A log belongs to the file if the file has one of the
//! numbers that are in the log, or the one before them.
//!
//! The format is <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    ops::RangeInclusive,
    path::Path,
};

use crate::{Error, Result};

const HEADER: usize = 32;
const FRAME: usize = 24;
/// The checksums of a log are over words of the machine that made it; the last bit says which.
const MAGIC: u32 = 0x377f_0682;

/// The numbers of the file that whole transactions in a log leave, from the first to the last;
/// none if no transaction in it is whole, or none changed the first page.
pub(super) fn numbers(log: &Path) -> io::Result<Option<RangeInclusive<i32>>> {
    let mut log = BufReader::with_capacity(1 << 20, File::open(log)?);
    let mut header = [0; HEADER];
    if !filled(&mut log, &mut header)? {
        return Ok(None);
    }
    let magic = word(&header, 0);
    let big_endian = magic & 1 == 1;
    let sum = checksum((0, 0), &header[..24], big_endian);
    if magic & !1 != MAGIC || sum != (word(&header, 24), word(&header, 28)) {
        return Ok(None);
    }
    let page_size = word(&header, 8) as usize;
    if !page_size.is_power_of_two() || !(512..=65_536).contains(&page_size) {
        return Ok(None);
    }
    read_frames(log, &header[16..24], sum, page_size, big_endian)
}

fn read_frames(
    mut log: impl Read,
    salts: &[u8],
    mut sum: (u32, u32),
    page_size: usize,
    big_endian: bool,
) -> io::Result<Option<RangeInclusive<i32>>> {
    let (mut frame, mut page) = ([0; FRAME], vec![0; page_size]);
    let (mut whole, mut pending) = (None, None);
    while filled(&mut log, &mut frame)? && filled(&mut log, &mut page)? {
        sum = checksum(sum, &frame[..8], big_endian);
        sum = checksum(sum, &page, big_endian);
        if frame[8..16] != *salts || sum != (word(&frame, 16), word(&frame, 20)) {
            break;
        }
        if word(&frame, 0) == 1 {
            pending = Some(number_in(&page));
        }
        let ends_transaction = word(&frame, 4) != 0;
        if ends_transaction && let Some(number) = pending.take() {
            let first = whole.map_or(number, |(first, _)| first);
            whole = Some((first, number));
        }
    }
    Ok(whole.map(|(first, last)| first..=last))
}

/// The number in a file's first bytes.
pub(super) fn number_in(first_page: &[u8]) -> i32 {
    i32::from_be_bytes(word(first_page, 60).to_be_bytes())
}

/// A first number for a file, drawn at random: far from those of other files.
pub(super) fn first_number() -> Result<i32> {
    let mut random = [0; 2];
    getrandom::fill(&mut random)
        .map_err(|error| Error::Internal(format!("no random numbers: {error}")))?;
    Ok(i32::from(i16::from_be_bytes(random) & 0x3fff | 1) << 16)
}

/// Whether it is a file's first number.
fn is_first(number: i32) -> bool {
    number & 0xffff == 0
}

/// Whether a log with these numbers may be that of the file with this one. A file that an earlier
/// version made has none, until it is opened with this one.
pub(super) fn belongs(file: i32, log: &RangeInclusive<i32>) -> bool {
    if file == 0 {
        return is_first(*log.start());
    }
    (log.start().saturating_sub(1)..=*log.end()).contains(&file)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn checksum((mut first, mut second): (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        let (a, b) = (word(pair, 0), word(pair, 4));
        let (a, b) = if big_endian { (a, b) } else { (a.swap_bytes(), b.swap_bytes()) };
        first = first.wrapping_add(a).wrapping_add(second);
        second = second.wrapping_add(b).wrapping_add(first);
    }
    (first, second)
}

/// Fills `bytes`; false at the end of the file.
fn filled(from: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// A log with these numbers, each in a transaction of its own, after one without any.
    fn log(numbers: &[i32]) -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("a")).unwrap();
        connection
            .execute_batch("-- test: log\nPRAGMA journal_mode = WAL; CREATE TABLE t (a);")
            .unwrap();
        for number in numbers {
            connection.pragma_update(None, "user_version", number).unwrap();
            connection.execute_batch("-- test: fill\nINSERT INTO t VALUES (1)").unwrap();
        }
        (folder, connection)
    }

    #[test]
    fn the_numbers_of_whole_transactions_are_found() {
        let (folder, _open) = log(&[7, 8, 9]);
        let path = folder.path().join("a-wal");
        assert_eq!(super::numbers(&path).unwrap(), Some(0..=9));
        let whole = std::fs::read(&path).unwrap();
        // The last two frames are of the last insert and of the number before.
        let short = folder.path().join("short");
        std::fs::write(&short, &whole[..whole.len() - 2 * 4_120]).unwrap();
        assert_eq!(super::numbers(&short).unwrap(), Some(0..=8));
        let mut torn = whole.clone();
        torn[HEADER + FRAME + 60] ^= 1;
        std::fs::write(&short, torn).unwrap();
        assert_eq!(super::numbers(&short).unwrap(), None);
        std::fs::write(&short, b"").unwrap();
        assert_eq!(super::numbers(&short).unwrap(), None);
    }

    #[test]
    fn a_log_belongs_to_the_file_it_began_on_and_to_what_became_of_that() {
        let table = [(6, 7, 7, true), (7, 7, 7, true), (5, 7, 7, false), (8, 7, 7, false)];
        for (file, first, last, belongs) in table {
            assert_eq!(super::belongs(file, &(first..=last)), belongs, "{file} {first} {last}");
        }
        assert!(super::belongs(0, &(0..=0)) && super::belongs(0, &(1 << 16..=1 << 16)));
        assert!(!super::belongs(0, &(7..=7)), "it had a number before");
        let first = first_number().unwrap();
        assert!(first > 0 && is_first(first), "{first}");
    }
}
