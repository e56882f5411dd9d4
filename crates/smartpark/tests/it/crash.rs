//! Kills of the real program at moments that a seed chooses: nothing acknowledged is lost, what is
//! stored holds, and doing it again completes it.

mod copy;
mod drill;
mod import;
mod load;
mod serve;
