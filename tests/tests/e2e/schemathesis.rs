//! What the OpenAPI documents say is tried out by schemathesis: thousands of requests, sensible and not.

use std::process::Command;

use asu_test_support::Surroundings;
use asu_tests::{Deployment, Process};

/// How many requests are made up for each operation; `make fuzz` asks for more.
const EXAMPLES: &str = "40";

/// All but those which take a lenient server for a faulty one.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,unsupported_method,allow_header_conformance";

#[expect(clippy::disallowed_methods, reason = "how long a test tries is no setting of a process")]
fn examples() -> String {
    std::env::var("ASU_TEST_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned())
}

#[expect(clippy::disallowed_methods, reason = "what a test makes up is no setting of a process")]
fn seed() -> Option<String> {
    std::env::var("ASU_TEST_SEED").ok()
}

fn try_out(service: &Process) {
    let schemathesis = &Surroundings::get().schemathesis;
    let hooks = concat!(env!("CARGO_MANIFEST_DIR"), "/schemathesis/hooks.py");
    let mut command = Command::new(schemathesis);
    command.env("SCHEMATHESIS_HOOKS", hooks).current_dir(std::env::temp_dir());
    command.arg("run").arg(format!("{}/openapi.json", service.url()));
    command.args(["--checks", CHECKS, "--max-examples", &examples(), "--continue-on-failure", "--no-color"]);
    command.args(seed().map(|seed| format!("--seed={seed}")));
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", schemathesis.display()));
    let text = String::from_utf8_lossy(&output.stdout);
    let summary: Vec<_> = text.lines().filter(|line| line.contains(" generated, ")).collect();
    assert!(output.status.success() && !summary.is_empty(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    #[expect(clippy::print_stdout, reason = "how much was tried is part of the result")]
    {
        println!("{}", summary.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_keep_to_their_documents() {
    let unlimited = [
        ("max_pending_jobs", "100000"),
        ("client_pending_jobs", "0"),
        ("client_builds_per_hour", "0"),
        // A 503 of a busy machine would be taken for a fault of the service.
        ("request_timeout", "2m"),
        ("body_timeout", "1m"),
        ("redis_timeout", "20s"),
        ("lease", "2m"),
    ];
    let deployment = Deployment::without_workers(&unlimited).await;
    try_out(&deployment.prepare);
    try_out(&deployment.build);
}
