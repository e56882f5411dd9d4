//! Files that only their owner may read, whatever the process's mask says: they hold who came and
//! went when.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

/// Options that make a file private from its first moment on.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, MODE);
    options
}

/// Makes a private file that is not there yet.
pub fn create_new(path: &Path) -> io::Result<File> {
    let file = options().create_new(true).open(path)?;
    set(&file)?;
    Ok(file)
}

/// Makes a private file, or empties one that is there and makes it private.
pub fn create(path: &Path) -> io::Result<File> {
    let file = options().create(true).truncate(true).open(path)?;
    // A device or a pipe has no content that rights could protect.
    if file.metadata()?.is_file() {
        set(&file)?;
    }
    Ok(file)
}

/// Read and written by the owner.
#[cfg(unix)]
const MODE: u32 = 0o600;

/// Gives an open file exactly these rights. A mask may have taken more away.
#[cfg(unix)]
pub fn set(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(MODE))
}

/// There are no such rights here: a file has those of its folder.
#[cfg(not(unix))]
pub fn set(_: &File) -> io::Result<()> {
    Ok(())
}

/// Takes the rights of others on a file away, and says so. A file that is not there is passed over,
/// and one of another user is named.
#[cfg(unix)]
pub fn tighten(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(found) = std::fs::metadata(path) else { return };
    let mode = found.permissions().mode();
    if mode & 0o077 == 0 {
        return;
    }
    let (shown, others) = (path.display(), mode & 0o777);
    let wanted = std::fs::Permissions::from_mode(mode & 0o7700);
    match std::fs::set_permissions(path, wanted) {
        Ok(()) => tracing::info!("{shown} had mode {others:o}: now only its owner may read it"),
        Err(error) => tracing::warn!(
            "{shown} has mode {others:o}, so other users may read or change it, and that cannot \
             be mended: {error}"
        ),
    }
}

/// Nothing to take away.
#[cfg(not(unix))]
pub fn tighten(_: &Path) {}
