//! Applies the package rules to a request and records every change.

use crate::{
    BuildRequest, PackageName, PackageSelector,
    package_change::PackageChange,
    package_rules::{PackageRules, Rule},
    parse_request::without_duplicates,
};

/// A request whose packages are those that will be built, and what was changed to get there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The request with its resolved packages.
    pub request: BuildRequest,
    /// Every change, in the order in which they were made.
    pub changes: Vec<PackageChange>,
}

impl PackageRules {
    /// Applies every matching rule. Resolving a resolved request changes nothing.
    ///
    /// `-package` entries are decisions of the user: no rule touches them, and none adds a package against them.
    pub fn resolve(&self, mut request: BuildRequest) -> Resolution {
        let mut changes = Vec::new();
        for rule in &self.rules {
            if rule.applies_to(&request.version, &request.target, &request.profile) {
                apply(rule, &mut request.packages, &mut changes);
            }
        }
        self.rename(&mut request, &mut changes);
        self.drop(&mut request, &mut changes);
        request.packages = without_duplicates(request.packages);
        // A pin of a package that is no longer asked for could never be met.
        let packages = &request.packages;
        request.packages_versions.retain(|name, _| asks_for(packages, name));
        Resolution { request, changes }
    }

    fn rename(&self, request: &mut BuildRequest, changes: &mut Vec<PackageChange>) {
        for rename in self.renames.iter().filter(|rename| rename.applies_to(&request.version)) {
            for package in request.packages.iter_mut().filter(|package| !package.remove) {
                if let Some(name) = rename.new_name(&package.name) {
                    changes.push(PackageChange::migration(&package.name, &name, &rename.reason));
                    package.name = name;
                }
            }
        }
    }

    fn drop(&self, request: &mut BuildRequest, changes: &mut Vec<PackageChange>) {
        for drop in &self.drops {
            request.packages.retain(|package| {
                let dropped = !package.remove && drop.concerns(&package.name);
                if dropped {
                    changes.push(PackageChange::removal(&package.name, &drop.reason));
                }
                !dropped
            });
        }
    }
}

fn apply(rule: &Rule, packages: &mut Vec<PackageSelector>, changes: &mut Vec<PackageChange>) {
    for name in &rule.remove {
        if take(packages, name) {
            changes.push(PackageChange::removal(name, &rule.reason));
        }
    }
    for (from, to) in &rule.replace {
        if !take(packages, from) {
            continue;
        }
        if packages.iter().any(|package| package.remove && package.name == *to) {
            changes.push(PackageChange::removal(from, &rule.reason));
            continue;
        }
        changes.push(PackageChange::migration(from, to, &rule.reason));
        if !asks_for(packages, to) {
            packages.push(PackageSelector::install(to.clone()));
        }
    }
    for name in &rule.add {
        if !packages.iter().any(|package| package.name == *name) {
            changes.push(PackageChange::addition(name, &rule.reason));
            packages.push(PackageSelector::install(name.clone()));
        }
    }
}

fn asks_for(packages: &[PackageSelector], name: &PackageName) -> bool {
    packages.iter().any(|package| !package.remove && package.name == *name)
}

/// True if the package was asked for; it no longer is.
fn take(packages: &mut Vec<PackageSelector>, name: &PackageName) -> bool {
    let before = packages.len();
    packages.retain(|package| package.remove || package.name != *name);
    packages.len() < before
}
