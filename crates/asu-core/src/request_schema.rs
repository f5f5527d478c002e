//! What a build request may look like, for OpenAPI documents: every form that the parser takes, with its limits.

use serde_json::{Value, json};

use crate::{Filesystem, RequestLimits};

/// The texts that mean yes or no; any case will do.
const FLAG_WORDS: [&str; 12] = ["true", "t", "yes", "y", "on", "1", "false", "f", "no", "n", "off", "0"];

impl RequestLimits {
    /// The JSON schema of the body of a request under these limits. Unknown fields are ignored.
    pub fn schema(&self) -> Value {
        json!({
            "type": "object",
            "description": "What to build. Unknown fields are ignored.",
            "required": ["version", "target", "profile"],
            "properties": {
                "distro": self.name("[A-Za-z0-9_.,-]*", "The distribution.", json!({"default": "openwrt"})),
                "version": self.name("[A-Za-z0-9_.,-]*", "The version to build.", json!({"examples": ["24.10.4"]})),
                "version_code": self.name("[A-Za-z0-9_.,-]*",
                    "The revision that the ImageBuilder must have; empty for any.", json!({"default": ""})),
                "target": self.name("[A-Za-z0-9_]*/[A-Za-z0-9_]*", "Both halves of the target.",
                    json!({"examples": ["ath79/generic"]})),
                "profile": self.name("[A-Za-z0-9_.,-]*",
                    "The profile, or an alias of it; commas become underscores.", json!({"examples": ["8dev_carambola2"]})),
                "packages": self.packages(),
                "packages_versions": self.packages_versions(),
                "diff_packages": flag(),
                "defaults": {
                    "type": ["string", "null"],
                    "description": "The first-boot script; empty means none. In bytes, not in characters, it is no longer than this.",
                    "maxLength": self.defaults_length,
                },
                "rootfs_size_mb": self.rootfs_size_mb(),
                "filesystem": {
                    "description": "The only filesystem to make images of.",
                    "enum": Filesystem::ALL.map(|filesystem| json!(filesystem)).into_iter().chain([Value::Null]).collect::<Vec<_>>(),
                },
                "repositories": self.repositories(),
                "repositories_mode": {
                    "type": "string",
                    "description": "How the custom repositories go together with the ImageBuilder's own.",
                    "enum": ["append", "replace"],
                    "default": "replace",
                },
                "repository_keys": self.repository_keys(),
                "client": {
                    "type": ["string", "null"],
                    "description": "What the client is called; for statistics. The first 256 characters are kept.",
                    "examples": ["owut/2025.01.01"],
                },
                "from_version": {
                    "type": ["string", "null"],
                    "description": "The version that the device runs now.",
                    "pattern": "^[A-Za-z0-9_.,-]*$",
                    "maxLength": self.name_length,
                },
            },
            "example": {
                "version": "24.10.4",
                "target": "ath79/generic",
                "profile": "8dev_carambola2",
                "packages": ["luci", "-ppp"],
            },
        })
    }

    fn name(&self, pattern: &str, description: &str, more: Value) -> Value {
        let mut schema = json!({
            "type": "string",
            "description": description,
            "pattern": format!("^{pattern}$"),
            "maxLength": self.name_length,
        });
        if let (Some(schema), Value::Object(more)) = (schema.as_object_mut(), more) {
            schema.extend(more);
        }
        schema
    }

    fn packages(&self) -> Value {
        json!({
            "type": "array",
            "description": "What to install, or with a leading `-` to leave out. A leading `+` means nothing; empty texts are dropped.",
            "maxItems": self.packages,
            "items": {"type": "string", "pattern": "^\\+*(-?[A-Za-z0-9_.,+-]+)?$", "maxLength": self.name_length},
            "default": [],
        })
    }

    fn packages_versions(&self) -> Value {
        json!({
            "type": "object",
            "description": "Packages with the versions that the built manifest must hold. If there are any, they are the package list.",
            "maxProperties": self.packages,
            "propertyNames": {"pattern": "^[A-Za-z0-9_.,+][A-Za-z0-9_.,+-]*$", "maxLength": self.name_length},
            "additionalProperties": {"type": "string", "pattern": "^[A-Za-z0-9_+.,~-]*$", "maxLength": self.name_length},
            "default": {},
        })
    }

    fn rootfs_size_mb(&self) -> Value {
        json!({
            "description": "The size of the root filesystem's partition in MiB. A whole number, as a number or as a text.",
            "oneOf": [
                {"type": "integer", "minimum": 1, "maximum": self.rootfs_size_mb},
                {"type": "string", "pattern": "^[0-9]+$"},
                {"type": "null"},
            ],
        })
    }

    fn repositories(&self) -> Value {
        json!({
            "type": "object",
            "description": "Custom package repositories: a name and an http(s) URL that the server's allow list has.",
            "maxProperties": self.repositories,
            "propertyNames": {"pattern": "^[A-Za-z0-9_.-]+$", "maxLength": self.name_length},
            "additionalProperties": {"type": "string", "pattern": "^https?://[!-~]+$"},
            "default": {},
        })
    }

    fn repository_keys(&self) -> Value {
        json!({
            "type": "array",
            "description": "Public keys of the repositories: usign (base64 of 42 bytes) or PEM.",
            "maxItems": self.repository_keys,
            "items": {"type": "string", "maxLength": self.repository_key_size},
            "default": [],
        })
    }
}

fn flag() -> Value {
    json!({
        "description": "Whether the package list is absolute: default packages outside it are left out.",
        "oneOf": [
            {"type": "boolean"},
            {"type": "integer", "enum": [0, 1]},
            {"type": "string", "enum": FLAG_WORDS, "description": "In any case."},
        ],
        "default": false,
    })
}
