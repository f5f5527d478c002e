//! A small service behind the real edge and the real server, and a client that sends bytes as they are.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use asu_config::Settings;
use asu_service::{
    BodyLimit, ClientAddress, Condition, Config, Drained, Health, HttpMetrics, RawBody, RequestContext, Service,
    Shutdown, bind, edge, operations, registry, serve,
};
use axum::{
    Router,
    extract::{FromRef, Path, State},
    routing::{get, post},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    task::JoinHandle,
    time::timeout,
};

pub const SERVICE: Service = Service { name: "asu-test", version: "1.2.3", about: "A test", listen: "127.0.0.1:0" };

/// No test waits longer for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone)]
struct AppState {
    limit: BodyLimit,
    gate: Gate,
}

/// Holds up `/slow` until the test lets it go on.
#[derive(Clone)]
pub struct Gate {
    entered: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    async fn pass(&self) {
        self.entered.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }

    /// Waits until a request hangs in `/slow`.
    pub async fn entered(&self) {
        timeout(PATIENCE, self.entered.acquire()).await.expect("no request came to /slow").unwrap().forget();
    }

    pub fn open(&self) {
        self.open.add_permits(1);
    }
}

impl FromRef<AppState> for BodyLimit {
    fn from_ref(state: &AppState) -> Self {
        state.limit
    }
}

pub struct TestServer {
    pub address: SocketAddr,
    pub shutdown: Shutdown,
    pub gate: Gate,
    pub served: JoinHandle<Drained>,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(Settings::defaults()).await
    }

    pub async fn with(settings: Settings) -> Self {
        Self::with_health(settings, |health| health).await
    }

    pub async fn with_health(settings: Settings, checks: impl FnOnce(Health) -> Health) -> Self {
        let config = Config::load(&settings).unwrap();
        let listener = bind(&SERVICE, &config).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, gate) =
            (Shutdown::new(), Gate { entered: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) });
        let mut registry = registry(&SERVICE);
        let metrics = HttpMetrics::register(&mut registry);
        let health = checks(Health::new(&SERVICE, &config, &shutdown));
        let state = AppState { limit: config.body_limit(), gate: gate.clone() };
        let app = edge(routes().with_state(state).merge(operations(health, registry)), &config, &metrics);
        let served = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { serve(listener, app, &shutdown, &config).await }
        });
        Self { address, shutdown, gate, served }
    }

    pub async fn connect(&self) -> Connection {
        Connection(TcpStream::connect(self.address).await.unwrap())
    }

    /// Sends these bytes on a connection of their own and reads one answer.
    pub async fn send(&self, request: &str) -> Answer {
        let mut connection = self.connect().await;
        connection.write(request.as_bytes()).await;
        connection.answer(request.starts_with("HEAD ")).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await
    }

    /// Waits for the end of the server.
    pub async fn end(self) -> Drained {
        self.shutdown.begin();
        timeout(PATIENCE, self.served).await.expect("the server did not end").unwrap()
    }
}

fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(|| async { "root" }))
        .route("/hello/{name}", get(|Path(name): Path<String>| async move { format!("hello {name}") }))
        .route("/echo", post(|RawBody(body): RawBody| async move { body }))
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("a secret")
                }
            }),
        )
        .route("/slow", get(slow).post(slow))
        .route("/id", get(|context: RequestContext| async move { format!("{} {}", context.id, context.trace) }))
        .route("/client", get(|ClientAddress(address): ClientAddress| async move { address.to_string() }))
        .route("/own-cors", get(|| async { ([("access-control-allow-origin", "https://elsewhere.example")], "mine") }))
}

async fn slow(State(state): State<AppState>) -> &'static str {
    state.gate.pass().await;
    "at last"
}

pub fn failing(detail: &str) -> Condition {
    Condition::Failing(detail.to_owned())
}

pub struct Connection(pub TcpStream);

impl Connection {
    pub async fn write(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.0.write_all(bytes)).await.expect("the server does not read").unwrap();
    }

    /// Reads one answer, by its Content-Length.
    pub async fn answer(&mut self, to_head: bool) -> Answer {
        timeout(PATIENCE, self.read_answer(to_head)).await.expect("no answer came")
    }

    /// Waits for the server to close; what came before that is returned.
    pub async fn closed(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.expect("the connection stays open");
        assert!(read.is_ok(), "{read:?} after {rest:?}");
        rest
    }

    async fn read_answer(&mut self, to_head: bool) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap_or_else(|error| {
                panic!("{error} after {:?}", String::from_utf8_lossy(&head));
            }));
        }
        let mut answer = Answer::parse(&String::from_utf8(head).unwrap());
        let length = if to_head { 0 } else { answer.header("content-length").map_or(0, |text| text.parse().unwrap()) };
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        answer.body = String::from_utf8(body).unwrap();
        answer
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    fn parse(head: &str) -> Self {
        let mut lines = head.trim_end().lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: String::new() }
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(header, _)| header == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a header that stands once at most.
    pub fn header(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() <= 1, "{name} stands {} times", all.len());
        all.first().copied()
    }

    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// Checks that this is an error as all errors are.
    pub fn assert_error(&self, status: u16, title: &str, detail: &str) {
        let expected = serde_json::json!({"status": status, "title": title, "detail": detail});
        assert_eq!((self.status, self.json()), (status, expected));
        assert!(self.header("content-length").is_some());
        assert_eq!(self.header("access-control-allow-origin"), Some("*"));
    }
}
