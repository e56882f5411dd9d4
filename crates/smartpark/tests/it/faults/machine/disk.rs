//! Disks that can be cut off and made read-only: each a mount of its own.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{Produced, run};
use crate::{cli::Folder, servers::cars::FLOORS};

/// How much an ext4 may come to hold; its file is sparse.
const BYTES: u64 = 512 << 20;
/// `EXT4_IOC_SHUTDOWN` with "no flush of the log": what the filesystem has not yet given to its
/// device is gone, as when the power goes. Perl is on every Debian, and has ioctl.
const SHUTDOWN: &str = "open(F, '<', $ARGV[0]) or die $!; my $how = pack('I', 2);
    ioctl(F, 0x8004587d, $how) or die \"shutdown: $!\"";

/// A mounted disk; it goes where the test forgets it.
pub(super) struct Disk {
    place: tempfile::TempDir,
    /// Where the file with the ext4 is.
    image: tempfile::TempDir,
}

impl Disk {
    /// A new ext4 in a file.
    pub(super) fn ext4() -> Produced<Self> {
        Self::of(BYTES)
    }

    /// One that holds so many bytes at most.
    pub(super) fn of(bytes: u64) -> Produced<Self> {
        let (place, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = image.path().join("image");
        File::create(&file).unwrap().set_len(bytes).unwrap();
        run("mkfs.ext4", &["-q", "-F", file.to_str().unwrap()])?;
        let disk = Self { place, image };
        disk.mount("rw")?;
        Ok(disk)
    }

    fn mount(&self, options: &str) -> Produced<()> {
        let place = self.place.path().to_str().unwrap();
        let (file, options) = (self.image.path().join("image"), format!("loop,{options}"));
        run("mount", &["-t", "ext4", "-o", &options, file.to_str().unwrap(), place])
    }

    /// Where it is mounted.
    pub(super) fn path(&self) -> &Path {
        self.place.path()
    }

    /// A folder whose database, with the floors of every run, lies on this disk.
    pub(super) fn folder(&self) -> Folder {
        let path = self.path().join("smartpark.db");
        Folder::on_database(&format!("sqlite://{}", path.display()), &FLOORS)
    }

    /// Cuts the power. From now on every call fails.
    pub(super) fn cut(&self) {
        run("perl", &["-e", SHUTDOWN, self.path().to_str().unwrap()]).unwrap();
    }

    /// Takes all room that is left.
    pub(super) fn fill(&self) {
        let mut filler = File::create(self.filler()).unwrap();
        let mut piece = vec![1; 1 << 20];
        while !piece.is_empty() {
            if filler.write_all(&piece).is_err() {
                piece.truncate(piece.len() / 2);
            }
        }
        filler.sync_all().unwrap();
    }

    /// Gives it back.
    pub(super) fn empty(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// Takes it away and brings it back, with these options. No process may use it.
    pub(super) fn mount_again(&self, options: &str) {
        run("umount", &[self.path().to_str().unwrap()]).unwrap();
        self.mount(options).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Where it could not be mounted, there is nothing to take away.
        let _ = run("umount", &["--lazy", self.path().to_str().unwrap()]);
    }
}
