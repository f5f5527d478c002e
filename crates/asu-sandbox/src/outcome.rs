//! How a command ended: found out by asking, because the end of its output means nothing.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::time::sleep;

use crate::{
    attached::Attached,
    command::{CommandFailure, Outcome},
    error::{Refusal, SandboxError},
    sandbox::Sandbox,
    state::ContainerState,
    wire::InspectedExec,
    witness::Witness,
};

/// The exit code that Podman tells when it could not start a command. A command may also end with it.
const NOT_STARTED: i32 = 125;

/// The exit code of what was ended by SIGKILL: 128 and the number of the signal.
const SIGKILLED: i32 = 137;

/// Pauses between looks at a command whose output has ended: Podman learns of the exit code a moment later.
const LOOKS: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(20),
    Duration::from_millis(80),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

impl Sandbox {
    /// The output has ended, which means nothing yet: it also ends when Podman dies.
    pub(crate) async fn outcome(
        &self,
        attached: Attached,
        witness: Witness,
        id: &str,
    ) -> Result<Outcome, SandboxError> {
        let podmans_words = attached.finish().await?;
        let code = match self.exit_code(id).await {
            Err(error) if error.refusal().is_none() => return Err(error),
            code => code,
        };
        if !witness.confirm(self.podman.config().podman_timeout.get()).await? {
            return Err(self.output_lost());
        }
        match code {
            Ok(0) => Ok(Outcome::Exit { code: 0 }),
            Ok(NOT_STARTED) if let Some(message) = podmans_words => {
                let source = Refusal { code: 500, message };
                Err(SandboxError::NotStarted { container: self.name().to_owned(), source })
            }
            Ok(code) => self.explain(code).await,
            Err(error) => self.explain_refusal(error).await,
        }
    }

    /// Podman forgets the commands of a container that has ended.
    async fn explain_refusal(&self, error: SandboxError) -> Result<Outcome, SandboxError> {
        match self.podman.container_state(&self.id).await? {
            ContainerState::Running => Err(error),
            ContainerState::OutOfMemory => Ok(Outcome::Failed(self.out_of_memory())),
            ContainerState::Ended => Ok(Outcome::Failed(CommandFailure::Killed)),
        }
    }

    async fn exit_code(&self, id: &str) -> Result<i32, SandboxError> {
        let path = format!("/exec/{id}/json");
        for pause in LOOKS {
            sleep(pause).await;
            let inspected =
                self.podman.call("look at a command", self.podman.wire().get::<InspectedExec>(&path)).await?;
            if !inspected.running {
                return Ok(inspected.exit_code);
            }
        }
        Err(self.output_lost())
    }

    /// Why a command failed. The victim of the kernel is often not the command but a child, whose death the command
    /// turned into any exit code; so the container's counter decides, not the code.
    async fn explain(&self, code: i32) -> Result<Outcome, SandboxError> {
        if let Some(kills) = self.count_oom_kills().await
            && self.oom_kills.fetch_max(kills, Ordering::Relaxed) < kills
        {
            return Ok(Outcome::Failed(self.out_of_memory()));
        }
        Ok(match self.state_after(code).await? {
            ContainerState::Running => Outcome::Exit { code },
            ContainerState::OutOfMemory => Outcome::Failed(self.out_of_memory()),
            ContainerState::Ended => Outcome::Failed(CommandFailure::Killed),
        })
    }

    /// Of a container that was killed, the command is told dead a moment before the container is. Its counters may be
    /// there for longer than that, so they do not say that it lives.
    async fn state_after(&self, code: i32) -> Result<ContainerState, SandboxError> {
        let looks = if code == SIGKILLED { &LOOKS[..5] } else { &LOOKS[..1] };
        for pause in looks {
            sleep(*pause).await;
            match self.podman.container_state(&self.id).await? {
                ContainerState::Running => {}
                ended @ (ContainerState::OutOfMemory | ContainerState::Ended) => return Ok(ended),
            }
        }
        Ok(ContainerState::Running)
    }

    fn output_lost(&self) -> SandboxError {
        SandboxError::OutputLost { container: self.name().to_owned() }
    }

    fn out_of_memory(&self) -> CommandFailure {
        CommandFailure::OutOfMemory { limit: self.memory_limit }
    }
}
