//! Ridge regression with eight coefficients: normal equations that forget, solved by Cholesky.
//!
//! Source: the textbook method (A. E. Hoerl and R. W. Kennard, "Ridge Regression", 1970), with
//! exponential forgetting of older equations.

/// Coefficients of a forecast.
pub(super) const SIZE: usize = 8;

/// A row of features, or of coefficients.
pub(super) type Row = [f64; SIZE];

/// Strength of the pull towards the prior coefficients.
const PRIOR: f64 = 0.2;

/// Normal equations: the sums of `w f f'` and `w f z` over rows of features `f`, targets `z` and
/// weights `w`. Of the symmetric matrix only the upper triangle counts; it is kept in pairs of
/// columns, for the processor's sake.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Normal {
    a: [Row; SIZE],
    b: Row,
}

impl Normal {
    /// Adds one row.
    #[inline]
    pub(super) fn add(&mut self, row: &Row, target: f64, weight: f64) {
        for i in 0..SIZE {
            let scaled = row[i] * weight;
            let from = i & !1;
            for (cell, feature) in self.a[i][from..].iter_mut().zip(&row[from..]) {
                *cell += scaled * feature;
            }
            self.b[i] += scaled * target;
        }
    }

    /// These equations times `by`.
    #[must_use]
    pub(super) fn times(&self, by: f64) -> Self {
        let mut scaled = *self;
        for cell in scaled.a.as_flattened_mut().iter_mut().chain(&mut scaled.b) {
            *cell *= by;
        }
        scaled
    }

    /// The sum of two.
    #[must_use]
    pub(super) fn plus(&self, other: &Self) -> Self {
        let mut sum = *self;
        for (line, more) in sum.a.iter_mut().zip(&other.a) {
            add(line, more);
        }
        add(&mut sum.b, &other.b);
        sum
    }

    /// The coefficients that fit these equations, pulled towards `prior`.
    pub(super) fn solve(&self, prior: &Row) -> Row {
        let mut a = self.a;
        let mut b = self.b;
        for i in 0..SIZE {
            a[i][i] += PRIOR;
            b[i] += PRIOR * prior[i];
        }
        cholesky(&mut a);
        substitute(&a, b)
    }
}

fn add(row: &mut Row, more: &Row) {
    for (cell, other) in row.iter_mut().zip(more) {
        *cell += other;
    }
}

/// Fills the lower triangle of a positive definite matrix with L, so that L L' is the matrix.
/// Reads its upper triangle.
fn cholesky(a: &mut [Row; SIZE]) {
    for i in 0..SIZE {
        for j in 0..=i {
            let products: f64 = (0..j).map(|k| a[i][k] * a[j][k]).sum();
            let rest = a[j][i] - products;
            // Rounding may leave a diagonal a hair below zero; the prior keeps it above.
            a[i][j] = if i == j { rest.max(1e-12).sqrt() } else { rest / a[j][j] };
        }
    }
}

/// Solves L L' x = b.
fn substitute(l: &[Row; SIZE], mut x: Row) -> Row {
    for i in 0..SIZE {
        let known: f64 = (0..i).map(|k| l[i][k] * x[k]).sum();
        x[i] = (x[i] - known) / l[i][i];
    }
    for i in (0..SIZE).rev() {
        let known: f64 = (i + 1..SIZE).map(|k| l[k][i] * x[k]).sum();
        x[i] = (x[i] - known) / l[i][i];
    }
    x
}

/// The sum of products.
#[inline]
pub(super) fn dot(row: &Row, coefficients: &Row) -> f64 {
    row.iter().zip(coefficients).map(|(feature, coefficient)| feature * coefficient).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_of_exact_rows_come_back() {
        let truth = [0.9, -0.2, 0.3, 0.1, 0.05, -0.4, 0.7, 2.0];
        let mut normal = Normal::default();
        let mut state = 1_u64;
        for _ in 0..200 {
            let row = truth.map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 40) as f64 / f64::from(1 << 23) - 1.0
            });
            normal.add(&row, dot(&row, &truth), 1000.0);
        }
        let found = normal.solve(&[0.0; SIZE]);
        for (found, truth) in found.iter().zip(truth) {
            assert!((found - truth).abs() < 1e-4, "{found} instead of {truth}");
        }
    }

    #[test]
    fn without_rows_the_prior_stands() {
        let prior = [0.9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let found = Normal::default().solve(&prior);
        for (found, prior) in found.iter().zip(prior) {
            assert!((found - prior).abs() < 1e-12);
        }
    }
}
