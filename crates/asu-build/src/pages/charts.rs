//! `GET /stats`: the statistics as tables, from which the browser draws charts.

use askama::Template;
use asu_core::Branch;
use asu_queue::{ClientLabel, PackageCount, Queue, Statistics};
use asu_service::ApiError;
use asu_upstream::Catalogs;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};

use super::{
    frame::{Frame, Pages},
    page,
    soon::soon,
};
use crate::{charts::Chart, query::Query};

/// How many packages are shown.
const PACKAGES: usize = 30;

#[derive(Template)]
#[template(path = "stats.html")]
struct Charts {
    frame: Frame,
    /// False if nobody counts.
    is_counting: bool,
    /// Every branch that can be chosen, newest first.
    branches: Vec<String>,
    /// The chosen one; empty for all of them.
    branch: String,
    /// What is wrong with the choice.
    trouble: Option<String>,
    days: Option<Table>,
    weeks: Option<Table>,
    weeks_title: String,
    packages: Option<Vec<PackageCount>>,
    clients: Option<Vec<(&'static str, u64)>>,
}

/// A chart in rows.
struct Table {
    /// Each line's name, and the name of its colour in the style.
    heads: Vec<(String, &'static str)>,
    rows: Vec<(String, Vec<u64>)>,
}

pub(super) async fn get_charts(
    State(pages): State<Pages>,
    State(queue): State<Queue>,
    State(catalogs): State<Catalogs>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let (branch, trouble) = match Query::parse(query.as_deref()).branch(catalogs.openwrt()) {
        Ok(branch) => (branch, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let statistics = queue.statistics();
    let mut charts = Charts {
        frame: pages.frame(),
        is_counting: statistics.is_some(),
        branches: catalogs.openwrt().branches().iter().rev().map(|branch| branch.name.to_string()).collect(),
        branch: branch.as_ref().map(Branch::to_string).unwrap_or_default(),
        trouble,
        days: None,
        weeks: None,
        weeks_title: match &branch {
            Some(branch) => format!("Builds of the last 26 weeks by version of {branch}"),
            None => "Builds of the last 26 weeks by branch".to_owned(),
        },
        packages: None,
        clients: None,
    };
    if let Some(statistics) = statistics {
        charts.fill(&statistics, branch.as_ref()).await;
    }
    page(&charts)
}

impl Charts {
    async fn fill(&mut self, statistics: &Statistics, branch: Option<&Branch>) {
        let (days, weeks, packages, clients) = tokio::join!(
            soon(statistics.days()),
            soon(statistics.weeks()),
            soon(statistics.top_packages(branch)),
            soon(statistics.clients()),
        );
        self.days = days.map(|days| Table::new(Chart::of_days(&days)));
        self.weeks = weeks.map(|weeks| Table::new(Chart::of_weeks(weeks, branch)));
        self.packages = packages.map(|packages| packages.into_iter().take(PACKAGES).collect());
        self.clients = clients.map(|clients| {
            let used = clients.into_iter().filter(|(_, count)| *count > 0);
            used.map(|(client, count)| (in_words(client), count)).collect()
        });
    }

    fn is_away(&self) -> bool {
        let Self { days, weeks, packages, clients, .. } = self;
        self.is_counting && (days.is_none() || weeks.is_none() || packages.is_none() || clients.is_none())
    }
}

impl Table {
    fn new(chart: Chart) -> Self {
        let Chart { labels, datasets } = chart;
        let rows = labels.iter().enumerate().map(|(index, label)| {
            let date = label.trim_end_matches('Z').to_owned();
            (date, datasets.iter().filter_map(|line| line.data.get(index).copied()).collect())
        });
        Self {
            rows: rows.collect(),
            heads: datasets.iter().map(|line| (line.label.clone(), style_color(line.color))).collect(),
        }
    }

    /// True if there is nothing to draw.
    fn is_empty(&self) -> bool {
        self.rows.iter().all(|(_, counts)| counts.iter().all(|count| *count == 0))
    }
}

/// The colours of the wire are plain words; those of the pages are made for both light and dark.
fn style_color(color: Option<&str>) -> &'static str {
    match color {
        Some("green") => "--good",
        Some("orange") => "--hit",
        Some("red") => "--bad",
        Some(_) | None => "",
    }
}

fn in_words(client: ClientLabel) -> &'static str {
    match client {
        ClientLabel::Owut => "owut",
        ClientLabel::Luci => "LuCI",
        ClientLabel::Auc => "auc",
        ClientLabel::Ofs => "Firmware Selector",
        ClientLabel::Asu => "asu",
        ClientLabel::Other => "another",
        ClientLabel::None => "does not say",
    }
}
