//! SIGTERM and SIGINT end the process; a second one at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::shutdown::Shutdown;

/// The status of a process that ended without tidying up, as shells report an interrupted one.
const INTERRUPTED: i32 = 130;

/// From now on the first SIGTERM or SIGINT begins `shutdown` and the second one exits.
///
/// # Errors
/// The signal handlers could not be installed.
pub fn shutdown_on_signal(shutdown: &Shutdown) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = shutdown.clone();
    // Not a task of `shutdown`: it waits for a second signal as long as the process lives.
    tokio::spawn(async move {
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::info!(signal = name, "shutting down");
        shutdown.begin();
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::warn!(signal = name, "asked twice, ending at once");
        std::process::exit(INTERRUPTED);
    });
    Ok(())
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
