//! Which kind of client a request came from.

/// A client by its name: what requests say about their clients is free text, and only these few names are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientLabel {
    /// The command-line client of 24.10 and later.
    Owut,
    /// The web interface of routers.
    Luci,
    /// The command-line client of older versions.
    Auc,
    /// The firmware selector, in a browser.
    Ofs,
    /// The command-line client of this project.
    Asu,
    /// Anything else that names itself.
    Other,
    /// It does not say.
    None,
}

impl ClientLabel {
    /// Every label.
    pub const ALL: [Self; 7] = [Self::Owut, Self::Luci, Self::Auc, Self::Ofs, Self::Asu, Self::Other, Self::None];

    /// What a request says about its client, `owut/2025.1` for example.
    pub fn of(client: Option<&str>) -> Self {
        let name = client.unwrap_or_default().split(['/', ' ']).next().unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "owut" => Self::Owut,
            "luci" => Self::Luci,
            "auc" => Self::Auc,
            "ofs" => Self::Ofs,
            "asu" => Self::Asu,
            "" => Self::None,
            _ => Self::Other,
        }
    }

    /// The name that it is counted under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owut => "owut",
            Self::Luci => "luci",
            Self::Auc => "auc",
            Self::Ofs => "ofs",
            Self::Asu => "asu",
            Self::Other => "other",
            Self::None => "none",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_known_by_the_word_before_its_version() {
        for (client, label) in [
            (Some("owut/2025.10.02"), "owut"),
            (Some("LuCI 24.361"), "luci"),
            (Some("auc"), "auc"),
            (Some("ofs/1.6.3"), "ofs"),
            (Some("asu/0.1.0"), "asu"),
            (Some("owut-fork"), "other"),
            (Some("<script>"), "other"),
            (Some(""), "none"),
            (None, "none"),
        ] {
            assert_eq!(ClientLabel::of(client).as_str(), label, "{client:?}");
        }
    }
}
