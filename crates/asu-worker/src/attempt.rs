//! One attempt at a build, from the claim to what is told of it.

use asu_core::{BuildOutcome, BuildRequest, FailedBuild, RequestHash};
use asu_queue::{Claim, Finished, Lease, Postponed};
use asu_service::error_chain;
use tokio::time::Instant;
use tracing::{Instrument, Span, info_span};

use crate::{
    build::{Build, Journal, Product, Unfinished},
    metrics::Busy,
    stop::{Stop, Trouble},
    workshop::Workshop,
};

/// How an attempt ended.
enum End {
    /// There are images to publish.
    Built(Box<Product>),
    /// There will be none.
    Failed(Box<FailedBuild>),
    /// Something else is broken.
    Trouble(std::sync::Arc<Trouble>),
    /// The build belongs to somebody else, or nobody can tell.
    NotOurs,
    /// The worker ends.
    Killed,
}

/// Builds what was claimed and reports it. Everything that can happen to a build ends here: there is no error.
pub(crate) async fn attempt(workshop: &Workshop, claim: Claim) {
    let span = span_of(&claim, workshop);
    work(workshop, claim).instrument(span).await;
}

fn span_of(claim: &Claim, workshop: &Workshop) -> Span {
    info_span!(
        "build",
        build.request_hash = %claim.request_hash,
        build.version = %claim.build.request.version,
        build.target = %claim.build.request.target,
        build.profile = %claim.build.request.profile,
        worker = %workshop.identity.name(),
        request_id = claim.build.request_id,
        traceparent = claim.build.traceparent,
    )
}

async fn work(workshop: &Workshop, claim: Claim) {
    let _busy = Busy::begin(&workshop.metrics);
    let begun = Instant::now();
    let Claim { request_hash, build, enqueued_at: _, lease } = claim;
    tracing::info!("build started");
    let end = run(workshop, &build.request, &request_hash, &lease).await;
    let result = settle(workshop, lease, end).await;
    workshop.metrics.count_build(result);
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(result, duration_ms, "build ended");
}

/// Dropping the build's future ends it wherever it is.
async fn run(workshop: &Workshop, request: &BuildRequest, request_hash: &RequestHash, lease: &Lease) -> End {
    let mut build = Build::new(workshop, request, request_hash, lease);
    let ended = tokio::select! {
        biased;
        () = lease.lost().cancelled() => return End::NotOurs,
        () = workshop.kill.cancelled() => return End::Killed,
        // On the heap: its state is large, and tasks are moved about.
        ended = Box::pin(build.run()) => ended,
    };
    match ended {
        Ok(product) => End::Built(Box::new(product)),
        Err(Unfinished::NotOurs(error)) => {
            tracing::warn!(error = error_chain(&error), "the images are thrown away");
            End::NotOurs
        }
        Err(Unfinished::Stopped(Stop::Trouble(trouble))) => End::Trouble(trouble),
        Err(Unfinished::Stopped(Stop::Failed(failure))) => {
            let Journal { build_cmd, log } = build.journal;
            End::Failed(Box::new(FailedBuild { failure, build_cmd, log }))
        }
    }
}

/// Tells the queue; the answer is what metrics and logs call it.
async fn settle(workshop: &Workshop, lease: Lease, end: End) -> &'static str {
    match end {
        End::Built(product) => publish(workshop, lease, *product).await,
        End::Failed(failed) => {
            let kind = failed.failure.kind();
            tracing::info!(detail = %failed.failure, "the build failed");
            lease.log().line(&failed.failure.to_string());
            if report(lease, BuildOutcome::Failed(failed)).await { kind } else { "lost" }
        }
        End::Trouble(trouble) => postpone(workshop, lease, &trouble).await,
        End::NotOurs => {
            drop(lease);
            "lost"
        }
        End::Killed => give_back(lease).await,
    }
}

/// The container goes when everything else is done: whoever waits for the images need not wait for that.
async fn publish(workshop: &Workshop, mut lease: Lease, product: Product) -> &'static str {
    let Product { staging, result, sandbox } = product;
    let bin_dir = staging.bin_dir().clone();
    match staging.size().await {
        Ok(bytes) => lease.set_size(bytes),
        Err(error) => return postpone(workshop, lease, &Trouble::Store(error)).await,
    }
    if let Err(error) = staging.publish().await {
        return postpone(workshop, lease, &Trouble::Store(error)).await;
    }
    let accepted = report(lease, BuildOutcome::Done(Box::new(result))).await;
    if !accepted && let Err(error) = workshop.store.remove(&bin_dir).await {
        tracing::warn!(%bin_dir, error = error_chain(&error), "images that nobody asked for stay");
    }
    workshop.published.notify_one();
    drop(sandbox);
    if accepted { "done" } else { "lost" }
}

/// True unless the build belongs to somebody else. When nobody can tell, the images stay where they are: the record may
/// well name them.
async fn report(lease: Lease, outcome: BuildOutcome) -> bool {
    match lease.finish(outcome).await {
        Ok(Finished::Accepted) => true,
        Ok(Finished::Superseded) => {
            tracing::warn!("the build belonged to somebody else when it was done");
            false
        }
        Err(error) => {
            tracing::error!(error = error_chain(&error), "the outcome could not be reported");
            true
        }
    }
}

/// The worker pauses first, so that it does not take the next build into the same trouble.
async fn postpone(workshop: &Workshop, lease: Lease, trouble: &Trouble) -> &'static str {
    if trouble.is_of_the_engine() {
        workshop.watch.podman_failed(trouble);
    }
    match lease.postpone(&error_chain(trouble)).await {
        Ok(Postponed::For(_)) => "postponed",
        Ok(Postponed::Dropped) => "dropped",
        Ok(Postponed::NotOurs) => "lost",
        Err(error) => {
            tracing::warn!(error = error_chain(&error), "the build goes back when its lease runs out");
            "lost"
        }
    }
}

async fn give_back(lease: Lease) -> &'static str {
    if let Err(error) = lease.give_back("the worker ends").await {
        tracing::warn!(error = error_chain(&error), "the build goes back when its lease runs out");
    }
    "given_back"
}
