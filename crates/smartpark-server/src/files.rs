//! How many files the system lets this process open: every connection is one.

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many may be open at once; `None` where the system sets no bound or tells none.
#[cfg(unix)]
pub fn allowed() -> Option<usize> {
    getrlimit(Resource::Nofile).current.map(|files| usize::try_from(files).unwrap_or(usize::MAX))
}

/// Takes as many as the process may take without asking anybody: the usual bound is a small one,
/// for programs that cannot handle more. Where it cannot be had, the old one stays.
#[cfg(unix)]
pub fn take_all_allowed() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(fault) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::debug!(%fault, "the system keeps its usual bound on open files");
    }
}

/// How many may be open at once: there is no such bound here.
#[cfg(not(unix))]
pub fn allowed() -> Option<usize> {
    None
}

/// Nothing to take.
#[cfg(not(unix))]
pub fn take_all_allowed() {}
