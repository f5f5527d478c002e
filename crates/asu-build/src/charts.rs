//! Statistics in the form that charts are drawn from, by the pages of this server and by those of others.

use std::collections::BTreeMap;

use asu_core::{Branch, UnixDay};
use asu_queue::{DayCounts, WeeklyBuilds};
use serde::Serialize;
use utoipa::ToSchema;

/// Lines over time.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Chart {
    /// `2021-01-31Z`, oldest first.
    pub(crate) labels: Vec<String>,
    /// The lines.
    pub(crate) datasets: Vec<Line>,
}

/// A number for each label.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Line {
    /// What it shows.
    pub(crate) label: String,
    /// A number for each of the chart's labels.
    pub(crate) data: Vec<u64>,
    /// The colour in which it is known, if it has one.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) color: Option<&'static str>,
}

impl Chart {
    /// Requests, hits and failures of days.
    pub(crate) fn of_days(days: &[DayCounts]) -> Self {
        let line = |label: &str, color, count: fn(&DayCounts) -> u64| Line {
            label: label.to_owned(),
            data: days.iter().map(count).collect(),
            color: Some(color),
        };
        Self {
            labels: labels(days.iter().map(|day| day.day)),
            datasets: vec![
                line("Requests", "green", |day| day.requests),
                line("Cache-Hits", "orange", |day| day.hits),
                line("Failures", "red", |day| day.failures),
            ],
        }
    }

    /// The builds of each branch, or of each version of one branch, newest first.
    pub(crate) fn of_weeks(builds: WeeklyBuilds, branch: Option<&Branch>) -> Self {
        let WeeklyBuilds { weeks, builds } = builds;
        let datasets = match branch {
            Some(branch) => {
                let versions = builds.into_iter().filter(|(version, _)| version.branch() == *branch).rev();
                versions.map(|(version, data)| line(version.to_string(), data)).collect()
            }
            None => {
                let mut branches: BTreeMap<Branch, Vec<u64>> = BTreeMap::new();
                for (version, data) in builds {
                    let sums = branches.entry(version.branch()).or_insert_with(|| vec![0; weeks.len()]);
                    sums.iter_mut().zip(data).for_each(|(sum, count)| *sum += count);
                }
                branches.into_iter().rev().map(|(branch, data)| line(branch.to_string(), data)).collect()
            }
        };
        Self { labels: labels(weeks), datasets }
    }
}

fn line(label: String, data: Vec<u64>) -> Line {
    Line { label, data, color: None }
}

fn labels(days: impl IntoIterator<Item = UnixDay>) -> Vec<String> {
    days.into_iter().map(|day| day.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use asu_core::Version;

    use super::*;

    #[test]
    fn builds_are_shown_by_branch_or_by_the_versions_of_one() {
        let builds = [("24.10.4", vec![1, 2]), ("24.10.10", vec![10, 20]), ("SNAPSHOT", vec![0, 5])];
        let weekly = WeeklyBuilds {
            weeks: vec![UnixDay::monday(2953), UnixDay::monday(2954)],
            builds: builds.map(|(version, counts)| (Version::parse(version).unwrap(), counts)).into(),
        };
        for (branch, expected) in [
            (None, &[("SNAPSHOT", [0, 5]), ("24.10", [11, 22])][..]),
            (Some("24.10"), &[("24.10.10", [10, 20]), ("24.10.4", [1, 2])]),
            (Some("23.05"), &[]),
        ] {
            let chart = Chart::of_weeks(weekly.clone(), branch.map(Branch::new).as_ref());
            assert_eq!(chart.labels, ["2026-08-03Z", "2026-08-10Z"]);
            let expected: Vec<_> =
                expected.iter().map(|(label, data)| line((*label).to_owned(), data.to_vec())).collect();
            assert_eq!(chart.datasets, expected, "{branch:?}");
        }
    }
}
