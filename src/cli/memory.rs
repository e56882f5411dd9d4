//! How the system gives memory to this process.

/// Asks for pages of the usual size. The allocator would have huge ones, and the system then gives
/// two megabytes where some kilobytes are used: half of what an idle server takes.
#[cfg(target_os = "linux")]
pub(super) fn take_small_pages() {
    // Where it is not granted there is more memory taken, and nothing else.
    rustix::thread::disable_transparent_huge_pages(true).ok();
}

/// There are none to be asked for.
#[cfg(not(target_os = "linux"))]
pub(super) fn take_small_pages() {}
