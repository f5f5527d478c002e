//! One thing that the rules changed in a package list, told to the client that asked for the packages.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::PackageName;

/// A change of the package list, with its reason. Serialises to an entry of `changes` on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackageChange {
    /// What kind of change this is.
    #[serde(flatten)]
    pub kind: ChangeKind,
    /// Why, in words for people.
    pub reason: String,
    /// True if the server made the change by itself; it may be declined by asking for a build without rules.
    pub automatic: bool,
}

/// What was done to the package list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ChangeKind {
    /// A package was replaced by the one that took over from it.
    Migration {
        /// Always `replace`.
        action: Replace,
        /// The package that was asked for.
        from_package: PackageName,
        /// The package that is installed instead.
        to_package: PackageName,
    },
    /// A package was added that the device needs.
    Addition {
        /// Always `add`.
        action: Add,
        /// The package that was added.
        package: PackageName,
    },
    /// A package was dropped that no longer exists or is not needed.
    Removal {
        /// Always `remove`.
        action: Remove,
        /// The package that was dropped.
        package: PackageName,
    },
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub enum $name {
            /// The only value.
            #[default]
            #[serde(rename = $word)]
            Only,
        }
    )*};
}

actions! {
    /// The action of a migration.
    Replace = "replace"
    /// The action of an addition.
    Add = "add"
    /// The action of a removal.
    Remove = "remove"
}

impl PackageChange {
    pub(crate) fn migration(from_package: &PackageName, to_package: &PackageName, reason: &str) -> Self {
        let (from_package, to_package) = (from_package.clone(), to_package.clone());
        Self::automatic(ChangeKind::Migration { action: Replace::Only, from_package, to_package }, reason)
    }

    pub(crate) fn addition(package: &PackageName, reason: &str) -> Self {
        Self::automatic(ChangeKind::Addition { action: Add::Only, package: package.clone() }, reason)
    }

    pub(crate) fn removal(package: &PackageName, reason: &str) -> Self {
        Self::automatic(ChangeKind::Removal { action: Remove::Only, package: package.clone() }, reason)
    }

    fn automatic(kind: ChangeKind, reason: &str) -> Self {
        Self { kind, reason: reason.to_owned(), automatic: true }
    }
}
