//! Every bound of this crate, named, with its unit and its reason.

use jiff::SignedDuration;

/// How often a message is decided anew because another server changed a state meanwhile. Each time
/// one of them gets ahead, so this many servers would have to work on one device at once.
pub const MAX_DECISIONS: u32 = 32;
/// States that are kept in memory for each camera, so that most messages need no read. When there
/// are more (a camera with very many objects), all of them are read anew.
pub const MAX_CACHED_STATES: usize = 1_000;
/// How often a sign of life of a camera is stored at most. A feed is vouched for with this
/// accuracy.
pub const SIGN_INTERVAL: SignedDuration = SignedDuration::from_secs(60);
/// How long a sign of life is kept.
pub const SIGN_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Cameras whose signs of life one process remembers.
pub const MAX_SIGNS: usize = 10_000;
