//! What the scripts count, for whoever asks.
//!
//! - a *request* is a request to build that was accepted, unless its build is under way: who asks for that again is
//!   mostly waiting for it, since some clients poll so;
//! - a *hit* is a request whose build had ended before;
//! - a *failure* is a build that failed by its request's fault or was given up;
//! - versions and packages are counted for builds that were done.
//!
//! Days and weeks are those of UTC on Redis's clock. `counting.lua` says where everything is, and for how long.

use std::{collections::BTreeMap, time::Duration};

use asu_core::{Branch, UnixDay, Version};

use crate::{ClientLabel, FailureNote, Queue, QueueError, queue::millis, reply::Reply, scripts};

/// How long a list of packages is shown before it is added up again.
const TOP_IS_KEPT: Duration = Duration::from_secs(10);

/// The numbers of a queue that counts.
#[derive(Debug, Clone)]
pub struct Statistics {
    queue: Queue,
}

/// What happened on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayCounts {
    /// The day.
    pub day: UnixDay,
    /// Requests that were accepted.
    pub requests: u64,
    /// Those of them whose builds were there already.
    pub hits: u64,
    /// Builds that failed.
    pub failures: u64,
}

/// The builds of some weeks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklyBuilds {
    /// The Monday of each week, oldest first.
    pub weeks: Vec<UnixDay>,
    /// The builds of each version that were done in each week.
    pub builds: BTreeMap<Version, Vec<u64>>,
}

/// A package, and how many builds have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageCount {
    /// The name of the package.
    pub name: String,
    /// How many.
    pub count: u64,
}

impl Queue {
    /// The statistics; `None` if the settings say that nothing is counted.
    pub fn statistics(&self) -> Option<Statistics> {
        self.shared.config.server_stats.then(|| Statistics { queue: self.clone() })
    }
}

impl Statistics {
    /// How many days [`Self::days`] and its like look back.
    pub const DAYS: u32 = 30;
    /// How many weeks [`Self::weeks`] looks back.
    pub const WEEKS: u32 = 26;
    /// The most packages that [`Self::top_packages`] tells of.
    pub const MAX_PACKAGES: usize = 100;
    /// The most failures that are remembered.
    pub const MAX_FAILURES: usize = 500;

    /// What happened on each of the last days, oldest first, today last.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn days(&self) -> Result<Vec<DayCounts>, QueueError> {
        let mut reply = self.ask("count by days", &scripts::DAYS, &[&Self::DAYS.to_string()]).await?;
        let today: i64 = reply.number()?;
        let first = today - i64::from(Self::DAYS) + 1;
        let mut read = |day| {
            let (requests, hits, failures) = (reply.number()?, reply.number()?, reply.number()?);
            Ok(DayCounts { day: UnixDay::new(day), requests, hits, failures })
        };
        (first..=today).map(&mut read).collect()
    }

    /// The builds that were done in each of the last weeks.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn weeks(&self) -> Result<WeeklyBuilds, QueueError> {
        let mut reply = self.ask("count by weeks", &scripts::WEEKS, &[&Self::WEEKS.to_string()]).await?;
        let this_week: i64 = reply.number()?;
        let first = this_week - i64::from(Self::WEEKS) + 1;
        let weeks: Vec<_> = (first..=this_week).map(UnixDay::monday).collect();
        let mut builds = BTreeMap::new();
        while let Some(week) = reply.next() {
            let week = week.parse::<i64>().ok().and_then(|week| usize::try_from(week - first).ok());
            let version = Version::parse(&reply.text()?).ok();
            let count: u64 = reply.number()?;
            let (Some(week), Some(version)) = (week, version) else { return reply.unexpected() };
            let counts = builds.entry(version).or_insert_with(|| vec![0; weeks.len()]);
            let Some(place) = counts.get_mut(week) else { return reply.unexpected() };
            *place = count;
        }
        Ok(WeeklyBuilds { weeks, builds })
    }

    /// The packages that most of the builds of the last days have, at most [`Self::MAX_PACKAGES`], most first.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn top_packages(&self, branch: Option<&Branch>) -> Result<Vec<PackageCount>, QueueError> {
        let branch = branch.map(Branch::as_str).unwrap_or_default();
        let args = [&Self::DAYS.to_string(), branch, &Self::MAX_PACKAGES.to_string(), &millis(TOP_IS_KEPT)];
        let mut reply = self.ask("count by packages", &scripts::TOP, &args).await?;
        let mut packages = Vec::new();
        while let Some(name) = reply.next() {
            packages.push(PackageCount { name, count: reply.number()? });
        }
        packages.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        Ok(packages)
    }

    /// How many requests of the last days came from each kind of client.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn clients(&self) -> Result<Vec<(ClientLabel, u64)>, QueueError> {
        let days = Self::DAYS.to_string();
        let labels = ClientLabel::ALL.map(ClientLabel::as_str);
        let args: Vec<_> = [days.as_str()].into_iter().chain(labels).collect();
        let mut reply = self.ask("count by clients", &scripts::CLIENTS, &args).await?;
        ClientLabel::ALL.into_iter().map(|label| Ok((label, reply.number()?))).collect()
    }

    /// How many builds were done in the last 24 hours.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn builds_in_24_hours(&self) -> Result<u64, QueueError> {
        self.ask("count the builds of a day", &scripts::RECENT, &[]).await?.number()
    }

    /// The last builds that failed, newest first, at most `most`.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn failures(&self, most: usize) -> Result<Vec<FailureNote>, QueueError> {
        let Some(last) = most.min(Self::MAX_FAILURES).checked_sub(1) else { return Ok(Vec::new()) };
        let mut command = redis::cmd("LRANGE");
        command.arg(self.queue.shared.keys.failures()).arg(0).arg(last);
        let notes: Vec<String> = self.queue.shared.connection.command("list the failures", &command).await?;
        Ok(notes.iter().filter_map(|note| FailureNote::parse(note)).collect())
    }

    async fn ask(
        &self,
        action: &'static str,
        script: &'static redis::Script,
        args: &[&str],
    ) -> Result<Reply, QueueError> {
        self.queue.ask(action, script, self.queue.shared.keys.of_all(), args).await
    }
}
