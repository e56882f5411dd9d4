//! One connection: closed where its client sends nothing or takes nothing, however patiently it
//! holds on.

use std::{
    future::poll_fn,
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
    rt::{Read, ReadBuf, ReadBufCursor, Write},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::OwnedSemaphorePermit,
    time::{Sleep, sleep},
};

use super::{activity::InFlight, room::Share};
use smartpark_ledger::limits::LEAST_TAKEN_BYTES;

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

/// What a client of HTTP/2 sends first.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream on which a write that makes no progress worth the name fails after a while.
pub(super) struct Timed<S> {
    stream: TokioIo<S>,
    first: First,
    timeout: Duration,
    stalled: Option<Stalled>,
}

/// What a client sent first, which was looked at and is read again.
#[derive(Default)]
struct First {
    bytes: [u8; PREFACE.len()],
    count: usize,
    /// How many of them were read again.
    given: usize,
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
        Self { stream: TokioIo::new(stream), first: First::default(), timeout, stalled: None }
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

impl<S: AsyncRead + Unpin> Timed<S> {
    /// Whether the client speaks HTTP/2: what it sends first says so.
    pub(super) async fn speaks_http2(&mut self) -> io::Result<bool> {
        poll_fn(|context| self.poll_first(context)).await
    }

    fn poll_first(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let Self { stream, first, .. } = self;
        while first.count < PREFACE.len() {
            let mut buffer = ReadBuf::new(&mut first.bytes[first.count..]);
            ready!(Pin::new(&mut *stream).poll_read(context, buffer.unfilled()))?;
            let count = buffer.filled().len();
            first.count += count;
            if count == 0 || !PREFACE.starts_with(&first.bytes[..first.count]) {
                return Poll::Ready(Ok(false));
            }
        }
        Poll::Ready(Ok(true))
    }
}

impl<S: AsyncRead + Unpin> Read for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, first, .. } = &mut *self;
        let again = &first.bytes[first.given..first.count];
        if again.is_empty() {
            return Pin::new(stream).poll_read(context, buffer);
        }
        let again = &again[..again.len().min(buffer.remaining())];
        buffer.put_slice(again);
        first.given += again.len();
        // With what follows, where it is there: hyper doubles a buffer that holds something before
        // it reads on, and the allocator copies all of it. An error, too, ends the next read.
        let _ = Pin::new(stream).poll_read(context, buffer);
        Poll::Ready(Ok(()))
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
    use tokio::{
        io::{AsyncWriteExt, DuplexStream},
        time::Instant,
    };

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

    /// The next bytes that are read, of at most so many at once.
    async fn read<S: AsyncRead + Unpin>(timed: &mut Timed<S>, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; most];
        let mut buffer = ReadBuf::new(&mut bytes);
        poll_fn(|context| Pin::new(&mut *timed).poll_read(context, buffer.unfilled()))
            .await
            .unwrap();
        buffer.filled().to_vec()
    }

    #[tokio::test]
    async fn what_comes_first_says_which_http_it_is_and_is_read_again() {
        let table: [(&[u8], bool); 7] = [
            (b"GET /floors HTTP/1.1\r\nHost: a\r\n\r\n", false),
            (b"POST /events HTTP/1.1\r\nHost: a\r\n\r\n", false),
            (b"PRI * HTTP/1.1\r\nHost: abc\r\n\r\n", false),
            (b"PRI * HTTP/2.0\r\n\r\nSM", false),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", true),
            (b"", false),
        ];
        for (sent, is_http2) in table {
            for at_once in [1, 23, 4_096] {
                let (ours, mut theirs) = tokio::io::duplex(at_once);
                let mut timed = Timed::new(ours, Duration::from_secs(3_600));
                let send = async move { theirs.write_all(sent).await.unwrap() };
                let take = async {
                    let said = timed.speaks_http2().await.unwrap();
                    let (mut taken, mut piece) = (Vec::new(), read(&mut timed, 7).await);
                    while !piece.is_empty() {
                        taken.append(&mut piece);
                        piece = read(&mut timed, 7).await;
                    }
                    (said, taken)
                };
                let ((), found) = tokio::join!(send, take);
                assert_eq!(found, (is_http2, sent.to_vec()), "{at_once} at once");
            }
        }
    }

    /// What hyper is given in pieces it copies together.
    #[tokio::test]
    async fn a_head_that_comes_whole_is_read_whole() {
        let head = b"GET /floors HTTP/1.1\r\nHost: a\r\n\r\n";
        let (ours, mut theirs) = tokio::io::duplex(4_096);
        theirs.write_all(head).await.unwrap();
        let mut timed = Timed::new(ours, Duration::from_secs(3_600));
        assert!(!timed.speaks_http2().await.unwrap());
        assert_eq!(read(&mut timed, 8_192).await, head);
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
