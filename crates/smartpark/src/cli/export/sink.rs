//! Where an export goes: standard output, or a file that is there as a whole or not at all.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Stdout, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};

use crate::private;

/// What is written to in the end.
enum Target {
    Out(Stdout),
    File(File),
}

/// Where an export goes, packed or not.
pub(super) struct Sink {
    to: Form,
    /// For a file: under what name it is written, and its own.
    part: Option<Part>,
}

enum Form {
    Plain(BufWriter<Target>),
    Packed(GzEncoder<BufWriter<Target>>),
}

/// A file that is being written under another name; removed unless it was put into place.
struct Part {
    written: PathBuf,
    wanted: PathBuf,
}

impl Sink {
    /// Opens a file that must not exist yet, or standard output for `-`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            let out = BufWriter::new(Target::Out(io::stdout()));
            return Ok(Self { to: Form::Plain(out), part: None });
        }
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut written = path.as_os_str().to_owned();
        written.push(format!(".part-{}", std::process::id()));
        let file = private::create_new(Path::new(&written))?;
        let part = Part { written: written.into(), wanted: path.to_owned() };
        let file = BufWriter::new(Target::File(file));
        let is_packed = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("gz"));
        let to = if is_packed {
            Form::Packed(GzEncoder::new(file, Compression::default()))
        } else {
            Form::Plain(file)
        };
        Ok(Self { to, part: Some(part) })
    }

    /// Writes what is left, and puts a file into place when it is safely on disk.
    pub(super) fn finish(self) -> io::Result<()> {
        let rest = match self.to {
            Form::Plain(rest) => rest,
            Form::Packed(packer) => packer.finish()?,
        };
        match rest.into_inner().map_err(io::IntoInnerError::into_error)? {
            Target::Out(mut out) => out.flush()?,
            Target::File(file) => file.sync_all()?,
        }
        // Not a rename: that would replace a file that was made meanwhile.
        self.part.map_or(Ok(()), |part| fs::hard_link(&part.written, &part.wanted))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            Form::Plain(to) => to.write(bytes),
            Form::Packed(to) => to.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            Form::Plain(to) => to.flush(),
            Form::Packed(to) => to.flush(),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Out(out) => out.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Out(out) => out.flush(),
            Self::File(file) => file.flush(),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // What cannot be removed is in nobody's way.
        let _ = fs::remove_file(&self.written);
    }
}
