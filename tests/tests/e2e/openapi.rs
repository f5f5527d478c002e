//! The OpenAPI documents: committed, complete, and shown on pages.

use std::{fs, path::Path};

use asu_tests::Deployment;
use serde_json::Value;

/// A schema, or the one that it refers to.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(name) => document.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} leads nowhere")),
        None => schema,
    }
}

/// A field that can have one value only says it all by that.
fn is_described(document: &Value, schema: &Value) -> bool {
    if schema["enum"].as_array().is_some_and(|values| values.len() == 1) {
        return true;
    }
    let alternatives = schema["oneOf"].as_array().into_iter().flatten();
    [schema]
        .into_iter()
        .chain(alternatives)
        .any(|schema| schema["description"].is_string() || resolved(document, schema)["description"].is_string())
}

/// Every field of every object has a text, and every reference leads somewhere.
fn check_schema(document: &Value, place: &str, schema: &Value) {
    resolved(document, schema);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        assert!(is_described(document, field), "{place}.{name} has no description: {field}");
        check_schema(document, &format!("{place}.{name}"), field);
    }
    for parts in [&schema["allOf"], &schema["oneOf"]] {
        for part in parts.as_array().into_iter().flatten() {
            check_schema(document, place, part);
        }
    }
}

fn check_operation(document: &Value, place: &str, operation: &Value) {
    assert!(operation["summary"].is_string(), "{place} has no summary");
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        assert!(parameter["description"].is_string(), "{place}: {parameter}");
    }
    for (status, response) in operation["responses"].as_object().unwrap() {
        let content = response["content"].as_object().into_iter().flatten();
        content.for_each(|(_, body)| check_schema(document, &format!("{place} {status}"), &body["schema"]));
    }
}

fn check(document: &Value, committed: &str) {
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        check_schema(document, name, schema);
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            check_operation(document, &format!("{method} {path}"), operation);
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join(committed)).unwrap_or_default();
    if serde_json::from_str::<Value>(&text).ok().as_ref() != Some(document) {
        let found = root.join("target").join(committed);
        fs::create_dir_all(found.parent().unwrap()).unwrap();
        fs::write(&found, format!("{document:#}\n")).unwrap();
        panic!("{committed} is not what the service says: look at the changes and copy {}", found.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_committed_documents_are_what_the_services_say() {
    let deployment = Deployment::without_workers(&[("allow_defaults", "false")]).await;
    for (service, committed) in
        [(&deployment.build, "openapi/asu-build.json"), (&deployment.prepare, "openapi/asu-prepare.json")]
    {
        let url = format!("{}/openapi.json", service.url());
        let document: Value = deployment.client.get(url).send().await.unwrap().json().await.unwrap();
        check(&document, committed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_to_read_them_on_bring_all_that_they_need() {
    let deployment = Deployment::without_workers(&[]).await;
    for service in [&deployment.build, &deployment.prepare] {
        for page in ["/docs", "/redoc"] {
            let response = deployment.client.get(format!("{}{page}", service.url())).send().await.unwrap();
            let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
            assert!(policy.contains("default-src 'none'"), "{policy}");
            let html = response.text().await.unwrap();
            assert!(!html.contains("//"), "nothing of another host: {html}");
            let parts: Vec<_> = html.split('"').filter(|part| part.starts_with('/')).collect();
            assert!(parts.len() >= 2, "{html}");
            for part in parts {
                let response = deployment.client.get(format!("{}{part}", service.url())).send().await.unwrap();
                assert_eq!(response.status(), 200, "{part} of {page}");
            }
        }
        let missing = deployment.client.get(format!("{}/docs/missing.js", service.url())).send().await.unwrap();
        assert_eq!(missing.status(), 404);
    }
}
