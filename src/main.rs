use clap::Parser;
use leash::cli::{Cli, Command};
use leash::commands;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        None => commands::explore::run(&cli.campaign, cli.theme),
        Some(Command::Sample(args)) => commands::sample::run(args),
        Some(Command::Report(args)) => commands::report::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Grade(args)) => commands::grade::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Tasks) => commands::tasks::run().map(|()| ExitCode::SUCCESS),
        Some(Command::Snapshot(args)) => commands::snapshot::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Bench(args)) => commands::bench::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Train(args)) => commands::train::run(args).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("leash: {}", leash::completion::clean(&format!("{error:#}")));
        ExitCode::FAILURE
    })
}
