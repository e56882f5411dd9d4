//! Dense linear algebra, as small as it is needed: Cholesky and triangular solution.

/// A symmetric positive definite matrix, as its lower triangle in rows.
#[derive(Clone, Debug)]
pub(super) struct Symmetric {
    size: usize,
    cells: Vec<f64>,
}

fn place(row: usize, column: usize) -> usize {
    row * (row + 1) / 2 + column
}

impl Symmetric {
    pub(super) fn zero(size: usize) -> Self {
        Self { size, cells: vec![0.0; size * (size + 1) / 2] }
    }

    /// Adds to the cell of a row and a column at or left of the diagonal.
    pub(super) fn add(&mut self, row: usize, column: usize, value: f64) {
        self.cells[place(row, column)] += value;
    }

    /// Adds `scale` times the product of a vector with itself.
    pub(super) fn add_product(&mut self, vector: &[f64], scale: f64) {
        for row in 0..self.size {
            for column in 0..=row {
                self.cells[place(row, column)] += scale * vector[row] * vector[column];
            }
        }
    }

    /// L, so that L L' is this matrix.
    pub(super) fn cholesky(mut self) -> Factor {
        for row in 0..self.size {
            for column in 0..=row {
                let (left, right) = (place(row, 0), place(column, 0));
                let products: f64 = self.cells[left..left + column]
                    .iter()
                    .zip(&self.cells[right..right + column])
                    .map(|(a, b)| a * b)
                    .sum();
                let rest = self.cells[left + column] - products;
                self.cells[left + column] = if row == column {
                    rest.max(1e-12).sqrt()
                } else {
                    rest / self.cells[right + column]
                };
            }
        }
        Factor(self)
    }
}

/// The Cholesky factor of a matrix.
#[derive(Clone, Debug)]
pub(super) struct Factor(Symmetric);

impl Factor {
    /// L^-1 times a vector.
    pub(super) fn whiten(&self, vector: &[f64]) -> Vec<f64> {
        let mut x = vector.to_vec();
        for row in 0..self.0.size {
            let start = place(row, 0);
            let cells = &self.0.cells[start..=start + row];
            let known: f64 = cells[..row].iter().zip(&x[..row]).map(|(l, x)| l * x).sum();
            x[row] = (x[row] - known) / cells[row];
        }
        x
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whitened_vector_solves_the_triangle() {
        // [[4, 2], [2, 5]] = L L' with L = [[2, 0], [1, 2]].
        let mut matrix = Symmetric::zero(2);
        matrix.add(0, 0, 4.0);
        matrix.add(1, 0, 2.0);
        matrix.add(1, 1, 5.0);
        let x = matrix.cholesky().whiten(&[2.0, 5.0]);
        assert!((x[0] - 1.0).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12, "{x:?}");
    }
}
