//! A process's registry of metrics, with what every process has: its version, memory, open files and start.

use std::{
    fmt, fs,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge, info::Info},
    registry::Registry,
};

use crate::service::Service;

/// A registry with the metrics of the process itself; a service registers its own beside them.
pub fn registry(service: &Service) -> Registry {
    let mut registry = Registry::default();
    let labels = vec![("service", service.name), ("version", service.version)];
    registry.register("asu_build", "Which program this is", Info::new(labels));
    registry.register_collector(Box::new(Process { started: Instant::now(), started_at: SystemTime::now() }));
    registry
}

/// Read from `/proc` at each scrape; under the names that Prometheus' own client libraries use.
#[derive(Debug)]
struct Process {
    started: Instant,
    started_at: SystemTime,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let start = self.started_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        gauge(&mut encoder, "process_start_time_seconds", "Start of the process since the epoch", start)?;
        gauge(&mut encoder, "asu_uptime_seconds", "Age of the process", self.started.elapsed().as_secs_f64())?;
        if let Some(bytes) = resident_memory() {
            gauge(&mut encoder, "process_resident_memory_bytes", "Resident memory", bytes)?;
        }
        if let Some(files) = open_files() {
            gauge(&mut encoder, "process_open_fds", "Open file descriptors", files)?;
        }
        Ok(())
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> Result<(), fmt::Error> {
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

/// `VmRSS` of `/proc/self/status`, which is in KiB whatever the page size.
fn resident_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kib| kib * 1024.0)
}

/// The listing itself holds one descriptor.
fn open_files() -> Option<f64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    u32::try_from(count.saturating_sub(1)).ok().map(f64::from)
}
