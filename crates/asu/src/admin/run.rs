//! The commands of `asu admin`, and how they end.

use asu_core::RequestHash;
use asu_queue::WorkerName;
use asu_service::{Flags, error_chain};
use clap::{Args, Subcommand, ValueEnum};
use tokio::runtime::Builder;

use crate::{
    admin::{check, disk, error::AdminError, queue_list, scene::Scene, show, step_in, sweep},
    exit::Exit,
    output::Output,
};

/// The exit codes, for the end of `--help`.
pub(crate) const EXIT_CODES: &str = "Exit codes:
    0  done
    1  not done: there is no such build or worker, or it is not in a state for that; of check: something disagrees;
       of sweep: another process is at it, or something could not be deleted
    2  wrong usage
    3  the settings cannot be used, or Redis or the store cannot be reached";

/// Options of `asu admin`.
#[derive(Debug, Args)]
pub(crate) struct AdminOptions {
    #[command(flatten)]
    flags: Flags,
    /// Write one JSON document
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The builds that are known and the workers that live
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Everything that is known of a build
    Show {
        /// Its name
        #[arg(value_parser = RequestHash::parse)]
        request_hash: RequestHash,
    },
    /// End a build that waits or runs; its container is killed
    Cancel {
        /// Its name
        #[arg(value_parser = RequestHash::parse)]
        request_hash: RequestHash,
    },
    /// Build a failed build again, or try one at once that is put off
    Retry {
        /// Its name
        #[arg(value_parser = RequestHash::parse)]
        request_hash: RequestHash,
    },
    /// Forget a finished build, a failure as well as a result, and delete its images
    Forget {
        /// Its name
        #[arg(value_parser = RequestHash::parse)]
        request_hash: RequestHash,
    },
    /// Let a worker take no more builds; those that it has it finishes
    Drain {
        /// Its name as `queue list` shows it, or its setting worker_name for all workers of that name
        #[arg(value_parser = WorkerName::parse)]
        worker: WorkerName,
    },
    /// Let a drained worker take builds again
    Undrain {
        /// Its name, as above
        #[arg(value_parser = WorkerName::parse)]
        worker: WorkerName,
    },
    /// Delete now what workers would delete: images without a record, and the oldest that are too many
    Sweep {
        /// Only tell what would be deleted
        #[arg(long)]
        dry_run: bool,
    },
    /// What is stored, how old it is, and how much room there is
    Disk,
    /// Go through all records and the whole store and tell where they disagree
    Check,
}

#[derive(Debug, Subcommand)]
enum QueueCommand {
    /// List them, those first that are next in line, and of those that ended the latest first
    List {
        /// Only builds in this state
        #[arg(long)]
        state: Option<State>,
        /// The most builds to list
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
}

/// The states of builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum State {
    Started,
    Queued,
    Done,
    Failed,
}

impl State {
    /// As the records call it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Queued => "queued",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// `asu admin`
pub(crate) fn admin(options: &AdminOptions) -> Exit {
    let ended = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(options)).map_err(|error| error_chain(&error)),
        Err(error) => Err(format!("cannot start: {error}")),
    };
    ended.unwrap_or_else(|error| {
        Output::new(options.json, false).error(&format!("asu: {error}"));
        Exit::NoAnswer
    })
}

async fn run(options: &AdminOptions) -> Result<Exit, AdminError> {
    let scene = Scene::set(&options.flags, options.json)?;
    match &options.command {
        Command::Queue(QueueCommand::List { state, limit }) => queue_list::list(&scene, *state, *limit).await,
        Command::Show { request_hash } => show::show(&scene, request_hash).await,
        Command::Cancel { request_hash } => step_in::cancel(&scene, request_hash).await,
        Command::Retry { request_hash } => step_in::retry(&scene, request_hash).await,
        Command::Forget { request_hash } => step_in::forget(&scene, request_hash).await,
        Command::Drain { worker } => step_in::drain(&scene, worker, true).await,
        Command::Undrain { worker } => step_in::drain(&scene, worker, false).await,
        Command::Sweep { dry_run } => sweep::sweep(&scene, *dry_run).await,
        Command::Disk => disk::disk(&scene).await,
        Command::Check => check::check(&scene).await,
    }
}
