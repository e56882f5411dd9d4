//! Threads that read beside the writer. Each read sees one consistent state: the one of the last
//! commit before it began.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::{connection, gone};
use crate::{
    Error, Result,
    limits::{MAX_QUEUED_READS, SQLITE_READERS},
};

type Read = Box<dyn FnOnce(&mut Connection) + Send>;

/// The way to the reading threads. They end when it is dropped.
#[derive(Debug)]
pub(super) struct Readers {
    queue: SyncSender<Read>,
}

impl Readers {
    pub(super) fn start(path: &Path) -> Result<Self> {
        let (queue, waiting) = sync_channel::<Read>(MAX_QUEUED_READS);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..SQLITE_READERS {
            let connection = connection::open(path)?;
            connection.pragma_update(None, "query_only", true)?;
            let waiting = Arc::clone(&waiting);
            thread::Builder::new()
                .name(format!("smartpark-read-{number}"))
                .spawn(move || serve(connection, &waiting))
                .map_err(|error| Error::Unavailable(format!("no thread: {error}")))?;
        }
        Ok(Self { queue })
    }

    /// Runs `work` on one of the connections, inside a transaction.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let read: Read = Box::new(move |connection| {
            let snapshot = connection.transaction_with_behavior(TransactionBehavior::Deferred);
            let result = snapshot.map_err(Error::from).and_then(|snapshot| work(&snapshot));
            drop(reply.send(result));
        });
        self.queue.try_send(read).map_err(|error| match error {
            TrySendError::Full(_) => Error::Overloaded,
            TrySendError::Disconnected(_) => gone(()),
        })?;
        answer.await.map_err(gone)?
    }
}

fn serve(mut connection: Connection, waiting: &Mutex<Receiver<Read>>) {
    loop {
        // The lock is held while waiting: one thread waits for work, the others for the lock.
        let next = match waiting.lock() {
            Ok(receiver) => receiver.recv(),
            Err(_) => return,
        };
        let Ok(read) = next else { return };
        // A read that panics is answered (its sender is dropped) and must not end the thread.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            read(&mut connection);
        }));
        if outcome.is_err() {
            tracing::error!("a read panicked");
        }
    }
}
