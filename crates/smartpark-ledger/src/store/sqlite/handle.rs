//! One open handle on each database file in this process, however often the file is open here.
//!
//! The handle keeps the file's inode from being used again, reads the header as it is on disk,
//! and holds the lock of the one server. There must be only one: closing any handle on a file
//! takes away the locks that SQLite has on it in the whole process. So the handle is closed after
//! the last connection, and no handle is opened or closed without the list being locked.

use std::{
    collections::BTreeMap,
    fs::{self, File, Metadata},
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What a file is known by, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

#[cfg(unix)]
impl FileId {
    pub(super) fn of(file: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { device: file.dev(), inode: file.ino() }
    }

    /// The file at a path now.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|file| Self::of(&file))
    }

    /// The number by which a file system knows it. (That of a device may change with a restart.)
    pub(super) fn inode(self) -> u64 {
        self.inode
    }
}

#[cfg(not(unix))]
impl FileId {
    /// Files have no numbers here: their paths tell them apart.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        fs::canonicalize(path)?.hash(&mut hasher);
        Ok(Self { device: 0, inode: hasher.finish() })
    }

    pub(super) fn inode(self) -> u64 {
        self.inode
    }
}

#[derive(Debug)]
struct Open {
    file: Arc<File>,
    writable: bool,
    uses: usize,
    /// Whether a server of this process has the lock.
    is_served: bool,
}

static OPEN: Mutex<BTreeMap<FileId, Open>> = Mutex::new(BTreeMap::new());

fn open() -> MutexGuard<'static, BTreeMap<FileId, Open>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The handle on a database file. To be dropped after the connections.
#[derive(Debug)]
pub(super) struct Handle {
    id: FileId,
    file: Option<Arc<File>>,
}

impl Handle {
    /// The handle on the file at `path`. A file that may only be read is refused unless
    /// `may_be_read_only`.
    pub(super) fn open(path: &Path, may_be_read_only: bool) -> io::Result<Self> {
        let mut all = open();
        let id = FileId::at(path)?;
        if let Some(open) = all.get_mut(&id) {
            if !open.writable && !may_be_read_only {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            open.uses += 1;
            return Ok(Self { id, file: Some(Arc::clone(&open.file)) });
        }
        let (file, writable) = match File::options().read(true).write(true).open(path) {
            Err(error) if may_be_read_only && is_read_only(&error) => (File::open(path)?, false),
            opened => (opened?, true),
        };
        let file = Arc::new(file);
        all.insert(id, Open { file: Arc::clone(&file), writable, uses: 1, is_served: false });
        Ok(Self { id, file: Some(file) })
    }

    pub(super) fn id(&self) -> FileId {
        self.id
    }

    /// Whether it may be written to.
    pub(super) fn is_writable(&self) -> bool {
        open().get(&self.id).is_some_and(|open| open.writable)
    }

    /// What is known of the open file.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.file.as_ref().map_or_else(|| Err(io::ErrorKind::NotFound.into()), |it| it.metadata())
    }

    /// Reads its first bytes, as they are on disk.
    #[cfg(unix)]
    pub(super) fn read_start(&self, bytes: &mut [u8]) -> io::Result<()> {
        use std::os::unix::fs::FileExt as _;
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        file.read_exact_at(bytes, 0)
    }

    /// Reads its first bytes, as they are on disk.
    #[cfg(not(unix))]
    pub(super) fn read_start(&self, bytes: &mut [u8]) -> io::Result<()> {
        use std::os::windows::fs::FileExt as _;
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let read = file.seek_read(bytes, 0)?;
        if read < bytes.len() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Takes the lock of the one server on this file, by whatever name it is opened; false if
    /// another server has it. (Elsewhere than on Unix it would keep SQLite out.)
    pub(super) fn lock(&self) -> bool {
        let mut all = open();
        let Some(open) = all.get_mut(&self.id) else { return false };
        if open.is_served || (cfg!(unix) && open.file.try_lock().is_err()) {
            return false;
        }
        open.is_served = true;
        true
    }

    /// Gives the lock back.
    pub(super) fn unlock(&self) {
        if let Some(open) = open().get_mut(&self.id) {
            open.is_served = false;
            if cfg!(unix)
                && let Err(error) = open.file.unlock()
            {
                tracing::debug!("the lock on the database stays until the process ends: {error}");
            }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut all = open();
        self.file = None;
        if let Some(open) = all.get_mut(&self.id) {
            open.uses -= 1;
            if open.uses == 0 {
                all.remove(&self.id);
            }
        }
    }
}

/// Whether a file may be read and not written.
fn is_read_only(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem];
    kinds.contains(&error.kind())
}
