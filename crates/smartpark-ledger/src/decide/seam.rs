//! The one seam for defects on purpose: between a decision and what an engine stores and answers.

pub(crate) use inner::distort;

#[cfg(not(feature = "planted"))]
mod inner {
    use crate::decide::{Group, Writes};

    /// Does nothing: only builds with the feature `planted` put defects in.
    #[inline(always)]
    pub(crate) const fn distort(_: &mut Writes, _: &mut Group) {}
}

#[cfg(feature = "planted")]
mod inner {
    pub(crate) use crate::planted::distort;
}
