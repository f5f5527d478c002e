//! Clients as they are in the field. owut asks prepare, posts once and then polls; LuCI posts again and again.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{RngExt, rngs::StdRng};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    history::{Answered, Exchange, Heard, Question, Visit},
    observer::since,
    plan::{Plan, Wanted},
};

/// A client of a router waits longer; nothing in a run may take this long.
const PATIENCE: Duration = Duration::from_secs(30);
/// After that a visit counts as stuck.
const GIVES_UP: Duration = Duration::from_secs(300);

/// What all clients share.
#[derive(Clone)]
pub(crate) struct Crowd {
    pub(crate) url: String,
    pub(crate) plan: Plan,
    pub(crate) started: Instant,
    /// No new visits once this is fired; those under way go on to their end.
    pub(crate) closing: CancellationToken,
    pub(crate) newest: Arc<AtomicUsize>,
    pub(crate) exchanges: Arc<Mutex<Vec<Exchange>>>,
    pub(crate) visits: Arc<Mutex<Vec<Visit>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Owut,
    Luci,
}

/// One client, visit after visit.
pub(crate) async fn live(crowd: Crowd, number: usize) {
    let mut random = crowd.plan.random(1000 + number as u64);
    // As routers do: a connection for each request.
    let http = Client::builder().pool_max_idle_per_host(0).timeout(PATIENCE).build().unwrap();
    let manner = if number.is_multiple_of(2) { Manner::Owut } else { Manner::Luci };
    while !crowd.closing.is_cancelled() {
        let wanted = Plan::choose(&mut random, crowd.newest.load(Ordering::Relaxed));
        crowd.newest.fetch_max(wanted, Ordering::Relaxed);
        let visit = Visiting { crowd: &crowd, http: &http, client: number, wanted, build: crowd.plan.wanted(wanted) };
        visit.make(manner, &mut random).await;
        tokio::select! {
            () = sleep(Duration::from_millis(random.random_range(20..400))) => {}
            () = crowd.closing.cancelled() => {}
        }
    }
}

struct Visiting<'a> {
    crowd: &'a Crowd,
    http: &'a Client,
    client: usize,
    wanted: usize,
    build: Wanted,
}

impl Visiting<'_> {
    async fn make(&self, manner: Manner, random: &mut StdRng) {
        let mut visit = Visit {
            wanted: self.wanted,
            hash: None,
            accepted: None,
            ended: None,
            expected: self.build.expected,
            damaged: Vec::new(),
            downloads: 0,
        };
        let asks_prepare = manner == Manner::Owut && random.random_range(0..3) == 0;
        if asks_prepare {
            self.ask(Question::Prepare, None).await;
        }
        let place = {
            let mut visits = self.crowd.visits.lock().unwrap();
            visits.push(visit.clone());
            visits.len() - 1
        };
        let deadline = Instant::now() + GIVES_UP;
        while visit.ended.is_none() && Instant::now() < deadline {
            self.step(manner, &mut visit, random).await;
            self.crowd.visits.lock().unwrap()[place] = visit.clone();
        }
    }

    /// Asks once and waits as long as this client does then.
    async fn step(&self, manner: Manner, visit: &mut Visit, random: &mut StdRng) {
        let polls = manner == Manner::Owut && visit.accepted.is_some();
        let question = if polls { Question::Poll } else { Question::Post };
        let (heard, body) = self.ask(question, visit.hash.as_deref()).await;
        let now = since(self.crowd.started);
        match heard.as_ref().map_or(0, |heard| heard.status) {
            status @ (200 | 500) if heard.as_ref().is_some_and(|heard| heard.hash.is_some()) => {
                visit.hash = heard.and_then(|heard| heard.hash);
                visit.accepted.get_or_insert(now);
                visit.ended = Some((now, status));
                if status == 200 {
                    self.download(&body, visit, random).await;
                }
                return;
            }
            202 => {
                visit.hash = heard.and_then(|heard| heard.hash);
                visit.accepted.get_or_insert(now);
            }
            // Its user begins again.
            404 => (visit.accepted, visit.hash) = (None, None),
            // Asked again a little later, as users do.
            _ => {}
        }
        sleep(Duration::from_millis(random.random_range(150..900))).await;
    }

    /// One of the images, with its sum, if the moment allows it.
    async fn download(&self, body: &Value, visit: &mut Visit, random: &mut StdRng) {
        let images = body["images"].as_array().cloned().unwrap_or_default();
        if images.is_empty() {
            visit.damaged.push("an answer without images".to_owned());
            return;
        }
        let image = &images[random.random_range(0..images.len())];
        let (bin_dir, name) =
            (body["bin_dir"].as_str().unwrap_or_default(), image["name"].as_str().unwrap_or_default());
        let url = format!("{}/store/{bin_dir}/{name}", self.crowd.url);
        for _ in 0..40 {
            let Ok(response) = self.http.get(&url).send().await else { continue };
            let status = response.status().as_u16();
            if [502, 503, 504].contains(&status) {
                sleep(Duration::from_millis(250)).await;
                continue;
            }
            // A process that is killed while it sends cuts the connection; the client begins anew.
            let Ok(bytes) = response.bytes().await else { continue };
            visit.downloads += 1;
            let sum = hex::encode(Sha256::digest(&bytes));
            if status != 200 || image["sha256"] != sum.as_str() {
                visit.damaged.push(format!("{status}: {url} has {} bytes and the sha256 {sum}", bytes.len()));
            }
            return;
        }
    }

    async fn ask(&self, question: Question, hash: Option<&str>) -> (Option<Heard>, Value) {
        let url = |path: &str| format!("{}/api/v1/build{path}", self.crowd.url);
        let request = match question {
            Question::Prepare => self.http.post(url("/prepare")).json(&self.build.body),
            Question::Post => self.http.post(url("")).json(&self.build.body),
            Question::Poll => self.http.get(url(&format!("/{}", hash.unwrap_or_default()))),
        };
        let begun = since(self.crowd.started);
        let (answer, body) = read(request).await;
        let ended = since(self.crowd.started);
        let heard = if let Answered::Json(heard) = &answer { Some(heard.clone()) } else { None };
        let exchange = Exchange { client: self.client, wanted: self.wanted, question, begun, ended, answer };
        self.crowd.exchanges.lock().unwrap().push(exchange);
        (heard, body)
    }
}

async fn read(request: RequestBuilder) -> (Answered, Value) {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return (Answered::Broken(format!("{error:?}")), Value::Null),
    };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = match response.text().await {
        Ok(text) => text,
        Err(error) => return (Answered::Broken(format!("{status}, then {error:?}")), Value::Null),
    };
    let body: Value = match serde_json::from_str(&text) {
        Ok(body @ Value::Object(_)) => body,
        Ok(_) | Err(_) => {
            return (Answered::NotJson { status, start: text.chars().take(120).collect() }, Value::Null);
        }
    };
    let text = |key: &str| body[key].as_str().map(str::to_owned);
    let heard = Heard {
        status,
        hash: text("request_hash"),
        position: body["queue_position"].as_u64(),
        bin_dir: text("bin_dir"),
        detail: text("detail").unwrap_or_default(),
        retry_after: headers.contains_key("retry-after"),
        by_nginx: headers.contains_key("x-asu-proxy"),
    };
    (Answered::Json(heard), body)
}
