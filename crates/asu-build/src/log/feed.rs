//! Looking at one build for all who follow it.

use std::time::Duration;

use asu_core::{RequestHash, Stage};
use asu_queue::{LogState, Queue, QueueError};
use asu_service::error_chain;
use tokio::{sync::watch, time::sleep};
use tokio_util::task::AbortOnDropHandle;

use crate::log::scene::{Scene, State};

/// What is known of a build, kept up to date for as long as somebody holds this and until the build ends.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) scene: watch::Receiver<Scene>,
    _watch: AbortOnDropHandle<()>,
}

/// How a build is looked at.
#[derive(Debug, Clone)]
pub(super) struct Looks {
    pub(super) queue: Queue,
    pub(super) interval: Duration,
    /// The most bytes of a log that are held.
    pub(super) most: u64,
}

impl Feed {
    pub(super) fn start(looks: Looks, request_hash: RequestHash) -> Self {
        let (sender, scene) = watch::channel(Scene::default());
        let watch = AbortOnDropHandle::new(tokio::spawn(keep(looks, request_hash, sender)));
        Self { scene, _watch: watch }
    }

    /// True once nothing can change any more: who comes now has to look anew.
    pub(super) fn is_over(&self) -> bool {
        self.scene.borrow().is_over()
    }
}

async fn keep(looks: Looks, request_hash: RequestHash, scene: watch::Sender<Scene>) {
    let mut stage = None;
    loop {
        match look(&looks, &request_hash, &scene, &mut stage).await {
            Ok(Look::Over) => return,
            Ok(Look::Again) => continue,
            Ok(Look::Later) => {}
            // The followers wait with us.
            Err(error) => {
                tracing::debug!(build.request_hash = %request_hash, error = error_chain(&error), "cannot look at the log");
            }
        }
        sleep(looks.interval).await;
    }
}

enum Look {
    /// There is more at once.
    Again,
    Later,
    Over,
}

async fn look(
    looks: &Looks,
    request_hash: &RequestHash,
    scene: &watch::Sender<Scene>,
    stage: &mut Option<Stage>,
) -> Result<Look, QueueError> {
    let known = scene.borrow().known();
    let Some(view) = looks.queue.log(request_hash, known).await? else {
        scene.send_modify(|scene| scene.state = Some(State::Gone));
        return Ok(Look::Over);
    };
    let (state, more, silent) = (view.state.clone(), view.more, view.entries.is_empty());
    if !silent {
        scene.send_modify(|scene| scene.add(view, looks.most));
    }
    if more {
        return Ok(Look::Again);
    }
    let state = match state {
        LogState::Queued { position } => State::Queued { position },
        // The log tells it in its place. If it has not until the next look it never will.
        LogState::Started { stage: now } => {
            State::Started { stage: (stage.replace(now) == Some(now) && silent).then_some(now) }
        }
        LogState::Finished(attempt) => {
            let build = looks.queue.outcome(request_hash).await?;
            // Of another attempt nobody knows yet what it printed.
            let Some(build) = build.filter(|build| build.attempt == attempt) else { return Ok(Look::Later) };
            scene.send_modify(|scene| scene.end_with(&build));
            return Ok(Look::Over);
        }
    };
    scene.send_if_modified(|scene| scene.state.replace(state.clone()) != Some(state));
    Ok(Look::Later)
}
