//! The distributions that are served, each with a catalog of its own.

use std::{collections::BTreeMap, sync::Arc};

use asu_core::Distro;
use futures::future::join_all;

use crate::{
    branches::BranchTable,
    catalog::Catalog,
    config::{Config, DistroSettings},
    error::{CatalogError, InvalidUpstream},
};

/// The catalogs of OpenWrt, which is always there, and of the distributions that the settings add. Clones share everything.
#[derive(Clone)]
pub struct Catalogs {
    openwrt: Catalog,
    others: Arc<BTreeMap<Distro, Catalog>>,
}

impl Catalogs {
    /// Catalogs that have not read anything yet; they read when they are asked.
    ///
    /// # Errors
    /// URLs, names or limits that cannot work, or a machine on which TLS cannot be set up.
    pub fn new(config: &Config) -> Result<Self, InvalidUpstream> {
        let others = config.distros.iter().map(|(name, distro)| Ok((parse_name(name)?, other(config, distro)?)));
        Ok(Self { openwrt: Catalog::new(config)?, others: Arc::new(others.collect::<Result<_, _>>()?) })
    }

    /// The built-in distribution.
    pub fn openwrt(&self) -> &Catalog {
        &self.openwrt
    }

    /// The catalog of a distribution.
    ///
    /// # Errors
    /// A distribution that is not served.
    pub fn of(&self, distro: &Distro) -> Result<&Catalog, CatalogError> {
        match self.others.get(distro) {
            Some(catalog) => Ok(catalog),
            None if *distro == Distro::openwrt() => Ok(&self.openwrt),
            None => Err(CatalogError::UnsupportedDistro(distro.clone())),
        }
    }

    /// All of them, OpenWrt first, the others by name.
    pub fn iter(&self) -> impl Iterator<Item = (Distro, &Catalog)> {
        let others = self.others.iter().map(|(distro, catalog)| (distro.clone(), catalog));
        [(Distro::openwrt(), &self.openwrt)].into_iter().chain(others)
    }

    /// Keeps all of them fresh until it is dropped.
    pub async fn keep_fresh(&self) {
        join_all(self.iter().map(|(_, catalog)| catalog.keep_fresh())).await;
    }
}

/// Limits and times are those of the built-in distribution, and so are the branches unless it has its own.
fn other(config: &Config, distro: &DistroSettings) -> Result<Catalog, InvalidUpstream> {
    let DistroSettings { upstream_url, upstream_mirror_url, branches } = distro.clone();
    let config = Config { upstream_url, upstream_mirror_url, ..config.clone() };
    let branches = branches.as_ref().map_or_else(|| BranchTable::new(&BTreeMap::new()), BranchTable::only);
    Catalog::with_branches(&config, branches)
}

fn parse_name(name: &str) -> Result<Distro, InvalidUpstream> {
    let invalid = |reason| InvalidUpstream::Distro { name: name.to_owned(), reason };
    match Distro::parse(name) {
        Ok(distro) if distro == Distro::openwrt() => {
            Err(invalid("openwrt is built in, set upstream_url and branches at the top of the file instead"))
        }
        Ok(distro) if !name.is_empty() => Ok(distro),
        Ok(_) | Err(_) => Err(invalid("the name of a distribution has letters, digits and _ . , - only")),
    }
}
