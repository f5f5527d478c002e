//! A script's answer, read front to back.

use std::{time::Duration, vec};

use asu_core::RequestHash;

use crate::{QueueError, UnixMillis};

/// The flat list of texts that scripts answer with.
pub(crate) struct Reply {
    action: &'static str,
    values: vec::IntoIter<String>,
}

impl Reply {
    pub(crate) fn new(action: &'static str, values: Vec<String>) -> Self {
        Self { action, values: values.into_iter() }
    }

    pub(crate) fn unexpected<T>(&self) -> Result<T, QueueError> {
        Err(QueueError::Unexpected { action: self.action })
    }

    /// The next value, if there is one.
    pub(crate) fn next(&mut self) -> Option<String> {
        self.values.next()
    }

    pub(crate) fn text(&mut self) -> Result<String, QueueError> {
        self.next().map_or_else(|| self.unexpected(), Ok)
    }

    pub(crate) fn number<N: std::str::FromStr>(&mut self) -> Result<N, QueueError> {
        self.text()?.parse().or_else(|_| self.unexpected())
    }

    pub(crate) fn time(&mut self) -> Result<UnixMillis, QueueError> {
        self.number().map(UnixMillis::new)
    }

    /// A length of time in milliseconds; -1 stands for none.
    pub(crate) fn duration(&mut self) -> Result<Option<Duration>, QueueError> {
        self.number::<i64>().map(|millis| u64::try_from(millis).ok().map(Duration::from_millis))
    }

    pub(crate) fn hash(&mut self) -> Result<RequestHash, QueueError> {
        RequestHash::parse(&self.text()?).or_else(|_| self.unexpected())
    }
}
