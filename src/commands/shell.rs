//! `leash completions` and `leash man`: what a shell and `man` need to know of the command line.

use super::print;
use crate::cli::Cli;
use clap::CommandFactory;
use clap_complete::Shell;
use std::io;

/// Prints the completions of a shell.
///
/// # Errors
/// The standard output does not take it.
pub fn completions(shell: Shell) -> io::Result<()> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "leash", &mut out);
    print(&String::from_utf8_lossy(&out))
}

/// Prints the manual page, one section after the other for the command and its subcommands.
///
/// # Errors
/// The standard output does not take it.
pub fn man() -> io::Result<()> {
    let mut out = Vec::new();
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut out)?;
    for sub in command.get_subcommands().filter(|s| s.get_name() != "help") {
        clap_mangen::Man::new(sub.clone()).render(&mut out)?;
    }
    print(&String::from_utf8_lossy(&out))
}
