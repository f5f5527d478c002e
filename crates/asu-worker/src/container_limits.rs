//! What each container may have, where the settings leave that open: its share of the machine.

use asu_config::ByteSize;

use crate::machine::Machine;

const MIB: u64 = 1 << 20;

/// The rest of the machine keeps an eighth of the memory, at least this much.
const LEAST_RESERVE: u64 = 512 * MIB;
/// Below this no image with a root filesystem of usual size can be built.
const LEAST_MEMORY: u64 = 512 * MIB;
/// More no ImageBuilder takes.
const MOST_MEMORY: u64 = 8192 * MIB;
/// Where the machine does not say what it has.
const USUAL_MEMORY: u64 = 2048 * MIB;

/// `make -j` with its compressors stays far below.
const MOST_PIDS: u64 = 2048;
/// Below this a shell script with some pipes may fail.
const LEAST_PIDS: u64 = 256;

/// The shares of `concurrency` containers in a machine. What is not 0 stays as it is set.
pub(crate) fn with_derived(config: &asu_sandbox::Config, machine: &Machine, concurrency: usize) -> asu_sandbox::Config {
    let mut config = config.clone();
    let containers = u64::try_from(concurrency.max(1)).unwrap_or(u64::MAX);
    if config.container_cpus <= 0.0 {
        config.container_cpus = cpus(machine.cores, containers);
    }
    if config.container_memory.get() == 0 {
        config.container_memory = ByteSize::new(memory(machine.memory, containers));
    }
    if config.container_pids == 0 {
        // The processes of all containers are one user's.
        let user = Some(config.container_user_processes);
        config.container_pids = pids(machine.pids.map(|pids| pids / 2).into_iter().chain(user).min(), containers);
    }
    config
}

/// One core at least: with more builds than cores the kernel shares them out.
fn cpus(cores: f64, containers: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "nobody runs 2^53 builds at a time")]
    let share = cores / containers as f64;
    ((share * 100.0).floor() / 100.0).max(1.0)
}

fn memory(total: Option<u64>, containers: u64) -> u64 {
    let Some(total) = total else { return USUAL_MEMORY };
    let reserve = (total / 8).max(LEAST_RESERVE);
    let share = total.saturating_sub(reserve) / containers;
    (share / MIB * MIB).clamp(LEAST_MEMORY, MOST_MEMORY)
}

fn pids(most: Option<u64>, containers: u64) -> u32 {
    let share = most.unwrap_or(u64::MAX) / containers;
    u32::try_from(share.clamp(LEAST_PIDS, MOST_PIDS)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use asu_config::Settings;

    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn containers_share_the_machine() {
        let config = Settings::defaults().section().unwrap();
        for (cores, memory, pids, concurrency, expected) in [
            (2.0, Some(8 * GIB), Some(100_000), 1, (2.0, 7168, 2048)),
            (2.0, Some(8 * GIB), Some(100_000), 2, (1.0, 3584, 2048)),
            (8.0, Some(64 * GIB), Some(100_000), 3, (2.66, 8192, 1365)),
            (2.0, Some(8 * GIB), Some(100_000), 4, (1.0, 1792, 1024)),
            (1.0, Some(GIB), Some(1000), 4, (1.0, 512, 256)),
            (4.0, Some(4 * GIB), Some(2400), 2, (2.0, 1792, 600)),
            (16.0, Some(256 * GIB), None, 16, (1.0, 8192, 256)),
            (4.0, None, None, 1, (4.0, 2048, 2048)),
        ] {
            let derived = with_derived(&config, &Machine { cores, memory, pids }, concurrency);
            let mebibytes = derived.container_memory.get() / MIB;
            assert_eq!(
                (derived.container_cpus, mebibytes, derived.container_pids),
                expected,
                "{concurrency} {memory:?}"
            );
        }
    }

    #[test]
    fn what_is_set_stays() {
        let settings = Settings::defaults()
            .with("container_cpus", 0.5)
            .with("container_memory", "3GiB")
            .with("container_pids", 77);
        let machine = Machine { cores: 4.0, memory: Some(64 * GIB), pids: None };
        let derived = with_derived(&settings.section().unwrap(), &machine, 8);
        assert_eq!((derived.container_cpus, derived.container_pids), (0.5, 77));
        assert_eq!(derived.container_memory, ByteSize::new(3 * GIB));
    }
}
