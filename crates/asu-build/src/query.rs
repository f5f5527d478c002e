//! What clients put behind the question mark.

/// True if the query says a clear yes to `name`. Clients put anything else there too.
pub(crate) fn says_yes(query: Option<&str>, name: &str) -> bool {
    let is_yes = |value: &str| matches!(&*value.to_ascii_lowercase(), "true" | "t" | "yes" | "y" | "on" | "1");
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).any(|(key, value)| key == name && is_yes(&value))
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
            assert_eq!(says_yes(query, "follow"), expected, "{query:?}");
        }
    }
}
