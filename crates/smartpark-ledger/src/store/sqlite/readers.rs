//! Threads that read beside the writer. Each read sees one consistent state: the one of the last
//! commit before it began.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::{
    connection::{self, Opened},
    file::DatabaseFile,
    gone,
};
use crate::{
    Error, Result,
    limits::{MAX_QUEUED_READS, SQLITE_READERS},
};

type Read = Box<dyn FnOnce(&mut Connection) + Send>;

/// What a thread is asked to do next.
enum Next {
    Read(Read),
    /// Close the connection, say so, and end.
    End(oneshot::Sender<()>),
}

/// The way to the reading threads. They end when it is dropped.
#[derive(Debug)]
pub(super) struct Readers {
    queue: SyncSender<Next>,
}

impl Readers {
    pub(super) fn start(file: &Arc<DatabaseFile>) -> Result<Self> {
        let (queue, waiting) = sync_channel::<Next>(MAX_QUEUED_READS);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..SQLITE_READERS {
            let connection = connection::open(file)?;
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
        self.queue.try_send(Next::Read(read)).map_err(|error| match error {
            TrySendError::Full(_) => Error::Overloaded,
            TrySendError::Disconnected(_) => gone(()),
        })?;
        answer.await.map_err(gone)?
    }

    /// Waits until all reads that were asked for are done, and ends the threads.
    pub(super) async fn close(&self) {
        let ends = (0..SQLITE_READERS).map(|_| {
            let (reply, ended) = oneshot::channel();
            // If there is no room, too much waits to be waited for.
            self.queue.try_send(Next::End(reply)).ok().map(|()| ended)
        });
        for ended in ends.collect::<Vec<_>>().into_iter().flatten() {
            // A thread that is gone has ended, too.
            ended.await.ok();
        }
    }
}

fn serve(mut connection: Opened, waiting: &Mutex<Receiver<Next>>) {
    loop {
        // The lock is held while waiting: one thread waits for work, the others for the lock.
        let next = match waiting.lock() {
            Ok(receiver) => receiver.recv(),
            Err(_) => return,
        };
        let read = match next {
            Ok(Next::Read(read)) => read,
            Ok(Next::End(reply)) => {
                drop(connection);
                // If nobody waits any more, nobody is to be told.
                reply.send(()).ok();
                return;
            }
            Err(_) => return,
        };
        // A read that panics is answered (its sender is dropped) and must not end the thread.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            read(&mut connection);
        }));
        if outcome.is_err() {
            tracing::error!("a read panicked");
        }
    }
}
