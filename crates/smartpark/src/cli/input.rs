//! Files that are read row by row: from disk or standard input, packed or not.

mod lines;
mod table;
mod text;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context as _;
use clap::ValueEnum;
use flate2::bufread::MultiGzDecoder;
use smartpark_formats::file::Encoding;

pub(super) use lines::{Line, Lines};
pub(super) use table::Records;

/// How much is read from a file at once.
const BUFFER_BYTES: usize = 128 * 1024;
/// The first bytes of everything that gzip wrote.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// In what form rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A table with a header, its cells between commas, semicolons, tabs or |
    Csv,
    /// One JSON object a line
    Ndjson,
}

/// An opened file.
pub(super) struct Source {
    /// Its rows, unpacked.
    pub(super) lines: Lines<Box<dyn BufRead + Send>>,
    /// In what form they are.
    pub(super) format: Format,
    /// How far it has been read.
    pub(super) progress: Progress,
}

/// How far a file has been read, in the bytes that lie on disk.
#[derive(Clone)]
pub(super) struct Progress {
    read: Arc<AtomicU64>,
    /// The file's size; unknown for standard input.
    pub(super) size: Option<u64>,
}

impl Progress {
    /// Bytes read so far.
    pub(super) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

impl Source {
    /// Opens a file, or standard input for `-`, and finds out what it holds unless told.
    pub(super) fn open(
        path: &Path,
        told: Option<Format>,
        encoding: Option<Encoding>,
    ) -> anyhow::Result<Self> {
        let shown = shown(path);
        let cannot = || format!("{shown} cannot be read");
        let (raw, size) = raw(path).with_context(cannot)?;
        let progress = Progress { read: Arc::default(), size };
        let counted = Counted { from: raw, read: Arc::clone(&progress.read) };
        let mut packed = BufReader::with_capacity(BUFFER_BYTES, counted);
        let is_packed = first_bytes(&mut packed).with_context(cannot)?.starts_with(&GZIP_MAGIC);
        let mut bytes: Box<dyn BufRead + Send> = if is_packed {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(packed)))
        } else {
            Box::new(packed)
        };
        let encoding = match encoding {
            Some(encoding) => encoding,
            None => Encoding::of(first_bytes(&mut bytes).with_context(cannot)?),
        };
        let mut plain = text::text(bytes, encoding);
        let format = match told.or_else(|| by_extension(path)) {
            Some(format) => format,
            None => sniffed(first_bytes(&mut plain).with_context(cannot)?, &shown)?,
        };
        Ok(Self { lines: Lines::new(plain), format, progress })
    }
}

/// What a path is called towards people.
pub(super) fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

fn raw(path: &Path) -> io::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), None));
    }
    let file = File::open(path)?;
    let about = file.metadata()?;
    if about.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let size = about.is_file().then_some(about.len());
    Ok((Box::new(file), size))
}

/// What comes first, without taking it; empty where there is nothing.
fn first_bytes(from: &mut impl BufRead) -> io::Result<&[u8]> {
    loop {
        match from.fill_buf() {
            Ok(_) => return from.fill_buf(),
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
}

/// What `events.csv`, `events.ndjson.gz` and the like say.
pub(super) fn by_extension(path: &Path) -> Option<Format> {
    let unpacked = path.with_extension("");
    let is_gz = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("gz"));
    let path = if is_gz { unpacked.as_path() } else { path };
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "csv" | "tsv" => Some(Format::Csv),
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        _ => None,
    }
}

/// What the first byte that is no blank says.
fn sniffed(first: &[u8], shown: &str) -> anyhow::Result<Format> {
    let text = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Ok(Format::Ndjson),
        Some(b'[') => anyhow::bail!(
            "{shown} holds a JSON array; one object a line is needed \
             (`jq -c '.[]' FILE | smartpark import -` makes it)"
        ),
        _ => Ok(Format::Csv),
    }
}

/// Counts what is read.
struct Counted {
    from: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.from.read(into)?;
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_what_a_file_holds() {
        let table = [
            ("events.csv", Some(Format::Csv)),
            ("a.b/EVENTS.CSV.GZ", Some(Format::Csv)),
            ("events.ndjson.gz", Some(Format::Ndjson)),
            ("events.jsonl", Some(Format::Ndjson)),
            ("events.gz", None),
            ("events.txt", None),
            ("-", None),
        ];
        for (path, format) in table {
            assert_eq!(by_extension(Path::new(path)), format, "{path}");
        }
    }

    #[test]
    fn the_first_byte_says_it_otherwise() {
        let sniff = |text: &str| sniffed(text.as_bytes(), "it").ok();
        assert_eq!(sniff("{\"camera_id\""), Some(Format::Ndjson));
        assert_eq!(sniff("\u{feff} \n{"), Some(Format::Ndjson));
        assert_eq!(sniff("camera_id,"), Some(Format::Csv));
        assert_eq!(sniff(""), Some(Format::Csv));
        assert_eq!(sniff("[{"), None);
    }
}
