//! The way from the cameras' threads to the spool. A camera never waits for the disk: one thread
//! writes what all cameras saw, and writes it again if the disk did not take it.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use smartpark_client::{Client, Crossing, Error};
use smartpark_vision::StopSignal;

/// Crossings that wait for a disk that takes none: hours of a busy ramp.
const MAX_UNWRITTEN: usize = 10_000;
/// How long the writer waits before it tries a disk again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The writer's thread.
pub(super) struct Delivery {
    sender: Option<SyncSender<Crossing>>,
    stop: Arc<StopSignal>,
    writer: Option<JoinHandle<Client>>,
}

/// Where a camera puts its crossings.
pub(super) struct Sink(SyncSender<Crossing>);

impl Sink {
    /// Puts a crossing. Never waits.
    pub(super) fn put(&self, crossing: Crossing) {
        match self.0.try_send(crossing) {
            Ok(()) => {}
            Err(TrySendError::Full(crossing)) => lost(&crossing, "the disk takes nothing"),
            Err(TrySendError::Disconnected(crossing)) => lost(&crossing, "the writer has ended"),
        }
    }
}

fn lost(crossing: &Crossing, reason: &str) {
    let (camera, direction) = (&crossing.camera_id, crossing.direction);
    tracing::error!(camera, ?direction, "a crossing is lost: {reason}; recount the floor");
}

impl Delivery {
    /// Starts the writer.
    pub(super) fn start(client: Client) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(MAX_UNWRITTEN);
        let stop = Arc::new(StopSignal::default());
        let signal = Arc::clone(&stop);
        let writer = std::thread::Builder::new()
            .name("crossings".into())
            .spawn(move || write_all(client, &receiver, &signal))?;
        Ok(Self { sender: Some(sender), stop, writer: Some(writer) })
    }

    /// A place for the crossings of one camera.
    pub(super) fn sink(&self) -> Sink {
        match &self.sender {
            Some(sender) => Sink(sender.clone()),
            // Only `stop` takes the sender, and it takes `self` with it.
            None => Sink(sync_channel(1).0),
        }
    }

    /// Writes what is left, sends what the server takes in time, and ends. The cameras have ended
    /// before.
    pub(super) fn stop(mut self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        drop(self.sender.take());
        self.stop.set();
        let Some(Ok(client)) = self.writer.take().map(JoinHandle::join) else { return };
        let left = deadline.saturating_duration_since(Instant::now());
        if !client.flush(left).unwrap_or(false) {
            tracing::info!("crossings that the server has not taken stay in the spool");
        }
        client.stop(timeout);
    }
}

/// Writes until the cameras have ended; then gives the client back.
fn write_all(client: Client, crossings: &Receiver<Crossing>, stop: &StopSignal) -> Client {
    loop {
        match crossings.recv_timeout(RETRY_PAUSE) {
            Ok(crossing) => write(&client, &crossing, stop),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return client,
        }
    }
}

/// Writes one crossing to disk; tries until the disk takes it, or until the program stops.
fn write(client: &Client, crossing: &Crossing, stop: &StopSignal) {
    loop {
        match client.crossing(crossing) {
            Ok(_) => {
                let (camera, direction) = (&crossing.camera_id, crossing.direction);
                tracing::info!(camera, ?direction, track = crossing.track_id, "crossing");
                return;
            }
            // The client has logged and counted it.
            Err(Error::Full { .. }) => return,
            Err(error @ Error::Invalid(_)) => return lost(crossing, &error.to_string()),
            Err(error) if stop.wait(RETRY_PAUSE) => {
                // One last try: the disk may have room again.
                if client.crossing(crossing).is_err() {
                    lost(crossing, &error.to_string());
                }
                return;
            }
            // The client has logged it; it stays here until the disk takes it.
            Err(_) => {}
        }
    }
}
