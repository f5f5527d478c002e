//! What the machine has, or what of it this process may use if it is itself in a container.

use std::{fs, num::NonZero, path::Path, thread};

/// Cores, bytes of memory, and processes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Machine {
    pub(crate) cores: f64,
    /// `None` if it cannot be found out.
    pub(crate) memory: Option<u64>,
    /// `None` if it cannot be found out, or is not limited.
    pub(crate) pids: Option<u64>,
}

/// A limit of the control groups: its file with version 2, and the directory and the file with version 1.
struct Limit {
    unified: &'static str,
    controller: &'static str,
    file: &'static str,
}

const MEMORY: Limit = Limit { unified: "memory.max", controller: "memory", file: "memory.limit_in_bytes" };
const PIDS: Limit = Limit { unified: "pids.max", controller: "pids", file: "pids.max" };

impl Machine {
    /// Looks at this machine.
    pub(crate) fn read() -> Self {
        Self::below(Path::new("/"), thread::available_parallelism().map_or(1, NonZero::get))
    }

    /// `cores` are those that the scheduler and the control groups leave to this process.
    fn below(root: &Path, cores: usize) -> Self {
        let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
        let groups = read("proc/self/cgroup");
        let limit = |limit: &Limit| group_limit(root, &groups, limit);
        let number = |path: &str| read(path).trim().parse::<u64>().ok();
        #[expect(clippy::cast_precision_loss, reason = "no machine has 2^53 cores")]
        let cores = cores as f64;
        Self {
            cores,
            memory: least([total_memory(&read("proc/meminfo")), limit(&MEMORY)]),
            pids: least([number("proc/sys/kernel/threads-max"), number("proc/sys/kernel/pid_max"), limit(&PIDS)]),
        }
    }
}

fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The smallest limit of this process's group and those above it. In a container the group of the host's name may not
/// be there: then its own root is looked at.
fn group_limit(root: &Path, groups: &str, limit: &Limit) -> Option<u64> {
    let limits = groups.lines().filter_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let is_unified = controllers.is_empty();
        if !is_unified && !controllers.split(',').any(|name| name == limit.controller) {
            return None;
        }
        let (mount, file) = if is_unified { ("", limit.unified) } else { (limit.controller, limit.file) };
        let mount = root.join("sys/fs/cgroup").join(mount);
        let group = mount.join(path.trim_start_matches('/'));
        let above = group.ancestors().take_while(|group| group.starts_with(&mount));
        let number = |group: &Path| fs::read_to_string(group.join(file)).ok()?.trim().parse::<u64>().ok();
        above.filter_map(number).min()
    });
    limits.min()
}

fn least<const N: usize>(limits: [Option<u64>; N]) -> Option<u64> {
    limits.into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn check(files: &[(&str, &str)], memory: Option<u64>, pids: Option<u64>) {
        let root = tempfile::TempDir::new().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(Machine::below(root.path(), 4), Machine { cores: 4.0, memory, pids });
    }

    #[test]
    fn a_machine_has_what_the_kernel_says() {
        check(&[], None, None);
        let meminfo = ("proc/meminfo", "MemTotal:        8388608 kB\nMemFree:  1 kB\n");
        let pids = [("proc/sys/kernel/pid_max", "4194304\n"), ("proc/sys/kernel/threads-max", "60000\n")];
        check(&[meminfo, pids[0], pids[1]], Some(8 * GIB), Some(60_000));
    }

    #[test]
    fn a_process_in_a_container_has_what_its_group_and_those_above_leave() {
        let meminfo = ("proc/meminfo", "MemTotal:        8388608 kB\n");
        let unified = ("proc/self/cgroup", "0::/user/asu\n");
        let own = ("sys/fs/cgroup/user/asu/memory.max", "max\n");
        check(&[meminfo, unified, own, ("sys/fs/cgroup/user/memory.max", "2147483648\n")], Some(2 * GIB), None);
        let root = ("sys/fs/cgroup/memory.max", "1073741824\n");
        check(&[meminfo, unified, root, ("sys/fs/cgroup/pids.max", "500\n")], Some(GIB), Some(500));
        let split = ("proc/self/cgroup", "4:memory:/a\n3:cpu,cpuacct:/a\n8:pids:/a\n0::/\n");
        let memory = ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "3221225472\n");
        let none = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        check(&[meminfo, split, memory, none, ("sys/fs/cgroup/pids/a/pids.max", "300\n")], Some(3 * GIB), Some(300));
        check(&[meminfo, split, none], Some(8 * GIB), None);
    }
}
