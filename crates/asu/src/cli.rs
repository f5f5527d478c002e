//! The command line: which command, and how it ends.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use asu_service::{Flags, settings_help};

use crate::{
    admin::{self, AdminOptions},
    client::{self, BuildOptions, PrepareOptions},
    doctor::{DoctorOptions, doctor},
    exit::Exit,
    serve,
};

/// Firmware images with the packages of your choice: a server for one machine, and a client of any server.
#[derive(Debug, Parser)]
#[command(name = "asu", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve everything on this machine: requests, builds and a private Redis
    #[command(after_help = "--help lists all settings.", after_long_help = settings_help())]
    Serve(Flags),
    /// Ask the server that listens with these settings whether it is well; for images without a shell
    Healthcheck {
        #[command(flatten)]
        flags: Flags,
        /// Ask whether it is ready to work, not only whether it lives
        #[arg(long)]
        ready: bool,
    },
    /// Look at everything that `asu serve` needs, and say what is missing and what to do about it
    #[command(after_help = "Exit codes:\n    0  nothing fails\n    1  something fails")]
    Doctor(DoctorOptions),
    /// Look at the queue and the store of a server and step in, by its settings and without its help
    #[command(after_help = admin::EXIT_CODES)]
    Admin(AdminOptions),
    /// Show what a server would change in a request before it builds it
    #[command(after_help = Exit::HELP)]
    Prepare(Box<PrepareOptions>),
    /// Have firmware images built by a server, and fetch them
    #[command(after_help = Exit::HELP)]
    Build(Box<BuildOptions>),
}

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(flags) => serve::serve(&flags),
        Command::Healthcheck { flags, ready } => serve::healthcheck(&flags, ready),
        Command::Doctor(options) => doctor(&options).into(),
        Command::Admin(options) => admin::admin(&options).into(),
        Command::Prepare(options) => client::run_prepare(&options).into(),
        Command::Build(options) => client::run_build(&options).into(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_free_of_contradictions() {
        Cli::command().debug_assert();
    }
}
