//! What a worker is called: by people, by the queue, and on its containers.

use std::fs;

use asu_queue::WorkerName;

/// Where Linux keeps the name of the host.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// So much of a name is kept, so that there is room for what makes it unique.
const LONGEST: usize = 48;

/// A name for people, and one that no other process ever has: two workers may well be called the same, on two hosts, or
/// on one while a new one replaces an old one, and must not take each other for themselves.
#[derive(Debug, Clone)]
pub(crate) struct WorkerIdentity {
    name: WorkerName,
}

impl WorkerIdentity {
    /// From the setting `worker_name`, or the name of the host if that is empty.
    pub(crate) fn new(configured: &str) -> Self {
        let host = || fs::read_to_string(HOST_NAME).unwrap_or_default();
        let chosen = if configured.is_empty() { host() } else { configured.to_owned() };
        Self { name: unique(&chosen, rand::random()) }
    }

    /// The name, unique to this process.
    pub(crate) fn name(&self) -> &WorkerName {
        &self.name
    }
}

/// Characters that a worker's name cannot have become hyphens.
fn unique(chosen: &str, instance: u32) -> WorkerName {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let base: String = chosen.trim().chars().take(LONGEST).map(allowed).collect();
    let base = if base.is_empty() { "worker" } else { &base };
    WorkerName::parse(&format!("{base}-{instance:08x}")).expect("it was brought into the alphabet and the length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_makes_a_name() {
        for (chosen, name) in [
            ("build-1.example.org\n", "build-1.example.org-0000002a"),
            ("", "worker-0000002a"),
            ("wörk er", "w-rk-er-0000002a"),
        ] {
            assert_eq!(unique(chosen, 42).as_str(), name);
        }
        assert_eq!(unique(&"x".repeat(100), 42).as_str().len(), LONGEST + 9);
    }

    #[test]
    fn two_processes_have_two_names() {
        assert_ne!(WorkerIdentity::new("a").name(), WorkerIdentity::new("a").name());
    }
}
