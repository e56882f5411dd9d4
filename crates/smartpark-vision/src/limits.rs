//! Every limit of this crate that is not a rule of counting, by name.

use std::time::Duration;

/// A live source that sends nothing for this long is lost: its decoder is ended.
pub const LIVE_SILENCE: Duration = Duration::from_secs(5);

/// A file whose decoder gives nothing for this long cannot be read. Longer than for a live
/// source: `-ss` in a long file without an index reads from its beginning.
pub const FILE_SILENCE: Duration = Duration::from_secs(30);

/// How often a thread that waits for a frame looks whether it must stop.
pub const STOP_LOOK: Duration = Duration::from_millis(100);

/// A camera that was lost or blind for longer than this learns its background anew.
pub const RELEARN_S: f64 = 60.0;

/// A source that gives frames for this long works: the next failure waits shortly again.
pub const STEADY_S: f64 = 10.0;

/// Frames of the warm-up that a live source needs at least.
pub const LEAST_WARM_UP_FRAMES: usize = 8;

/// How often a live camera reports its numbers.
pub const NUMBERS_INTERVAL_S: f64 = 60.0;

/// Frames of a file that wait for the counter at most.
pub const FRAMES_AHEAD: usize = 4;

/// The largest frame that is counted on, after scaling.
pub const MAX_FRAME_PIXELS: usize = 1920 * 1080;

/// Lines of the decoder's log that are kept for an error text.
pub const CHILD_WORDS: usize = 4;

/// The longest line of that log.
pub const CHILD_WORD_BYTES: u64 = 4096;

/// Seconds at the beginning of a file that give the first background. A vehicle that waits on the
/// line for twenty of them is still in the minority.
pub const WARM_UP_FILE_S: f64 = 60.0;

/// Seconds of learning before a live source counts.
pub const WARM_UP_LIVE_S: f64 = 10.0;

/// Frames of the warm-up that give the first background.
pub const WARM_UP_FRAMES: usize = 48;

/// A detector sleeps this many seconds after the last motion.
pub const DETECTOR_SLEEP_S: f64 = 2.0;

/// Rows of a slit picture at most: half an hour at 30 frames per second.
pub const MOST_SLIT_ROWS: usize = 54_000;
