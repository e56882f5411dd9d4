//! Every bound of the translators, named, with its unit and its reason.

use std::ops::RangeInclusive;

use jiff::SignedDuration;
pub use smartpark_core::limits::MAX_NAME_CHARS;

/// Largest message of a device, in bytes. A larger one is refused before it is read.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;
/// Largest file that `import` gives to a translator, in bytes.
pub const MAX_FILE_BYTES: usize = 256 * 1024 * 1024;
/// Most events that one message may make.
pub const MAX_MESSAGE_EVENTS: usize = 10_000;
/// Deepest nesting of JSON and XML.
pub const MAX_DEPTH: usize = 64;
/// Most parts of a multipart body.
pub const MAX_PARTS: usize = 16;
/// Longest foreign word that a refusal repeats, in characters.
pub const MAX_WORD_CHARS: usize = 100;
/// Longest decimal number that is read, in characters: no device counts higher.
pub const MAX_NUMBER_CHARS: usize = 64;
/// Highest value of a counter: far above any device, far below overflow.
pub const MAX_COUNT: u64 = 1_000_000_000_000_000;
/// Largest state that a counter or a tracked object may keep, in bytes.
pub const MAX_STATE_BYTES: usize = 4_000;
/// Highest entry of `wraps_at`.
pub const MAX_WRAPS_AT: u64 = 1 << 53;
/// How long the side of a Frigate object is kept after the object ended.
pub const SIDE_KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How long the side of a Frigate object is kept whose end was never told.
pub const STATE_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Longest body of a webhook, in bytes: what receivers of Standard Webhooks must accept.
pub const MAX_WEBHOOK_BYTES: usize = 20_000;
/// Largest configuration file, in bytes.
pub const MAX_CONFIG_BYTES: usize = 1024 * 1024;
/// Most cameras in one configuration.
pub const MAX_CAMERAS: usize = 1_000;
/// Longest entry of a list or text in the configuration, in characters.
pub const MAX_SETTING_CHARS: usize = 1_000;
/// Most lines of one camera: each is counted on its own.
pub const MAX_VIDEO_LINES: usize = 4;
/// Most masks of one camera.
pub const MAX_VIDEO_MASKS: usize = 20;
/// Frames per second that a camera may be looked at with: fewer lose vehicles.
pub const VIDEO_FPS: RangeInclusive<f64> = 4.0..=60.0;
/// Widths that a picture may be scaled to, in pixels.
pub const VIDEO_WIDTH: RangeInclusive<u64> = 160..=1_920;
