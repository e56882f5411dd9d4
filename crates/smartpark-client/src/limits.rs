//! Every bound of the client, named, with its unit and its reason.

use std::time::Duration;

/// Events that may wait in a spool: some 30 MB, a week of a busy car park.
pub const DEFAULT_MAX_WAITING: usize = 100_000;
/// Dead letters that a spool keeps. The oldest goes when one more comes.
pub const DEFAULT_MAX_DEAD: usize = 100_000;
/// Delivered events that a spool keeps, to send them again if the server was restored from a
/// backup.
pub const DEFAULT_MAX_DELIVERED: usize = 100_000;
/// How far back delivered events are compared with the server, in hours: the longest window that
/// the server answers at once.
pub const COMPARED_HOURS: i64 = 31 * 24;
/// Events in one request. The server takes 10 000, but a slow line must carry them in time.
pub const MAX_BATCH_EVENTS: usize = 500;
/// How long a process waits for another one that holds the spool's file.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause before the first retry, and the least pause of all.
pub const MIN_PAUSE: Duration = Duration::from_millis(500);
/// Longest pause between two tries, also if the server asks for more.
pub const MAX_PAUSE: Duration = Duration::from_secs(30);
/// How long the client waits before it sends a held event again.
pub const HOLD_PAUSE: Duration = Duration::from_secs(60 * 60);
/// How long the client waits before it looks again for a floor that the server does not know.
pub const FLOORS_PAUSE: Duration = Duration::from_secs(30);
/// How often the client compares what it delivered with what the server has.
pub const COMPARE_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// How often a client looks whether another process put events into the spool, or stopped sending.
pub const WATCH_INTERVAL: Duration = Duration::from_secs(1);
/// An event that waited longer than this belongs to a backlog: its delay says nothing about the
/// camera's clock.
pub const FRESH_EVENT: Duration = Duration::from_secs(10);
/// Failures in a row of the same request after which the sender tries with fewer events.
pub const SLOW_FAILURES: u32 = 3;
/// How long a connection may take to be made.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take as a whole.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Largest answer that is read, in bytes: every row of a batch refused with a long text.
pub const MAX_ANSWER_BYTES: u64 = 4 * 1024 * 1024;
/// Longest reason that is kept of a refusal, in characters.
pub const MAX_REASON_CHARS: usize = 500;
/// How often a program without a spool sends the same request before it gives up: about a minute.
pub const SEND_ATTEMPTS: u32 = 8;
/// Events that are due within this time go out in one request.
pub const SEND_TOGETHER: Duration = Duration::from_millis(20);
