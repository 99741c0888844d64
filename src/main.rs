use clap::Parser;
use leash::app::Tour;
use leash::cli::{Cli, Command};
use leash::commands;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        None => commands::explore::run(&cli.explore, None),
        Some(Command::Sample(args)) => commands::sample::run(args),
        Some(Command::Open(args)) => commands::open::run(args),
        Some(Command::Report(args)) => commands::report::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Grade(args)) => commands::grade::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Tasks(args)) => commands::tasks::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Snapshot(args)) => commands::snapshot::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Bench(args)) => commands::bench::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Completions { shell }) => success(commands::shell::completions(*shell)),
        Some(Command::Demo(args)) => {
            let tour = Tour { auto: args.auto, pace: args.pace, ..Tour::default() };
            commands::explore::run(&args.explore, Some(tour))
        }
        Some(Command::Score(args)) => commands::score::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Check(args)) => commands::check::run(args),
        Some(Command::Man) => success(commands::shell::man()),
        Some(Command::Convert(args)) => commands::convert::run(args).map(|()| ExitCode::SUCCESS),
        Some(Command::Train(args)) => commands::train::run(args).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("leash: {}", leash::completion::clean(&sentence(&error)));
        ExitCode::FAILURE
    })
}

fn success(done: std::io::Result<()>) -> anyhow::Result<ExitCode> {
    Ok(done.map(|()| ExitCode::SUCCESS)?)
}

/// An error with its causes; what already ends in its cause does not say it again.
fn sentence(error: &anyhow::Error) -> String {
    error.chain().skip(1).map(ToString::to_string).fold(error.to_string(), |said, cause| {
        if said.ends_with(&cause) { said } else { format!("{said}: {cause}") }
    })
}
