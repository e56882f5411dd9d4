//! One connection: closed where its client sends nothing or takes nothing, however patiently it
//! holds on.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, HttpBody};
use bytes::{Buf, Bytes};
use hyper::{
    body::{Frame, SizeHint},
    rt::{Read, ReadBufCursor, Write},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::OwnedSemaphorePermit,
    time::{Sleep, sleep},
};

use super::{activity::InFlight, room::Share};
use crate::limits::LEAST_TAKEN_BYTES;

/// The body of an answer; the request it answers lasts as long, and its share of the memory that
/// answers may take until its bytes are gone.
pub(super) struct Answer {
    body: Body,
    share: Option<Arc<Share>>,
    _turn: Option<OwnedSemaphorePermit>,
    _in_flight: InFlight,
}

impl Answer {
    /// The body that answers the request, its share of the memory, and its turn.
    pub(super) fn new(
        body: Body,
        share: Option<Share>,
        turn: Option<OwnedSemaphorePermit>,
        mut in_flight: InFlight,
    ) -> Self {
        if body.size_hint().exact().is_none() {
            in_flight.is_long();
        }
        Self { body, share: share.map(Arc::new), _turn: turn, _in_flight: in_flight }
    }
}

impl HttpBody for Answer {
    type Data = Piece;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let piece = |bytes| Piece { bytes, _share: self.share.clone() };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Bytes of an answer on their way. The last one that has gone gives the memory back.
#[derive(Debug)]
pub(super) struct Piece {
    bytes: Bytes,
    _share: Option<Arc<Share>>,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

/// A stream on which a write that makes no progress worth the name fails after a while.
pub(super) struct Timed<S> {
    stream: TokioIo<S>,
    timeout: Duration,
    stalled: Option<Stalled>,
}

/// A client that does not take what is written as fast as it is.
struct Stalled {
    /// When it has had enough time.
    patience: Pin<Box<Sleep>>,
    /// What it has taken meanwhile, in bytes.
    taken: usize,
}

impl<S> Timed<S> {
    /// Bounds the writes to `stream`.
    pub(super) fn new(stream: S, timeout: Duration) -> Self {
        Self { stream: TokioIo::new(stream), timeout, stalled: None }
    }

    /// Counts what was taken; turns a write that waits too long into an error.
    fn written(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match (&written, &mut self.stalled) {
            (Poll::Pending, _) => {
                return self.wait(context).map(|()| Err(io::ErrorKind::TimedOut.into()));
            }
            // Few bytes at a time are no progress: somebody only holds on.
            (Poll::Ready(Ok(count)), Some(stalled)) => {
                stalled.taken += count;
                if stalled.taken >= LEAST_TAKEN_BYTES {
                    self.stalled = None;
                }
            }
            _ => {}
        }
        written
    }

    /// Turns one that is done into the end of all waiting: everything was taken.
    fn done(
        &mut self,
        context: &mut Context<'_>,
        done: Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        if done.is_ready() {
            self.stalled = None;
            return done;
        }
        self.wait(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let timeout = self.timeout;
        let begin = || Stalled { patience: Box::pin(sleep(timeout)), taken: 0 };
        self.stalled.get_or_insert_with(begin).patience.as_mut().poll(context)
    }
}

impl<S: AsyncRead + Unpin> Read for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> Write for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.done(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.stream).poll_shutdown(context);
        self.done(context, closed)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::{io::DuplexStream, time::Instant};

    use super::*;

    /// A stream with this patience; nothing is written to it.
    fn timed(timeout: Duration) -> Timed<DuplexStream> {
        Timed::new(tokio::io::duplex(1).0, timeout)
    }

    /// The client does not take anything just now: until when that is borne.
    fn waits(timed: &mut Timed<DuplexStream>) -> Instant {
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(timed.written(&mut context, Poll::Pending).is_pending());
        timed.stalled.as_ref().unwrap().patience.deadline()
    }

    /// The client takes so much.
    fn takes(timed: &mut Timed<DuplexStream>, bytes: usize) {
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(timed.written(&mut context, Poll::Ready(Ok(bytes))).is_ready());
    }

    #[tokio::test]
    async fn a_byte_now_and_then_is_no_progress_and_enough_of_them_are() {
        let mut timed = timed(Duration::from_secs(3_600));
        let first = waits(&mut timed);
        for _ in 1..LEAST_TAKEN_BYTES {
            takes(&mut timed, 1);
            assert_eq!(waits(&mut timed), first);
        }
        takes(&mut timed, 1);
        assert!(timed.stalled.is_none());
        assert!(waits(&mut timed) > first);
    }

    #[tokio::test]
    async fn whoever_takes_too_little_in_time_is_cut_off() {
        let mut timed = timed(Duration::from_millis(1));
        let waiting = poll_fn(|context| timed.written(context, Poll::Pending));
        assert_eq!(waiting.await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // Also where it is but the end of an answer that is not taken.
        let flushing = poll_fn(|context| timed.done(context, Poll::Pending));
        assert_eq!(flushing.await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
