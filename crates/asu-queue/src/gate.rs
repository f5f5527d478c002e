//! Whether a worker may take builds.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

/// A gate in front of the queue: open as long as nobody holds it shut. Whoever finds that a build taken now could not be
/// run (Podman does not answer, the disk is full, the process is about to end) takes a [`Hold`]. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    holds: Arc<watch::Sender<Holds>>,
}

#[derive(Debug, Default)]
struct Holds {
    next: u64,
    reasons: BTreeMap<u64, String>,
}

/// Keeps a [`Gate`] shut until it is dropped.
#[derive(Debug)]
#[must_use = "the gate opens again when the hold is dropped"]
pub struct Hold {
    gate: Gate,
    number: u64,
}

impl Gate {
    /// An open gate.
    pub fn open() -> Self {
        Self::default()
    }

    /// Shuts the gate; `reason` is for people.
    pub fn hold(&self, reason: impl Into<String>) -> Hold {
        let mut number = 0;
        self.holds.send_modify(|holds| {
            number = holds.next;
            holds.next += 1;
            holds.reasons.insert(number, reason.into());
        });
        Hold { gate: self.clone(), number }
    }

    /// Why the gate is shut, oldest reason first; empty if it is open.
    pub fn reasons(&self) -> Vec<String> {
        self.holds.borrow().reasons.values().cloned().collect()
    }

    /// True if builds may be taken.
    pub fn is_open(&self) -> bool {
        self.holds.borrow().reasons.is_empty()
    }

    /// Waits until builds may be taken.
    pub async fn opened(&self) {
        // It cannot fail: the sender lives in `self`.
        let _ = self.holds.subscribe().wait_for(|holds| holds.reasons.is_empty()).await;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.gate.holds.send_modify(|holds| {
            holds.reasons.remove(&self.number);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_gate_is_shut_until_the_last_hold_is_dropped() {
        let gate = Gate::open();
        gate.opened().await;
        let podman = gate.hold("Podman does not answer");
        let disk = gate.clone().hold("the disk is full");
        assert_eq!(gate.reasons(), ["Podman does not answer", "the disk is full"]);
        drop(podman);
        assert!(!gate.is_open());
        let waiting = tokio::spawn({
            let gate = gate.clone();
            async move { gate.opened().await }
        });
        drop(disk);
        waiting.await.unwrap();
        assert!(gate.is_open() && gate.reasons().is_empty());
    }
}
