//! What a process is called.

/// The identity of a process; a constant of each service's library.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// The name in logs, health answers and metrics, such as `asu-build`.
    pub name: &'static str,
    /// The version in `--version`, health answers and metrics.
    pub version: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
    /// Where it listens when the setting `listen` is empty.
    pub listen: &'static str,
}
