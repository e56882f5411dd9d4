//! Defects on purpose. The tests of faults prove with them that each would be found: a check that
//! cannot fail is no check. Without the feature `planted`, which no release has, there are none.

#[cfg(all(feature = "planted", not(debug_assertions)))]
compile_error!("the feature `planted` puts defects in: it is for tests only, never for a release");

/// Whether the environment (`SMARTPARK_PLANT`) asks for the defect of this name.
#[cfg(feature = "planted")]
pub fn planted(name: &str) -> bool {
    static NAME: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    #[cfg(test)]
    if let Some(chosen) = CHOSEN.get() {
        return chosen == name;
    }
    NAME.get_or_init(|| std::env::var("SMARTPARK_PLANT").ok()).as_deref() == Some(name)
}

/// The same, and only the first time that somebody asks.
#[cfg(feature = "planted")]
pub fn planted_once(name: &str) -> bool {
    static DONE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    planted(name) && !DONE.swap(true, std::sync::atomic::Ordering::Relaxed)
}

/// Puts the defects of recording between what was decided and what is stored and answered.
#[cfg(feature = "planted")]
pub(crate) fn distort(writes: &mut crate::decide::Writes, group: &mut crate::decide::Group) {
    recording::distort(writes, group);
}

#[cfg(feature = "planted")]
mod recording;

/// Never.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn planted(_: &str) -> bool {
    false
}

/// Never.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub const fn planted_once(_: &str) -> bool {
    false
}

#[cfg(all(test, feature = "planted"))]
thread_local! {
    /// The defect of a test that runs in this thread.
    static CHOSEN: std::cell::Cell<Option<&'static str>> = const { std::cell::Cell::new(None) };
}

/// Puts this defect into all that runs in this thread from now on.
#[cfg(all(test, feature = "planted"))]
pub(crate) fn plant(name: &'static str) {
    CHOSEN.set(Some(name));
}
