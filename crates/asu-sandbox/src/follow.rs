//! Handing out the output of a command until it ends, or until a limit is reached.

use tokio::time::{Instant, timeout_at};

use crate::{
    attached::Attached,
    command::{CommandFailure, CommandLimits},
    output::Output,
};

/// Answers the limit that was reached, or nothing if the output has ended.
pub(crate) async fn follow(
    attached: &mut Attached,
    limits: CommandLimits,
    output: &mut impl Output,
) -> Option<CommandFailure> {
    let start = Instant::now();
    let deadline = start + limits.time;
    let (mut heard, mut printed) = (start, 0);
    loop {
        let chunk = timeout_at(deadline.min(heard + limits.silence), attached.next()).await;
        heard = match chunk {
            Ok(None) => return None,
            // The deadline is looked at here as well: a command that never stops printing never runs into the timeout.
            Ok(Some(_)) | Err(_) if Instant::now() >= deadline => {
                return Some(CommandFailure::TimedOut { limit: limits.time });
            }
            Err(_) => return Some(CommandFailure::NoOutput { limit: limits.silence }),
            Ok(Some((stream, bytes))) => {
                let allowed = usize::try_from(limits.output - printed).unwrap_or(usize::MAX).min(bytes.len());
                output.write(stream, &bytes[..allowed]);
                printed += allowed as u64;
                if allowed < bytes.len() {
                    return Some(CommandFailure::TooMuchOutput { limit: limits.output });
                }
                Instant::now()
            }
        };
    }
}
