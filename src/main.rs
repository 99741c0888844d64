use clap::{CommandFactory, Parser};
use leash::cli::{Cli, Command};
use leash::commands;
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Some(Command::Sample(args)) => commands::sample::run(&args),
        Some(Command::Report(args)) => commands::report::run(&args).map(|()| ExitCode::SUCCESS),
        None => Cli::command().print_help().map(|()| ExitCode::SUCCESS).map_err(Into::into),
    };
    result.unwrap_or_else(|error| {
        eprintln!("leash: {}", leash::completion::clean(&format!("{error:#}")));
        ExitCode::FAILURE
    })
}
