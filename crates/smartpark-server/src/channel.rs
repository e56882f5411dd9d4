//! A body that is written while it is read: what its writer sends goes out, one piece ahead at
//! most, so that memory stays small and a slow reader slows nobody else down.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::seats::Seat;
use smartpark_ledger::Error;

/// Where the pieces of a body are sent to. A piece that is an error breaks the answer off, so that
/// nobody takes a part for the whole.
pub(super) type Sender = mpsc::Sender<Result<Bytes, Error>>;

/// A body, of which there may be only so many, and the way into it: all of it may be written long
/// before the client has taken it, so its seat is taken as long as the body lasts.
pub(super) fn channel(seat: Arc<Seat>) -> (Sender, Body) {
    let (sender, pieces) = mpsc::channel(1);
    (sender, Body::new(Channel { pieces, _seat: seat }))
}

struct Channel {
    pieces: mpsc::Receiver<Result<Bytes, Error>>,
    _seat: Arc<Seat>,
}

impl HttpBody for Channel {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.pieces.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
