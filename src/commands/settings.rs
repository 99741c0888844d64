//! The configuration that holds: the file, then the command line.

use crate::cli::ScreenArgs;
use crate::config::Config;
use anyhow::{Context, Result};
use directories::ProjectDirs;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Reads the configuration, if there is one.
///
/// # Errors
/// A file that was asked for and is not there, or one that is wrong.
pub fn settings(args: &ScreenArgs) -> Result<Config> {
    let path = args.config.clone().or_else(usual);
    let mut config = match path {
        None => Config::default(),
        Some(path) => match std::fs::read_to_string(&path) {
            Ok(text) => Config::from_toml(&text, &path.display().to_string())?,
            Err(e) if e.kind() == ErrorKind::NotFound && args.config.is_none() => Config::default(),
            Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
        },
    };
    config.theme = args.theme.unwrap_or(config.theme);
    Ok(config)
}

fn usual() -> Option<PathBuf> {
    ProjectDirs::from("", "", "leash").map(|dirs| dirs.config_dir().join("config.toml"))
}
