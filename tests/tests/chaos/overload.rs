//! More clients than any server is made for: who polls and who asks for what is known is answered, new builds are
//! refused, memory stays bounded, and afterwards everything is as before. `ASU_OVERLOAD_CLIENTS` says how many.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use asu_tests::{Deployment, Process, request};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    plan::number,
    wire::{Short, Wire},
};

/// Without `ASU_OVERLOAD_CLIENTS`.
const CLIENTS: u64 = 1000;
const PEAK: Duration = Duration::from_secs(8);
const CALM: Duration = Duration::from_secs(2);
const CALM_CLIENTS: u64 = 50;
const PATIENCE: Duration = Duration::from_secs(120);
/// Of resident memory, with all clients at once. An idle server has some 30 MiB; a connection takes some 20 KiB.
const MOST_MEMORY: u64 = 1024;

/// Answers by what was asked, with how long each took.
type Answers = BTreeMap<(&'static str, Short), Vec<Duration>>;

struct Target {
    address: SocketAddr,
    hash: String,
    known: String,
}

impl Target {
    /// One client: most of them poll, as in the field.
    async fn ask(&self, wire: &mut Wire, client: u64, round: u64) -> std::io::Result<(&'static str, Short)> {
        match client % 10 {
            0 => {
                let mut body = request("24.10.4", &["tmux"]);
                body["defaults"] = format!("# overload {client} {round}").into();
                Ok(("POST of a new build", wire.post("/api/v1/build", &body.to_string()).await?))
            }
            1 => Ok(("POST of a known build", wire.post("/api/v1/build", &self.known).await?)),
            _ => Ok(("GET", wire.get(&format!("/api/v1/build/{}", self.hash)).await?)),
        }
    }
}

/// All of them at the same time, each on a connection of its own; polls alone if `polls`.
async fn crowd(target: &'static Target, clients: u64, length: Duration, polls: bool) -> Answers {
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        tasks.spawn(async move {
            let mut answers = Vec::new();
            let mut wire = Wire::connect(target.address).await.expect("the server takes connections");
            let end = Instant::now() + length;
            let mut round = 0;
            while Instant::now() < end {
                let begun = Instant::now();
                let as_client = if polls { 2 } else { client };
                let answer = target.ask(&mut wire, as_client, round).await.expect("each request has an answer");
                answers.push((answer, begun.elapsed()));
                round += 1;
            }
            answers
        });
    }
    let mut all = Answers::new();
    while let Some(answers) = tasks.join_next().await {
        for (answer, took) in answers.expect("no client breaks") {
            all.entry(answer).or_default().push(took);
        }
    }
    all
}

/// Answers per second to a few clients that only poll.
async fn throughput(target: &'static Target) -> f64 {
    let answers = crowd(target, CALM_CLIENTS, CALM, true).await;
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let count = answers.values().map(Vec::len).sum::<usize>() as f64;
    count / CALM.as_secs_f64()
}

/// The most resident memory so far, in MiB.
fn peak_memory(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() / 1024
}

/// As many open files as this process may have; its children inherit that. How many clients that allows.
fn room_for(clients: u64) -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    limit.maximum.map_or(clients, |most| clients.min(most.saturating_sub(500)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_clients_are_answered_and_only_new_builds_are_refused() {
    let _alone = crate::alone().await;
    let clients = room_for(number("ASU_OVERLOAD_CLIENTS").unwrap_or(CLIENTS));
    let settings = [
        ("client_pending_jobs", "0"),
        ("client_builds_per_hour", "0"),
        ("max_pending_jobs", "20"),
        ("max_connections", "20000"),
        ("log_level", "warn,asu_service::server=info"),
    ];
    let mut deployment = Deployment::start_with(&settings).await;
    let body = request("24.10.4", &["tmux"]);
    let done = deployment.build(&body).await;
    assert_eq!(done.status, 200, "{done:?}");
    deployment.workers.clear();
    let (address, known) = (deployment.build.address, body.to_string());
    let target: &Target = Box::leak(Box::new(Target { address, hash: done.request_hash(), known }));

    let before = throughput(target).await;
    let answers = crowd(target, clients, PEAK, false).await;
    let memory = peak_memory(&deployment.build);
    println!(
        "overload: {clients} clients, {memory} MiB at most, {before:.0} answers/s to {CALM_CLIENTS} clients before"
    );
    for ((what, short), times) in &answers {
        let mut times = times.clone();
        times.sort_unstable();
        let (median, most) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        println!("  {what:<24} {:>3} × {:>7}, p50 {median:?}, p99 {most:?}", short.status, times.len());
    }
    for (what, Short { status, retry_after }) in answers.keys().copied() {
        match what {
            "POST of a new build" => {
                assert!([202, 429, 529].contains(&status), "{what}: {status}");
                assert!(status == 202 || retry_after, "{what}: {status} without a time to come again");
            }
            _ => assert_eq!(status, 200, "{what} is never refused for load"),
        }
    }
    let taken: usize = answers.iter().filter(|((_, short), _)| short.status == 202).map(|(_, times)| times.len()).sum();
    assert_eq!(taken, 20, "as many new builds as may wait, to the last one");
    assert!(memory < MOST_MEMORY, "{memory} MiB");

    // Other things go on on this machine: it must be reached once.
    let deadline = Instant::now() + PATIENCE;
    let mut after = throughput(target).await;
    while after < before / 2.0 && Instant::now() < deadline {
        after = throughput(target).await;
    }
    println!("  {after:.0} answers/s after");
    assert!(after >= before / 2.0, "it does not come back: {after:.0} answers/s, {before:.0} before");
}

/// Reads to the end of the connection; what was sent until then.
async fn drained(mut stream: TcpStream) -> usize {
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // An error is an end, too.
    drop(read.expect("the server ends the connection"));
    answer.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_are_slow_on_purpose_do_not_hold_the_server() {
    const EACH: usize = 100;
    const SIZE: usize = 64 << 20;
    let _alone = crate::alone().await;
    room_for(CLIENTS);
    let settings = [("header_timeout", "3s"), ("body_timeout", "3s"), ("write_timeout", "3s")];
    let deployment = Deployment::without_workers(&settings).await;
    let bin_dir = format!("{}-{}", "0".repeat(64), "0".repeat(12));
    fs::create_dir_all(deployment.store().join(&bin_dir)).unwrap();
    fs::write(deployment.store().join(&bin_dir).join("image.bin"), vec![0x5a; SIZE]).unwrap();
    let starts = [
        "GET /api/v1/build/0 HTTP/1.1\r\nHost: a".to_owned(),
        "POST /api/v1/build HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{\"ver".to_owned(),
        format!("GET /store/{bin_dir}/image.bin HTTP/1.1\r\nHost: a\r\n\r\n"),
    ];
    let mut slow = Vec::new();
    for start in &starts {
        for _ in 0..EACH {
            let mut stream = TcpStream::connect(deployment.build.address).await.unwrap();
            stream.write_all(start.as_bytes()).await.unwrap();
            slow.push(stream);
        }
    }
    // The others are served meanwhile; that there are answers at all is what counts.
    for _ in 0..50 {
        assert_eq!(deployment.get("/api/v1/stats").await.status, 200);
    }
    let memory = peak_memory(&deployment.build);
    println!("slow clients: {} of them, {memory} MiB at most", slow.len());
    assert!(memory < MOST_MEMORY, "{memory} MiB");
    // Nothing is read of the images for longer than the server waits.
    sleep(Duration::from_secs(6)).await;
    let mut ended = JoinSet::new();
    for (number, stream) in slow.into_iter().enumerate() {
        ended.spawn(async move { (number / EACH, drained(stream).await) });
    }
    while let Some(ended) = ended.join_next().await {
        let (kind, received) = ended.unwrap();
        assert!(kind < 2 || received < SIZE, "a reader that took nothing for long was waited for");
    }
}
