//! Opening and closing a database file, and keeping other servers away from it.

use std::{path::Path, sync::Arc};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{
    FileLock, Inner, Sqlite,
    changes::Changes,
    connection::{self, Opened},
    latest::Latest,
    migrate, place,
    readers::Readers,
    transfer,
    writer::WriterHandle,
};
use crate::{Error, Options, Result, ServerLock, private};

/// Opens a file that is there, and brings its tables up to this version.
fn open_current(path: &Path, now: Timestamp) -> Result<Opened> {
    let file = connection::find(path, false)?;
    for suffix in ["", "-wal", "-shm"] {
        private::tighten(&file.beside(suffix));
    }
    let mut connection = connection::open(&file)?;
    migrate::run(&mut connection, now)?;
    Ok(connection)
}

impl Sqlite {
    /// Opens the file, makes it if there is none, and brings its tables up to this version.
    pub(in crate::store) async fn create(path: &str, options: &Arc<Options>) -> Result<Self> {
        Self::open(path, options, |path, now| {
            place::create_file(path, now)?;
            open_current(path, now)
        })
        .await
    }

    /// The same for the target of a copy: a file that this makes is an unfinished copy.
    pub(in crate::store) async fn create_for_copy(
        path: &str,
        options: &Arc<Options>,
    ) -> Result<Self> {
        Self::open(path, options, |path, now| {
            place::create_copy(path, now)?;
            open_current(path, now)
        })
        .await
    }

    /// Opens a file that exists, with tables of this version.
    pub(in crate::store) async fn connect(path: &str, options: &Arc<Options>) -> Result<Self> {
        Self::open(path, options, |path, _| {
            let connection = connection::open(&connection::find(path, true)?)?;
            migrate::require_current(&connection)?;
            transfer::require_whole(&connection)?;
            Ok(connection)
        })
        .await
    }

    async fn open(
        path: &str,
        options: &Arc<Options>,
        prepare: fn(&Path, Timestamp) -> Result<Opened>,
    ) -> Result<Self> {
        let path = Path::new(path).to_owned();
        let options = Arc::clone(options);
        let (reply, opened) = oneshot::channel();
        // Opening may wait for another process: that must not hold the caller's runtime up.
        std::thread::Builder::new()
            .name("smartpark-open".into())
            .spawn(move || {
                let opened = prepare(&path, options.clock.now());
                drop(reply.send(opened.and_then(|connection| Self::start(connection, options))));
            })
            .map_err(|error| Error::Unavailable(format!("no thread could be started: {error}")))?;
        opened.await.map_err(|_| Error::Internal("opening the database failed".into()))?
    }

    /// Starts the threads beside the first connection, which is the writer's.
    fn start(connection: Opened, options: Arc<Options>) -> Result<Self> {
        let file = Arc::clone(connection.file());
        file.remember()?;
        let readers = Readers::start(&file)?;
        let latest = Latest::open(&file)?;
        let changes = Changes::new(Arc::clone(&file));
        let writer = WriterHandle::start(connection, &options, &changes)?;
        let inner = Inner { file, options, readers, latest, writer, changes };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub(in crate::store) async fn close(&self) {
        // The writer last: then its connection may be the last of all on the file.
        self.inner.changes.close();
        self.inner.readers.close().await;
        self.inner.latest.close();
        self.inner.writer.close().await;
    }

    /// From now on clients wait for what the writer does, so it waits for others less long.
    pub(in crate::store) fn lock_as_server(&self) -> Result<ServerLock> {
        let lock = FileLock::take_for_server(&self.inner.file)?;
        self.inner.writer.health().serve();
        Ok(ServerLock { file: Some(lock) })
    }

    /// Keeps servers out while a copy is written.
    pub(in crate::store) fn lock_for_copy(&self) -> Result<ServerLock> {
        Ok(ServerLock { file: Some(FileLock::take(&self.inner.file)?) })
    }
}
