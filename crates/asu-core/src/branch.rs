//! A branch such as `24.10`, or `SNAPSHOT` for the head of development.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A line of versions: `24.10` has 24.10.0-rc1, 24.10.4 and 24.10-SNAPSHOT. Ordered by age, `SNAPSHOT` newest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, example = "24.10")]
#[serde(transparent)]
pub struct Branch(String);

impl Branch {
    /// Takes any text; whether such a branch exists is the catalog's to say.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// `24.10` or `SNAPSHOT`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Numbers compare as numbers; a name without numbers (`SNAPSHOT`) is newer than every number.
    fn age(&self) -> (bool, Vec<u32>, &str) {
        let numbers: Option<Vec<u32>> = self.0.split('.').map(|part| part.parse().ok()).collect();
        match numbers {
            Some(numbers) => (false, numbers, ""),
            None => (true, Vec::new(), &self.0),
        }
    }
}

impl Ord for Branch {
    fn cmp(&self, other: &Self) -> Ordering {
        // `24.10` and `24.010` are of the same age and not the same branch.
        self.age().cmp(&other.age()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Branch {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_branch_itself_is_equal_to_it() {
        assert_ne!(Branch::new("24.10").cmp(&Branch::new("24.010")), Ordering::Equal);
    }

    #[test]
    fn branches_are_ordered_by_age() {
        let mut branches = ["SNAPSHOT", "24.10", "9.07", "25.12", "23.05"].map(Branch::new);
        branches.sort();
        assert_eq!(branches, ["9.07", "23.05", "24.10", "25.12", "SNAPSHOT"].map(Branch::new));
    }
}
