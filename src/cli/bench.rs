//! What `leash bench` is told.

use clap::ValueEnum;

/// Measure the engine on this machine: tokens a second, against what the machine allows
#[derive(clap::Args, Clone, Debug)]
pub struct BenchArgs {
    /// The model: embedded:base, embedded:rlvr or a model's folder
    #[arg(long, value_name = "SPEC", default_value = "embedded:base")]
    pub policy: String,
    /// Threads that draw
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub threads: u32,
    /// Tokens of each completion
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    pub tokens: u32,
    /// Completions drawn at once
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 16, 64, 256, 1024],
          value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    pub batch: Vec<u32>,
    /// Temperature: at a high one completions part at once, and each token is computed
    #[arg(long, value_name = "T", default_value_t = 1.0, value_parser = super::temperature)]
    pub temperature: f64,
    #[arg(long, value_enum, default_value_t = BenchFormat::Table)]
    pub format: BenchFormat,
}

/// How the figures are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BenchFormat {
    Table,
    Json,
}
