//! Whether the process lives (`/health`) and whether it can do its work (`/ready`).

use std::{sync::Arc, time::Duration};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures::future::join_all;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    api_error::ApiError,
    config::Config,
    json::json,
    readiness::{Check, Condition},
    service::Service,
    shutdown::Shutdown,
};

/// The health of a process: who it is, and what it depends on.
#[derive(Clone)]
pub struct Health {
    service: Service,
    checks: Arc<[Check]>,
    check_timeout: Duration,
    shutdown: Shutdown,
}

/// The answer of `/health`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Healthy {
    /// Always `healthy`: a process that is not does not answer.
    #[schema(value_type = String, example = "healthy")]
    status: &'static str,
    /// Which process this is.
    #[schema(value_type = String, example = "asu-build")]
    service: &'static str,
    /// Its version.
    #[schema(value_type = String, example = "0.1.0")]
    version: &'static str,
}

/// The answer of `/ready` when all is well enough.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    /// Always `ready`; a process that is not answers 503 with the same `dependencies`.
    #[schema(value_type = String, example = "ready")]
    status: &'static str,
    /// What the process depends on, each `{"status": "ok" | "degraded" | "failing", "detail": …}`.
    #[schema(value_type = Object, example = json!({"upstream": {"status": "ok"}}))]
    dependencies: Map<String, Value>,
}

impl Health {
    /// A process that depends on nothing yet; `shutdown` makes it unready.
    pub fn new(service: &Service, config: &Config, shutdown: &Shutdown) -> Self {
        let check_timeout = config.check_timeout.get();
        Self { service: *service, checks: Arc::new([]), check_timeout, shutdown: shutdown.clone() }
    }

    /// Adds a dependency. `ask` is called at most about once a second and given up after `check_timeout`.
    #[must_use]
    pub fn with_check<F, Fut>(mut self, name: &'static str, ask: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Condition> + Send + 'static,
    {
        let check = Check::new(name, self.check_timeout, ask);
        self.checks = self.checks.iter().cloned().chain([check]).collect();
        self
    }

    /// `GET /health`: 200 as long as anybody can be asked at all.
    pub(crate) fn live(&self) -> Response {
        let Service { name, version, .. } = self.service;
        json(StatusCode::OK, &Healthy { status: "healthy", service: name, version })
    }

    /// `GET /ready`: 503 while shutting down or while a dependency is failing.
    pub(crate) async fn ready(&self) -> Response {
        let conditions = join_all(self.checks.iter().map(Check::condition)).await;
        let dependencies: Map<String, Value> =
            self.checks.iter().zip(&conditions).map(|(check, is)| (check.name.to_owned(), is.render())).collect();
        let failing: Vec<&str> =
            self.checks.iter().zip(&conditions).filter(|(_, is)| is_failing(is)).map(|(check, _)| check.name).collect();
        if self.shutdown.has_begun() {
            unready("shutting down".to_owned(), dependencies)
        } else if failing.is_empty() {
            json(StatusCode::OK, &Ready { status: "ready", dependencies })
        } else {
            unready(format!("failing: {}", failing.join(", ")), dependencies)
        }
    }
}

fn is_failing(condition: &Condition) -> bool {
    match condition {
        Condition::Ok | Condition::Note(_) | Condition::Degraded(_) => false,
        Condition::Failing(_) => true,
    }
}

fn unready(detail: String, dependencies: Map<String, Value>) -> Response {
    let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    error.with_field("dependencies", dependencies).into_response()
}
