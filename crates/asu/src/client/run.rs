//! Runs a client command to its end and tells the user how it ended.

use std::future::Future;

use asu_service::error_chain;
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

use crate::{
    client::{
        BuildOptions, PrepareOptions,
        build::build,
        error::ClientError,
        prepare::prepare,
        report::{LOG_TAIL, Report},
    },
    exit::Exit,
    output::{Output, Style, harmless},
};

/// `asu prepare`.
pub(crate) fn run_prepare(options: &PrepareOptions) -> Exit {
    let output = Output::new(options.connection.json, options.connection.quiet);
    end(run(prepare(options, output)), output)
}

/// `asu build`.
pub(crate) fn run_build(options: &BuildOptions) -> Exit {
    let output = Output::new(options.connection.json, options.connection.quiet);
    let mut report = Report::default();
    let outcome = run(build(options, output, &mut report));
    report.note_end(&outcome);
    if options.connection.json {
        output.document(&report.to_json());
    }
    end(outcome, output)
}

/// On this thread; SIGINT and SIGTERM end it.
fn run(command: impl Future<Output = Result<(), ClientError>>) -> Result<(), ClientError> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(ClientError::Runtime)?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = command => outcome,
            () = interrupted() => Err(ClientError::Interrupted),
        }
    });
    // A thread that waits for somebody to type must not hold us up.
    runtime.shutdown_background();
    outcome
}

async fn interrupted() {
    let wait_for = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            // Then the signal's own effect, ending us, is as good.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait_for(SignalKind::interrupt()) => {}
        () = wait_for(SignalKind::terminate()) => {}
    }
}

fn end(outcome: Result<(), ClientError>, output: Output) -> Exit {
    let Err(error) = outcome else { return Exit::Done };
    if let ClientError::Refused(answer) = &error {
        for line in answer.log_tail(LOG_TAIL) {
            output.error(&output.paint(Style::Faint, &format!("  {}", harmless(&line))));
        }
    }
    output.error(&format!("{} {}", output.paint(Style::Bad, "asu:"), harmless(&error_chain(&error))));
    if let ClientError::Refused(answer) = &error
        && let Some(hint) = answer.get::<String>("hint")
    {
        output.error(&format!("  {}", harmless(&hint)));
    }
    if matches!(error, ClientError::Interrupted | ClientError::TimedOut { .. }) {
        output.note("what the server has begun goes on; the same command takes it up again");
    }
    error.exit()
}
