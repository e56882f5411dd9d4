//! The same under the explorer of schedules: all that a recorder does with others goes through
//! here, and before each step of it the explorer may let another run.
//!
//! Answers and permits are tokio's own. The queue is written anew, because tokio's `send` is two
//! steps, between which much may happen (`mpsc::UnboundedSender::send`), and the explorer sees no
//! step inside tokio.

use std::sync::{Arc, atomic::Ordering};

use shuttle::sync::atomic::AtomicBool;
pub(crate) use shuttle::thread::yield_now;
pub(crate) use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::TryAcquireError;

/// Few rows: a queue that is full and groups that are whole come up in most schedules.
pub(crate) const MAX_QUEUED_ROWS: usize = 8;
pub(crate) const MAX_GROUP_ROWS: usize = 4;

/// A place where another may run. Not while a panic unwinds: then the others would take it for
/// theirs.
pub(crate) fn point() {
    if !std::thread::panicking() {
        // What the explorer offers for this would also say that the others should come first.
        AtomicBool::new(false).load(Ordering::SeqCst);
    }
}

/// tokio's, with a point before each try.
#[derive(Debug)]
pub(crate) struct Semaphore(Arc<tokio::sync::Semaphore>);

impl Semaphore {
    pub(crate) fn new(permits: usize) -> Self {
        Self(Arc::new(tokio::sync::Semaphore::new(permits)))
    }

    pub(crate) fn available_permits(&self) -> usize {
        self.0.available_permits()
    }

    pub(crate) fn try_acquire_owned(
        self: Arc<Self>,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    pub(crate) fn try_acquire_many_owned(
        self: Arc<Self>,
        permits: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        point();
        Arc::clone(&self.0).try_acquire_many_owned(permits)
    }
}

/// tokio's, with points around the answer. Who waits for one is let run by the explorer itself.
pub(crate) mod oneshot {
    pub(crate) use tokio::sync::oneshot::Receiver;

    use super::point;

    pub(crate) struct Sender<T>(tokio::sync::oneshot::Sender<T>);

    pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        (Sender(sender), receiver)
    }

    impl<T> Sender<T> {
        pub(crate) fn send(self, answer: T) -> Result<(), T> {
            point();
            let sent = self.0.send(answer);
            point();
            sent
        }

        pub(crate) fn is_closed(&self) -> bool {
            point();
            self.0.is_closed()
        }
    }
}

/// What tokio's unbounded queue promises, and no more than that.
pub(crate) mod mpsc {
    use std::{
        collections::VecDeque,
        future::poll_fn,
        sync::{Arc, Mutex, MutexGuard},
        task::{Context, Poll, Waker},
    };

    pub(crate) use tokio::sync::mpsc::error;
    use tokio::sync::mpsc::error::{SendError, TryRecvError};

    use super::point;

    struct State<T> {
        waiting: VecDeque<T>,
        senders: usize,
        /// What was let in and is not in `waiting` yet.
        coming: usize,
        closed: bool,
        waker: Option<Waker>,
    }

    /// Nobody holds it at a point.
    struct Queue<T>(Mutex<State<T>>);

    impl<T> Queue<T> {
        fn state(&self) -> MutexGuard<'_, State<T>> {
            self.0.lock().expect("nothing that can panic is done with it")
        }

        fn wake(&self) {
            let waker = self.state().waker.take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    pub(crate) struct UnboundedSender<T>(Arc<Queue<T>>);

    pub(crate) struct UnboundedReceiver<T>(Arc<Queue<T>>);

    pub(crate) fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
        let waiting = VecDeque::new();
        let state = State { waiting, senders: 1, coming: 0, closed: false, waker: None };
        let queue = Arc::new(Queue(Mutex::new(state)));
        (UnboundedSender(Arc::clone(&queue)), UnboundedReceiver(queue))
    }

    impl<T> UnboundedSender<T> {
        /// It is let in, then it is put in. Where the receiver goes in between, it is put in all
        /// the same, and stays there for as long as there is a sender (tokio#7714).
        pub(crate) fn send(&self, item: T) -> Result<(), SendError<T>> {
            point();
            {
                let mut state = self.0.state();
                if state.closed {
                    return Err(SendError(item));
                }
                state.coming += 1;
            }
            point();
            {
                let mut state = self.0.state();
                state.waiting.push_back(item);
                state.coming -= 1;
            }
            self.0.wake();
            Ok(())
        }
    }

    impl<T> Clone for UnboundedSender<T> {
        fn clone(&self) -> Self {
            self.0.state().senders += 1;
            Self(Arc::clone(&self.0))
        }
    }

    impl<T> Drop for UnboundedSender<T> {
        fn drop(&mut self) {
            self.0.state().senders -= 1;
            self.0.wake();
        }
    }

    impl<T> UnboundedReceiver<T> {
        pub(crate) fn close(&mut self) {
            self.0.state().closed = true;
        }

        pub(crate) fn try_recv(&mut self) -> Result<T, TryRecvError> {
            point();
            let mut state = self.0.state();
            let ended = state.coming == 0 && (state.closed || state.senders == 0);
            let nothing = if ended { TryRecvError::Disconnected } else { TryRecvError::Empty };
            state.waiting.pop_front().ok_or(nothing)
        }

        pub(crate) async fn recv(&mut self) -> Option<T> {
            poll_fn(|context| self.poll(context)).await
        }

        pub(crate) fn blocking_recv(&mut self) -> Option<T> {
            shuttle::future::block_on(self.recv())
        }

        fn poll(&mut self, context: &Context<'_>) -> Poll<Option<T>> {
            match self.try_recv() {
                Ok(item) => Poll::Ready(Some(item)),
                Err(TryRecvError::Disconnected) => Poll::Ready(None),
                Err(TryRecvError::Empty) => {
                    self.0.state().waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        }
    }

    impl<T> Drop for UnboundedReceiver<T> {
        fn drop(&mut self) {
            let mut state = self.0.state();
            state.closed = true;
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            drop(waiting);
        }
    }
}
