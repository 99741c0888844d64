//! Matrix products on strided views, by the `gemm` crate.

/// A matrix in a slice: element (r, c) stands at `r * row_stride + c * col_stride`.
#[derive(Clone, Copy)]
pub struct View<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> View<'a> {
    /// `rows` × `cols`, rows one after another.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }

    /// Rows that start every `row_stride` elements.
    pub fn strided(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert!(rows == 0 || cols == 0 || (rows - 1) * row_stride + cols <= data.len());
        Self { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// The transpose.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }
}

/// What happens to the destination's old contents.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Into {
    Replace,
    Add,
}

/// `dst` = or += `scale` · a · b, where `dst` has a's rows and b's columns, its rows starting
/// every `row_stride` elements.
pub fn product(dst: &mut [f32], row_stride: usize, into: Into, scale: f32, a: View<'_>, b: View<'_>) {
    let (m, n, k) = (a.rows, b.cols, a.cols);
    assert_eq!(k, b.rows, "inner sizes of a product");
    if m == 0 || n == 0 {
        return;
    }
    assert!((m - 1) * row_stride + n <= dst.len());
    // SAFETY: the assertion above and those of `View` keep every element inside its slice,
    // and `dst` is borrowed alone.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            dst.as_mut_ptr(),
            1,
            row_stride as isize,
            into == Into::Add,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            1.0,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_views_and_transposes() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]; // 2 x 3
        let b = [1.0, 0.0, 9.0, 0.0, 1.0, 9.0]; // 2 x 2 in rows of 3
        let mut dst = [1.0; 6];
        product(&mut dst, 2, Into::Replace, 2.0, View::new(&a, 2, 3).t(), View::strided(&b, 2, 2, 3));
        assert_eq!(dst, [2.0, 8.0, 4.0, 10.0, 6.0, 12.0]);
        product(&mut dst, 2, Into::Add, 1.0, View::new(&a, 2, 3).t(), View::strided(&b, 2, 2, 3));
        assert_eq!(dst, [3.0, 12.0, 6.0, 15.0, 9.0, 18.0]);
    }
}
