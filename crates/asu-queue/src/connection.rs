//! The connection to Redis: made when it is needed, made again when it broke, and never waited for without limit.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use asu_config::Secret;
use redis::{
    Client, FromRedisValue, IntoConnectionInfo, ProtocolVersion, RedisError, RedisResult, Script,
    aio::{ConnectionManager, ConnectionManagerConfig, PubSub},
    io::tcp::TcpSettings,
};
use tokio::time::{Instant, timeout};

use crate::{
    QueueError,
    error::{NoAnswer, is_absence},
};

/// Between two tries to connect, at most.
const RECONNECT: Duration = Duration::from_millis(500);

/// Between two tries of one command.
const RETRY: Duration = Duration::from_millis(20);

/// One multiplexed connection, shared by its clones.
#[derive(Clone)]
pub(crate) struct Connection {
    client: Client,
    manager: ConnectionManager,
    limit: Duration,
    /// Since when Redis is away.
    away: Arc<Mutex<Option<Instant>>>,
}

impl Connection {
    /// Does not connect yet.
    pub(crate) fn lazy(url: &Secret, limit: Duration) -> Result<Self, QueueError> {
        let client = open(url, limit).map_err(QueueError::Url)?;
        // It never stops trying, so that a process may start before its Redis does and outlast any absence.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(usize::MAX)
            .set_min_delay(Duration::from_millis(50))
            .set_max_delay(RECONNECT)
            .set_connection_timeout(Some(limit))
            .set_response_timeout(Some(limit));
        let manager = ConnectionManager::new_lazy_with_config(client.clone(), config).map_err(QueueError::Url)?;
        Ok(Self { client, manager, limit, away: Arc::default() })
    }

    /// Runs a script; `action` is what it does, for errors.
    pub(crate) async fn script<T: FromRedisValue>(
        &self,
        action: &'static str,
        script: &'static Script,
        keys: &[String],
        args: &[&str],
    ) -> Result<T, QueueError> {
        let mut invocation = script.prepare_invoke();
        invocation.key(keys).arg(args);
        let invocation = &invocation;
        self.answer(action, move |mut manager| async move { invocation.invoke_async(&mut manager).await }).await
    }

    /// Runs a plain command that reads.
    pub(crate) async fn command<T: FromRedisValue>(
        &self,
        action: &'static str,
        command: &redis::Cmd,
    ) -> Result<T, QueueError> {
        self.answer(action, move |mut manager| async move { command.query_async(&mut manager).await }).await
    }

    /// Asks for a sign of life. While the shared connection is being made nobody learns what is in the way (a wrong
    /// password, say), so on failure one connection is made just to find out.
    pub(crate) async fn ping(&self) -> Result<(), QueueError> {
        let action = "reach Redis";
        let asked = self.command::<String>(action, &redis::cmd("PING")).await;
        let Err(QueueError::Unavailable { .. }) = asked else { return asked.map(drop) };
        match timeout(self.limit, self.client.get_multiplexed_async_connection()).await {
            Ok(Err(source)) => Err(QueueError::Unavailable { action, source: NoAnswer::Broken(source) }),
            Ok(Ok(_)) | Err(_) => asked.map(drop),
        }
    }

    /// A connection of its own that listens on one channel.
    pub(crate) async fn subscribe(&self, channel: &str) -> Result<PubSub, QueueError> {
        let action = "listen for new builds";
        let subscribed = timeout(self.limit, async {
            let mut connection = self.client.get_async_pubsub().await?;
            connection.subscribe(channel).await?;
            Ok(connection)
        });
        match subscribed.await {
            Ok(result) => result.map_err(|error| QueueError::from_redis(action, error)),
            Err(_) => Err(too_slow(action, self.limit, None)),
        }
    }

    /// The longest that a command may take.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Asks until there is an answer or the time is over. Whatever we ask may be asked twice, so a connection that
    /// breaks before the answer came is no error yet.
    async fn answer<T, F>(&self, action: &'static str, ask: impl Fn(ConnectionManager) -> F) -> Result<T, QueueError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let begun = Instant::now();
        let limit = self.patience();
        let mut trouble: Option<RedisError> = None;
        let asked = timeout(limit, async {
            loop {
                match ask(self.manager.clone()).await {
                    Err(error) if is_absence(&error) => trouble = Some(error),
                    answer => break answer,
                }
                tokio::time::sleep(RETRY).await;
            }
        });
        let result = match asked.await {
            Ok(answer) => answer.map_err(|error| QueueError::from_redis(action, error)),
            Err(_) => Err(too_slow(action, limit, trouble)),
        };
        self.remember(matches!(&result, Err(QueueError::Unavailable { .. })).then_some(begun));
        result
    }

    /// A short absence, a restart say, is waited out. Once Redis is away for longer, callers are told so at once.
    fn patience(&self) -> Duration {
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        match *away {
            Some(since) if since.elapsed() > self.limit => self.limit / 10,
            Some(_) | None => self.limit,
        }
    }

    fn remember(&self, failed_since: Option<Instant>) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        *away = failed_since.map(|since| away.unwrap_or(since));
    }
}

fn too_slow(action: &'static str, limit: Duration, source: Option<RedisError>) -> QueueError {
    QueueError::Unavailable { action, source: NoAnswer::TooSlow { limit, source } }
}

fn open(url: &Secret, limit: Duration) -> RedisResult<Client> {
    let info = url.expose().into_connection_info()?;
    // With RESP3 a broken connection is noticed without a command.
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    // A host that vanished without a word: the kernel would go on for a quarter of an hour.
    let tcp = TcpSettings::default().set_nodelay(true).set_user_timeout(limit * 2);
    Client::open(info.set_redis_settings(redis).set_tcp_settings(tcp))
}
