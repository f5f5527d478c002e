//! A real browser without a window, which tells everything that went wrong in it.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chromiumoxide::{
    Page,
    browser::BrowserConfig,
    cdp::{
        IntoEventKind,
        browser_protocol::{
            emulation::{MediaFeature, SetDeviceMetricsOverrideParams},
            log::EventEntryAdded,
            network::EventRequestWillBeSent,
            page::CaptureScreenshotFormat,
        },
        js_protocol::runtime::{EventConsoleApiCalled, EventExceptionThrown},
    },
    page::ScreenshotParams,
};
use futures::StreamExt;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

/// The longest that a page may take to become what it is to be, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Nothing of Chromium's own may talk to anybody.
const FLAGS: [&str; 9] = [
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "disable-default-apps",
    "disable-dev-shm-usage",
    "hide-scrollbars",
];

/// The networks of containers come and go while other tests run, and Chromium then drops what it is loading.
const NETWORK_CHANGED: &str = "ERR_NETWORK_CHANGED";

/// Chromium with one page.
pub(crate) struct Browser {
    process: chromiumoxide::Browser,
    pub(crate) page: Page,
    /// What was logged, thrown and refused.
    trouble: Arc<Mutex<Vec<String>>>,
    requests: Arc<Mutex<Vec<String>>>,
    _profile: TempDir,
}

impl Browser {
    /// Starts Chromium with a new profile.
    pub(crate) async fn start() -> Self {
        let profile = TempDir::new().unwrap();
        let config = BrowserConfig::builder()
            .chrome_executable("/usr/bin/chromium")
            .user_data_dir(profile.path())
            .no_sandbox()
            .disable_default_args()
            .args(FLAGS)
            .launch_timeout(PATIENCE)
            .request_timeout(PATIENCE)
            .viewport(None);
        let launched = chromiumoxide::Browser::launch(config.build().unwrap()).await;
        let (process, mut handler) = launched.expect("Chromium starts; deploy/demo/surroundings install brings it");
        tokio::spawn(async move { while handler.next().await.is_some() {} });
        let page = process.new_page("about:blank").await.unwrap();
        page.enable_log().await.unwrap();
        let trouble = Arc::default();
        listen(&page, &trouble, |event: &EventEntryAdded| format!("{:?}", event.entry)).await;
        listen(&page, &trouble, |event: &EventConsoleApiCalled| format!("{:?}", event.args)).await;
        listen(&page, &trouble, |event: &EventExceptionThrown| format!("{:?}", event.exception_details)).await;
        let requests = Arc::default();
        listen(&page, &requests, |event: &EventRequestWillBeSent| event.request.url.clone()).await;
        Self { process, page, trouble, requests, _profile: profile }
    }

    /// Opens a page and waits until everything of it is loaded.
    pub(crate) async fn open(&self, url: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.page.goto(url).await {
                Ok(_) => self.until("document.readyState === 'complete'").await,
                Err(error) => assert!(error.to_string().contains(NETWORK_CHANGED), "{url}: {error}"),
            }
            if !self.forget_changes_of_the_network() && self.page.url().await.unwrap().as_deref() == Some(url) {
                return;
            }
            assert!(Instant::now() < deadline, "{url} does not load: {:?}", self.trouble.lock().unwrap());
        }
    }

    /// Opens a page until an expression is true on it: on a busy machine a page does without what it cannot have soon.
    pub(crate) async fn open_with(&self, url: &str, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.open(url).await;
            if self.value(expression).await {
                return;
            }
            assert!(Instant::now() < deadline, "{url} never has {expression}");
        }
    }

    /// True if there was one.
    fn forget_changes_of_the_network(&self) -> bool {
        let mut trouble = self.trouble.lock().unwrap();
        let before = trouble.len();
        trouble.retain(|entry| !entry.contains(NETWORK_CHANGED));
        trouble.len() < before
    }

    /// What an expression is in the page.
    pub(crate) async fn value<T: DeserializeOwned>(&self, expression: &str) -> T {
        let result = self.page.evaluate_expression(expression).await;
        let result = result.unwrap_or_else(|error| panic!("{expression}: {error}"));
        result.into_value().unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits until an expression is true. A page that is just being left answers nothing.
    pub(crate) async fn until(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.forget_changes_of_the_network() {
                // A part of it may be missing; a reload that is dropped, too, is noted as well.
                let _ = self.page.reload().await;
            }
            let result = self.page.evaluate_expression(expression).await;
            if result.is_ok_and(|result| result.into_value().unwrap_or(false)) {
                return;
            }
            assert!(Instant::now() < deadline, "waited in vain for {expression}: {:?}", self.trouble.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until something was logged, thrown or refused: the page itself may know of it sooner.
    pub(crate) async fn until_trouble(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.trouble.lock().unwrap().is_empty() {
            assert!(Instant::now() < deadline, "waited in vain for trouble");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The size and the colours of the reader's screen.
    pub(crate) async fn look(&self, (width, height): (i64, i64), scheme: &str) {
        let is_phone = width < 600;
        let metrics = SetDeviceMetricsOverrideParams::new(width, height, if is_phone { 2.0 } else { 1.0 }, is_phone);
        self.page.execute(metrics).await.unwrap();
        let features = vec![MediaFeature::new("prefers-color-scheme", scheme)];
        self.page.emulate_media_features(features).await.unwrap();
    }

    /// Writes a picture of the whole page to `target/screenshots`.
    pub(crate) async fn picture(&self, name: &str) {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        std::fs::create_dir_all(&directory).unwrap();
        let params = ScreenshotParams::builder().format(CaptureScreenshotFormat::Png).full_page(true).build();
        let picture = self.page.screenshot(params).await.unwrap();
        std::fs::write(directory.join(name), picture).unwrap();
    }

    /// Ends the browser, and the test, if anything was logged, thrown, refused or asked for elsewhere.
    pub(crate) async fn close_without_trouble(mut self, origin: &str) {
        let foreign = |url: &&String| !url.starts_with(origin) && *url != "about:blank" && !url.starts_with("data:");
        let foreign: Vec<_> = self.requests.lock().unwrap().iter().filter(foreign).cloned().collect();
        self.forget_changes_of_the_network();
        let trouble = self.trouble.lock().unwrap().clone();
        assert!(!self.requests.lock().unwrap().is_empty(), "requests are seen");
        self.process.close().await.unwrap();
        self.process.wait().await.unwrap();
        assert!(trouble.is_empty(), "{trouble:#?}");
        assert!(foreign.is_empty(), "{foreign:?}");
    }
}

async fn listen<E: IntoEventKind + Unpin + Send + Sync>(
    page: &Page,
    sink: &Arc<Mutex<Vec<String>>>,
    tell: fn(&E) -> String,
) {
    let mut events = page.event_listener::<E>().await.unwrap();
    let sink = Arc::clone(sink);
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            sink.lock().unwrap().push(tell(&event));
        }
    });
}
