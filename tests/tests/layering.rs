//! The boundaries between the crates: who may not see what, checked over what Cargo resolves.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeSet, HashMap};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// A crate, and what must not be among the crates that it links, near or far.
const FORBIDDEN: [(&str, &[&str]); 12] = [
    ("asu-config", &["asu-core", "axum", "redis", "podman-api", "reqwest", "tokio"]),
    ("asu-core", &["axum", "hyper", "podman-api", "redis", "reqwest", "rustix", "tokio", "tracing"]),
    ("asu-upstream", &["apalis", "asu-queue", "asu-service", "asu-store", "axum", "podman-api", "redis"]),
    ("asu-queue", &["asu-service", "asu-upstream", "axum", "podman-api", "reqwest"]),
    ("asu-sandbox", &["apalis", "asu-core", "asu-service", "axum", "redis", "reqwest"]),
    ("asu-retention", &["asu-sandbox", "asu-service", "asu-upstream", "axum", "podman-api"]),
    ("asu-store", &["apalis", "asu-core", "asu-service", "axum", "podman-api", "redis"]),
    ("asu-service", &["apalis", "asu-core", "podman-api", "redis", "reqwest"]),
    ("asu-intake", &["apalis", "asu-queue", "asu-store", "podman-api", "redis"]),
    ("asu-prepare", &["apalis", "asu-queue", "asu-sandbox", "asu-store", "podman-api", "redis"]),
    ("asu-build", &["asu-prepare", "asu-sandbox", "asu-worker", "podman-api"]),
    ("asu-worker", &["asu-build", "asu-intake", "asu-prepare"]),
];

/// Outside systems, and the only crates of ours that name them.
const OWNERS: [(&str, &[&str]); 6] = [
    ("redis", &["asu-queue"]),
    ("apalis", &["asu-worker"]),
    ("apalis-core", &["asu-queue"]),
    ("object_store", &["asu-store"]),
    ("podman-api", &["asu-sandbox"]),
    ("reqwest", &["asu", "asu-upstream"]),
];

struct Links {
    names: HashMap<PackageId, String>,
    direct: HashMap<PackageId, Vec<PackageId>>,
}

impl Links {
    fn read() -> (Metadata, Self) {
        let metadata = MetadataCommand::new().exec().expect("cargo metadata runs in the workspace");
        let names = metadata.packages.iter().map(|package| (package.id.clone(), package.name.to_string())).collect();
        let nodes = &metadata.resolve.as_ref().unwrap().nodes;
        let direct = nodes
            .iter()
            .map(|node| {
                let normal =
                    node.deps.iter().filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal));
                (node.id.clone(), normal.map(|dep| dep.pkg.clone()).collect())
            })
            .collect();
        (metadata, Self { names, direct })
    }

    fn named(&self, name: &str) -> PackageId {
        let mut ids = self.names.iter().filter(|(_, found)| *found == name).map(|(id, _)| id.clone());
        ids.next().unwrap_or_else(|| panic!("no crate {name} is in the tree: mend the table"))
    }

    fn linked_by(&self, name: &str) -> BTreeSet<&str> {
        let mut waiting = vec![self.named(name)];
        let mut seen = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            for dependency in &self.direct[&id] {
                if seen.insert(self.names[dependency].as_str()) {
                    waiting.push(dependency.clone());
                }
            }
        }
        seen
    }
}

#[test]
fn no_crate_sees_what_it_must_not() {
    let (_, links) = Links::read();
    for (name, forbidden) in FORBIDDEN {
        let linked = links.linked_by(name);
        for other in forbidden {
            links.named(other);
            assert!(!linked.contains(other), "{name} links {other}");
        }
    }
}

#[test]
fn every_outside_system_has_its_owners() {
    let (metadata, links) = Links::read();
    for (system, owners) in OWNERS {
        let id = links.named(system);
        let users: BTreeSet<_> = metadata
            .workspace_packages()
            .into_iter()
            .filter(|package| links.direct[&package.id].contains(&id))
            .map(|package| package.name.to_string())
            .filter(|name| !["asu-test-support", "asu-tests"].contains(&&**name))
            .collect();
        assert_eq!(users, owners.iter().map(|name| (*name).to_owned()).collect(), "the users of {system}");
    }
}

#[test]
fn nothing_that_ships_links_the_test_support() {
    let (metadata, links) = Links::read();
    for package in metadata.workspace_packages().into_iter().filter(|package| package.name.as_str() != "asu-tests") {
        let linked = links.linked_by(&package.name);
        assert!(!linked.contains("asu-test-support"), "{} links asu-test-support", package.name);
    }
}
