//! Random numbers from a fixed seed, in exact arithmetic.
//!
//! Source: SplitMix64 (G. L. Steele, D. Lea and C. H. Flood, "Fast Splittable Pseudorandom Number
//! Generators", 2014).

/// A generator. The same seed gives the same numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Uniform in 0..1.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform in `from..to`.
    pub(super) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.uniform()
    }

    /// Normal with mean 0 and standard deviation 1: 64 fair coins, and a uniform number that
    /// fills the gap from one number of heads to the next.
    pub(super) fn normal(&mut self) -> f64 {
        let heads = f64::from(self.bits().count_ones());
        (heads - 32.0) / 4.0 + (self.uniform() - 0.5) / 4.0
    }

    /// Laplace (double exponential) with mean 0 and this scale.
    pub(super) fn laplace(&mut self, scale: f64) -> f64 {
        let uniform = self.uniform() - 0.5;
        -scale * uniform.signum() * (1.0 - 2.0 * uniform.abs()).max(1e-300).ln()
    }

    /// Uniform between the logarithms.
    pub(super) fn log_uniform(&mut self, from: f64, to: f64) -> f64 {
        self.between(from.ln(), to.ln()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut random = Random::new(3);
        let numbers: Vec<f64> = (0..40_000).map(|_| random.normal()).collect();
        let mean = numbers.iter().sum::<f64>() / 40_000.0;
        let variance = numbers.iter().map(|n| n * n).sum::<f64>() / 40_000.0;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
        let tail = numbers.iter().filter(|n| n.abs() > 1.96).count();
        assert!((1_700..2_400).contains(&tail), "{tail} of 40000 beyond 1.96");
    }
}
