//! What both services say about build requests in their OpenAPI documents.

use asu_core::Fault;
use asu_service::ErrorBody;
use serde_json::{Value, json};
use utoipa::{PartialSchema, ToSchema};

use crate::config::Config;

/// Adds the schemas that the descriptions of endpoints name: `NewBuildRequest`, with the limits of the settings, and
/// `InvalidRequest`, the body of an answer 422.
pub fn describe_requests(document: &mut Value, config: &Config) {
    let schemas = &mut document["components"]["schemas"];
    schemas["NewBuildRequest"] = config.limits().schema();
    schemas["InvalidRequest"] = json!({
        "description": "A request that does not have its form, with everything that is wrong with it.",
        "allOf": [
            {"$ref": format!("#/components/schemas/{}", ErrorBody::name())},
            {
                "type": "object",
                "required": ["errors"],
                "properties": {"errors": {
                    "type": "array",
                    "description": "Everything that is wrong, the first of it also in `detail`.",
                    "minItems": 1,
                    "maxItems": 50,
                    "items": Fault::schema(),
                }},
            },
        ],
    });
}
