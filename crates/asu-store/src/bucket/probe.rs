//! Whether the bucket works, without asking it each time that somebody wants to know.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::bucket::error::BucketError;

/// One question to the bucket. That it was answered well is believed for a while, trouble never.
#[derive(Debug)]
pub(crate) struct Probe {
    interval: Duration,
    answered: Mutex<Option<Instant>>,
}

impl Probe {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, answered: Mutex::default() }
    }

    /// Asks, unless that was done lately.
    pub(crate) async fn ask(&self, question: impl Future<Output = Result<(), BucketError>>) -> Result<(), BucketError> {
        let answered = *self.lock();
        if answered.is_some_and(|at| at.elapsed() < self.interval) {
            return Ok(());
        }
        question.await?;
        *self.lock() = Some(Instant::now());
        Ok(())
    }

    /// The bucket was in trouble: the next who wants to know asks it.
    pub(crate) fn doubt(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
