//! What this machine can do: the rate of its matrix products and of its memory.

use super::Level;
use gemm::Parallelism;
use serde::Serialize;
use std::hint::black_box;
use std::time::{Duration, Instant};

#[derive(Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    /// The instructions that the engine uses.
    pub instructions: &'static str,
    /// Of a large product in f32, FLOP/s, all threads together.
    pub matrix_rate: f64,
    /// Of reading as many bytes as the weights have, again and again, B/s, all threads
    /// together.
    pub bandwidth: f64,
}

impl Machine {
    /// Measures with `threads` at once, over memory of the size of a model.
    pub fn measure(threads: usize, bytes: usize) -> Self {
        Self {
            processor: processor(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            instructions: Level::best().name(),
            matrix_rate: matrix_rate(threads, Duration::from_millis(100)),
            bandwidth: bandwidth(threads, bytes),
        }
    }
}

/// FLOP/s of products of 768 × 768 matrices, one after the other on each thread for at
/// least `spell`: what disturbs a long measurement should disturb this one as well.
pub fn matrix_rate(threads: usize, spell: Duration) -> f64 {
    const N: usize = 768;
    together(threads, || {
        let (a, b, mut c) = (vec![0.5_f32; N * N], vec![0.25_f32; N * N], vec![0.0_f32; N * N]);
        let n = N as isize;
        let (start, mut products) = (Instant::now(), 0);
        while products == 0 || start.elapsed() < spell {
            let (out, serial) = (c.as_mut_ptr(), Parallelism::None);
            // SAFETY: all three are N × N, column after column.
            unsafe {
                let (a, b) = (a.as_ptr(), b.as_ptr());
                gemm::gemm(
                    N, N, N, out, n, 1, false, a, n, 1, b, n, 1, 0.0, 1.0, false, false, false, serial,
                );
            }
            products += 1;
        }
        black_box(&c);
        f64::from(products) * 2.0 * (N * N * N) as f64 / start.elapsed().as_secs_f64()
    })
}

/// B/s of summing `bytes` bytes, at each thread its own.
fn bandwidth(threads: usize, bytes: usize) -> f64 {
    together(threads, || {
        let data = vec![1.0_f32; bytes / size_of::<f32>()];
        let rates = (0..20).map(|_| {
            let start = Instant::now();
            let mut sums = [0.0; 64];
            for chunk in black_box(&data).as_chunks::<64>().0 {
                for (sum, x) in sums.iter_mut().zip(chunk) {
                    *sum += x;
                }
            }
            black_box(sums);
            bytes as f64 / start.elapsed().as_secs_f64()
        });
        // The best: whatever disturbs it makes it slower.
        rates.fold(0.0, f64::max)
    })
}

/// The sum of what `measure` finds on each of `threads` at the same time.
fn together(threads: usize, measure: impl Fn() -> f64 + Sync) -> f64 {
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(&measure)).collect();
        all.into_iter().map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).sum()
    })
}

/// Its name, where the system tells it.
fn processor() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = told.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    named.map_or(std::env::consts::ARCH, |(_, name)| name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_a_rate_and_a_name() {
        let machine = Machine::measure(2, 1 << 20);
        assert!(machine.matrix_rate > 0.0 && machine.bandwidth > 0.0);
        assert!(!machine.processor.is_empty() && machine.cores > 0);
    }
}
