//! What is logged in one test.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing_subscriber::{fmt::MakeWriter, util::SubscriberInitExt};

use crate::bench::until;

/// Everything that is logged on the thread of a test, on which its worker runs, too.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// Listens until the guard is dropped.
    pub(crate) fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        let logs = Self::default();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(logs.clone());
        (logs, subscriber.set_default())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// Waits until something new says this.
    pub(crate) async fn until_they_say(&self, text: &str) {
        let heard = self.text().len();
        let what = format!("the log says {text:?}");
        until(&what, || async { self.text()[heard..].contains(text).then_some(()) }).await;
    }
}

impl io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Logs {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
