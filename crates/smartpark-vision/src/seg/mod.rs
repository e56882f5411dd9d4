//! Segmentation: which pixels are not the road.
//!
//! Light gain, background with noise, and the classes of changed pixels. The idea of judging a
//! pixel against a model of its own noise is from C. Stauffer and W. Grimson, "Adaptive background
//! mixture models for real-time tracking" (CVPR 1999); one Gaussian is enough here because a
//! counting camera looks at a road, and a mixture costs four times as much. Not to learn where
//! something moves is from O. Barnich and M. Van Droogenbroeck, "ViBe" (IEEE TIP 2011), a threshold
//! for each pixel that follows its noise from M. Hofmann, P. Tiefenbacher and G. Rigoll, "PBAS"
//! (CVPRW 2012), and the use of local structure against shadows from P.-L. St-Charles,
//! G.-A. Bilodeau and R. Bergevin, "SuBSENSE" (IEEE TIP 2015).

mod background;
mod classify;
mod fill;
mod light;
mod planes;
mod warm_up;

pub use background::Background;
pub use classify::{Class, Segmenter};
pub use light::Light;
pub use planes::Planes;
pub use warm_up::WarmUp;
