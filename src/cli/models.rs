//! The flags of models in this process.

use super::ServedArgs;
use crate::policy::options::{Budget, DeviceKind, Listener, Options, PromptStyle};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// How local models are opened.
#[derive(Clone, Debug, Default, Args)]
pub struct ModelArgs {
    /// Memory that all local models may take, such as 12GB or 800MB [default: nine tenths
    /// of what is free]
    #[arg(long, value_name = "SIZE", help_heading = "Local models", value_parser = size)]
    pub memory: Option<usize>,

    /// Where local models compute: cpu, or cuda or metal in a build with that feature
    #[arg(long, value_name = "DEVICE", default_value = "cpu", help_heading = "Local models", value_parser = device)]
    pub device: DeviceKind,
}

impl ModelArgs {
    /// The options of so many policies that so many threads draw from.
    pub fn options<'a>(
        &self,
        served: &ServedArgs,
        policies: usize,
        threads: usize,
        listener: &'a dyn Listener,
    ) -> Options<'a> {
        Options {
            served: served.options(),
            prompt: match (served.chat, served.raw) {
                (true, _) => PromptStyle::Chat,
                (_, true) => PromptStyle::Raw,
                _ => PromptStyle::Auto,
            },
            system: served.system.clone(),
            device: self.device,
            memory: Budget::new(self.memory, policies, threads),
            listener,
        }
    }
}

/// Bytes of a size such as `12GB`, `800MB` or `3.5G`.
fn size(text: &str) -> Result<usize, String> {
    let upper = text.trim().to_uppercase();
    let units = [("GB", 1e9), ("MB", 1e6), ("G", 1e9), ("M", 1e6)];
    let found = units.iter().find_map(|(unit, size)| Some((upper.strip_suffix(unit)?, size)));
    let bytes = found.and_then(|(number, size)| Some(number.trim().parse::<f64>().ok()? * size));
    let sensible = bytes.filter(|b| (1e6..1e15).contains(b));
    sensible.map(|b| b as usize).ok_or_else(|| "write a size such as 12GB or 800MB, at least 1MB".to_owned())
}

fn device(text: &str) -> Result<DeviceKind, String> {
    let (kind, built) = match text {
        "cpu" => (DeviceKind::Cpu, true),
        "cuda" => (DeviceKind::Cuda, cfg!(feature = "cuda")),
        "metal" => (DeviceKind::Metal, cfg!(feature = "metal")),
        _ => return Err("write cpu, cuda or metal".to_owned()),
    };
    match built {
        true => Ok(kind),
        false => {
            Err(format!("this build has no {text}: build it with `cargo build --release --features {text}`"))
        }
    }
}

/// Shows on the terminal how opening goes, once it takes longer than a moment.
pub struct Bars {
    start: Instant,
    bar: RefCell<Option<ProgressBar>>,
}

/// What opens faster needs no bar.
const MOMENT: Duration = Duration::from_millis(400);

impl Bars {
    pub fn new() -> Self {
        Self { start: Instant::now(), bar: RefCell::new(None) }
    }

    fn show(&self, what: String, done: usize, all: usize, bytes: bool) {
        if self.start.elapsed() < MOMENT {
            return;
        }
        let mut bar = self.bar.borrow_mut();
        let bar = bar.get_or_insert_with(|| ProgressBar::new(0));
        if bar.message() != what {
            let figures = if bytes { "{bytes}/{total_bytes} {eta}" } else { "{pos}/{len} layers" };
            let template = format!("{{msg}} [{{bar:30}}] {figures}");
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
            }
            bar.set_message(what);
        }
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Listener for Bars {
    fn progress(&self, policy: &str, done: usize, all: usize) {
        self.show(format!("{policy}: reading"), done, all, false);
    }

    fn fetched(&self, policy: &str, file: &str, done: usize, all: usize) {
        self.show(format!("{policy}: {file}"), done, all, true);
    }

    fn say(&self, sentence: &str) {
        match &*self.bar.borrow() {
            Some(bar) => bar.suspend(|| eprintln!("{sentence}")),
            None => eprintln!("{sentence}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(size("12GB"), Ok(12_000_000_000));
        assert_eq!(size("3.5 g"), Ok(3_500_000_000));
        assert_eq!(size("800mb"), Ok(800_000_000));
        for wrong in ["", "12", "GB", "-1GB", "NaNGB", "1e300GB", "0.1MB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_device_that_was_not_built_says_how_to_build_it() {
        assert_eq!(device("cpu"), Ok(DeviceKind::Cpu));
        assert!(device("tpu").unwrap_err().contains("cpu, cuda or metal"));
        if cfg!(not(feature = "cuda")) {
            assert!(device("cuda").unwrap_err().contains("--features cuda"));
        }
    }
}
