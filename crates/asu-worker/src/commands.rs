//! Running the ImageBuilder's commands within the limits of a build, and judging how they ended.

use asu_core::BuildFailure;
use asu_queue::{LiveLog, LogLines};
use asu_sandbox::{Command, CommandFailure, CommandLimits, Outcome, Output, OutputStream, Sandbox};
use tokio::time::Instant;

use crate::{
    config::WorkerConfig,
    detour::{Detour, WithoutDetour},
    make::{self, BUILDER},
    stop::{Stop, Trouble},
};

/// Who runs the ImageBuilder.
pub(crate) const USER: &str = "buildbot";

/// The commands of one build share one deadline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Commands<'a> {
    sandbox: &'a Sandbox,
    config: &'a WorkerConfig,
    log: &'a LiveLog,
    detour: &'a Detour,
    deadline: Instant,
}

/// An output that is told to whoever reads the build's log as well.
struct Aloud<'a, O> {
    stdout: LogLines,
    stderr: LogLines,
    output: &'a mut O,
}

impl<O: Output> Output for Aloud<'_, O> {
    fn write(&mut self, stream: OutputStream, bytes: &[u8]) {
        match stream {
            OutputStream::Stdout => self.stdout.write(bytes),
            OutputStream::Stderr => self.stderr.write(bytes),
        }
        self.output.write(stream, bytes);
    }
}

impl<'a> Commands<'a> {
    /// The time of the build has begun then.
    pub(crate) fn begin(
        sandbox: &'a Sandbox,
        config: &'a WorkerConfig,
        log: &'a LiveLog,
        detour: &'a Detour,
        begun: Instant,
    ) -> Self {
        Self { sandbox, config, log, detour, deadline: begun + config.job_timeout.get() }
    }

    /// How the commands get at what they fetch.
    pub(crate) fn detour(&self) -> &'a Detour {
        self.detour
    }

    /// Runs a command to its exit status; whatever else may happen to it ends the build.
    pub(crate) async fn run(
        &self,
        argv: &[String],
        variables: &[(&str, &str)],
        output: &mut impl Output,
    ) -> Result<i32, Stop> {
        let (program, arguments) = argv.split_first().expect("a command has at least a program");
        let command = Command::new(program, arguments.to_vec(), self.limits()).user(USER).workdir(BUILDER);
        let command = variables.iter().fold(command, |command, (name, value)| command.env(name, value));
        let mut output = WithoutDetour::new(self.detour, output);
        match self.sandbox.exec(&command, &mut output).await? {
            Outcome::Exit { code } => Ok(code),
            Outcome::Failed(failure) => Err(self.judge(failure)),
        }
    }

    /// The same, for commands that are of interest to whoever waits for the build: it is told with all that it prints.
    pub(crate) async fn run_aloud(
        &self,
        argv: &[String],
        variables: &[(&str, &str)],
        output: &mut impl Output,
    ) -> Result<i32, Stop> {
        self.log.line(&format!("$ {}", make::render(argv)));
        let mut aloud = Aloud { stdout: self.log.lines(), stderr: self.log.lines(), output };
        self.run(argv, variables, &mut aloud).await
    }

    fn limits(&self) -> CommandLimits {
        CommandLimits {
            time: self.deadline.saturating_duration_since(Instant::now()),
            silence: self.config.job_output_timeout.get(),
            output: self.config.max_output_size.get(),
        }
    }

    fn judge(&self, failure: CommandFailure) -> Stop {
        match failure {
            CommandFailure::TimedOut { limit: _ } => {
                BuildFailure::Timeout { seconds: self.config.job_timeout.get().as_secs() }.into()
            }
            CommandFailure::NoOutput { limit } => BuildFailure::NoOutput { seconds: limit.as_secs() }.into(),
            CommandFailure::TooMuchOutput { limit } => BuildFailure::TooMuchOutput { bytes: limit }.into(),
            CommandFailure::OutOfMemory { limit: _ } => BuildFailure::OutOfMemory.into(),
            CommandFailure::Killed => Trouble::Killed.into(),
        }
    }
}
