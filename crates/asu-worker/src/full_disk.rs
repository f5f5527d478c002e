//! Whether a disk is full because a build says so.

use asu_core::BuildFailure;
use asu_sandbox::Captured;

use crate::{
    build::Build,
    commands::Commands,
    log_tail::LogTail,
    make::BUILDER,
    stop::{Stop, Trouble},
};

/// A disk of ours that is full is never the request's fault, but what a build prints is its own: one that fills a disk of
/// its own making, or lies, would be tried again and again. So a build that failed and speaks of a full disk is believed
/// while there is little room where it works (`store_min_free`), and doubted otherwise.
///
/// # Errors
/// There is room: the build is tried again some times, and then fails.
pub(crate) async fn doubt_full_disk(build: &Build<'_>, commands: Commands<'_>, log: &LogTail) -> Result<(), Stop> {
    if !log.says_disk_full() || log.says_too_big() {
        return Ok(());
    }
    let least = build.workshop.config.store.store_min_free.get();
    match free_space(commands).await {
        Some(free) if free >= least => {
            Err(Stop::doubtful(build.lease.postponed(), Trouble::DiskFull, BuildFailure::ImageBuilder))
        }
        Some(_) | None => Ok(()),
    }
}

/// In bytes, of the disk that the ImageBuilder works on; `None` if it cannot be told.
async fn free_space(commands: Commands<'_>) -> Option<u64> {
    let argv = ["stat", "--file-system", "--format=%a %S", BUILDER].map(str::to_owned);
    let mut output = Captured::default();
    let code = commands.run(&argv, &[], &mut output).await.ok()?;
    if code == 0 { parse_free_space(&output.stdout) } else { None }
}

/// The free blocks and the size of one.
fn parse_free_space(output: &[u8]) -> Option<u64> {
    let (blocks, size) = std::str::from_utf8(output).ok()?.trim().split_once(' ')?;
    blocks.parse::<u64>().ok()?.checked_mul(size.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_is_blocks_of_a_size() {
        assert_eq!(parse_free_space(b"12 4096\n"), Some(49_152));
        for text in [&b""[..], b"12", b"x 4096", b"12 -1", b"18446744073709551615 4096", b"\xff 1"] {
            assert_eq!(parse_free_space(text), None, "{text:?}");
        }
    }
}
