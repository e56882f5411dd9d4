//! How the system gives memory to this process.

/// Asks for pages of the usual size. Of huge ones the system gives two megabytes where some
/// kilobytes are used: half of what an idle server takes. The allocator would ask for them before
/// this is called, so it is built not to (its feature `no_thp`); some systems give them unasked.
#[cfg(target_os = "linux")]
pub(super) fn take_small_pages() {
    // Where it is not granted there is more memory taken, and nothing else.
    rustix::thread::disable_transparent_huge_pages(true).ok();
}

/// There are none to be asked for.
#[cfg(not(target_os = "linux"))]
pub(super) fn take_small_pages() {}
