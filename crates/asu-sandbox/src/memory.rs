//! How many processes of a container the kernel has killed for want of memory.

use std::time::Duration;

use crate::{
    attached::Attached,
    command::{Command, CommandLimits},
    follow::follow,
    output::Captured,
    sandbox::Sandbox,
};

/// Where the counter is: with cgroups v2, and with v1. Podman itself tells only of a container's first process.
const COUNTERS: [&str; 2] = ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"];

/// The files have some hundred bytes.
const LIMITS: CommandLimits =
    CommandLimits { time: Duration::from_secs(5), silence: Duration::from_secs(5), output: 4096 };

impl Sandbox {
    /// Reads the counter from inside, where both kinds of cgroups show it. None if that does not work, for example
    /// because the container has ended or its processes use up all it may have.
    pub(crate) async fn count_oom_kills(&self) -> Option<u64> {
        // One of the two files is always missing, so the exit code is not looked at.
        let exec = self.create_exec(&Command::new("cat", COUNTERS, LIMITS)).await.ok()?;
        let mut attached = Attached::start(self.podman.clone(), exec);
        let mut output = Captured::default();
        let None = follow(&mut attached, LIMITS, &mut output).await else { return None };
        attached.finish().await.ok()?;
        parse_oom_kills(&String::from_utf8_lossy(&output.stdout))
    }
}

fn parse_oom_kills(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::parse_oom_kills;

    #[test]
    fn both_kinds_of_cgroups_tell_how_many_were_killed() {
        let v1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
        let v2 = "low 0\nhigh 0\nmax 41\noom 2\noom_kill 2\noom_group_kill 0\n";
        assert_eq!((parse_oom_kills(v1), parse_oom_kills(v2), parse_oom_kills("")), (Some(3), Some(2), None));
    }
}
