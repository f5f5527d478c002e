//! What stands behind the `?` of an address. Clients put anything there, so that only the keys that are known are read.

use asu_core::Branch;
use asu_upstream::Catalog;

use crate::error::BuildError;

/// The keys and values of a query.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: Option<&str>) -> Self {
        Self(url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// A number from 1 to `most`, `default` if the key is not there.
    pub(crate) fn number(&self, key: &'static str, default: usize, most: usize) -> Result<usize, BuildError> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value.parse().ok().filter(|number| (1..=most).contains(number)).ok_or_else(|| BuildError::Query {
            key,
            expected: format!("a number from 1 to {most}"),
            value: value.to_owned(),
        })
    }

    /// A branch that this server knows; `None` for all of them.
    pub(crate) fn branch(&self, catalog: &Catalog) -> Result<Option<Branch>, BuildError> {
        let Some(value) = self.get("branch").filter(|value| !value.is_empty()) else { return Ok(None) };
        let names: Vec<_> = catalog.branches().iter().rev().map(|branch| branch.name.as_str()).collect();
        if names.contains(&value) {
            return Ok(Some(Branch::new(value)));
        }
        let expected = format!("one of {}", names.join(", "));
        Err(BuildError::Query { key: "branch", expected, value: value.to_owned() })
    }

    /// True if a key says a clear yes.
    pub(crate) fn says_yes(&self, key: &str) -> bool {
        let word = self.get(key).unwrap_or_default().to_ascii_lowercase();
        matches!(&*word, "true" | "t" | "yes" | "y" | "on" | "1")
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        for (query, expected) in [
            (None, false),
            (Some("1732373738123"), false),
            (Some("follow=1"), true),
            (Some("a=b&follow=True&1732373738123"), true),
            (Some("follow=0"), false),
            (Some("follow"), false),
            (Some("unfollow=1"), false),
        ] {
            assert_eq!(Query::parse(query).says_yes("follow"), expected, "{query:?}");
        }
    }

    fn check(query: Option<&str>, expected: Result<usize, &str>) {
        let found = Query::parse(query).number("n", 30, 100).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{query:?}");
    }

    #[test]
    fn a_number_has_its_bounds_and_other_keys_do_not_matter() {
        check(None, Ok(30));
        check(Some("1732373738123"), Ok(30));
        check(Some("a=b&n=100&1732373738123"), Ok(100));
        check(Some("n=1"), Ok(1));
        check(Some("n=0"), Err("n: expected a number from 1 to 100, not \"0\""));
        check(Some("n=101"), Err("n: expected a number from 1 to 100, not \"101\""));
        check(Some("n="), Err("n: expected a number from 1 to 100, not \"\""));
        check(Some("n=-1"), Err("n: expected a number from 1 to 100, not \"-1\""));
        check(Some("n=%3Cscript%3E"), Err("n: expected a number from 1 to 100, not \"<script>\""));
    }
}
