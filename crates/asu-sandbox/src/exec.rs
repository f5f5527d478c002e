//! Running a command within its limits.

use podman_api::{
    api::Exec,
    opts::{ExecCreateOpts, UserOpt},
};

use crate::{
    attached::Attached,
    command::{Command, CommandFailure, Outcome},
    error::SandboxError,
    follow::follow,
    output::Output,
    sandbox::Sandbox,
    state::ContainerState,
    witness::Witness,
};

impl Sandbox {
    /// Runs a command and hands out its output as it comes. The exit code is the one that Podman tells afterwards. If
    /// this future is dropped, the container is removed: Podman cannot stop a single command.
    ///
    /// # Errors
    /// The engine is broken; the container is then removed, because the command may go on. What the command itself
    /// does wrong is an [`Outcome`].
    pub async fn exec(&self, command: &Command, output: &mut impl Output) -> Result<Outcome, SandboxError> {
        let mut guard = Unfinished { sandbox: self, finished: false };
        let witness = Witness::connect(self.podman.socket()).await?;
        let exec = self.create_exec(command).await?;
        let id = exec.id().to_string();
        let mut attached = Attached::start(self.podman.clone(), exec);
        let outcome = match follow(&mut attached, command.limits, output).await {
            Some(failure) => self.stop(failure).await,
            None => self.outcome(attached, witness, &id).await,
        };
        guard.finished = outcome.is_ok();
        outcome
    }

    pub(crate) async fn create_exec(&self, command: &Command) -> Result<Exec, SandboxError> {
        let mut options = ExecCreateOpts::builder().command(&command.argv).env(&command.env);
        options = options.attach_stdout(true).attach_stderr(true);
        if let Some(directory) = &command.workdir {
            options = options.working_dir(directory);
        }
        if let Some(user) = &command.user {
            options = options.user(UserOpt::User(user.clone()));
        }
        let created = self.podman.call("create a command", self.container().create_exec(&options.build())).await;
        match created {
            Err(error) if error.refusal().is_some() => match self.podman.container_state(&self.id).await? {
                ContainerState::Running => Err(error),
                ContainerState::OutOfMemory | ContainerState::Ended => {
                    Err(SandboxError::ContainerGone { container: self.name().to_owned() })
                }
            },
            created => created,
        }
    }

    /// If Podman cannot kill the container, it may as well be Podman that was slow or silent, not the command.
    async fn stop(&self, failure: CommandFailure) -> Result<Outcome, SandboxError> {
        self.kill().await?;
        Ok(Outcome::Failed(failure))
    }
}

/// Removes the container unless the command has ended.
struct Unfinished<'a> {
    sandbox: &'a Sandbox,
    finished: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.sandbox.abandon();
        }
    }
}
