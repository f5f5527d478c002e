//! The statement about the images of a build. <https://in-toto.io/Statement/v1>

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{
    origin::{DigestOf, ImageBuilderImage},
    predicate::{BuildDefinition, Builder, InternalParameters, Metadata, Predicate, RunDetails},
    resource::ResourceDescriptor,
};
use crate::{BuildRequest, BuildResult, RequestHash, purl::PackageUrl, render_time};

/// Describes what the parameters and the dependencies of a build mean.
const BUILD_TYPE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/provenance-v1.md");

/// What is known of a finished build, and who says so.
#[derive(Debug, Clone, Copy)]
pub struct Provenance<'a> {
    /// The name of the build.
    pub request_hash: &'a RequestHash,
    /// What was asked for.
    pub request: &'a BuildRequest,
    /// What came of it.
    pub result: &'a BuildResult,
    /// The attempt that made it.
    pub attempt: &'a str,
    /// When that began, in milliseconds since 1970.
    pub started_at: i64,
    /// When that ended, in milliseconds since 1970.
    pub finished_at: i64,
    /// The URI that names the server as a builder.
    pub builder_id: &'a str,
    /// Where the server is reached, without a slash at the end, if that is known.
    pub server_url: Option<&'a str>,
    /// The program that makes the statement, and its version.
    pub service: (&'a str, &'a str),
}

/// An in-toto statement: these images come from this build.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProvenanceStatement)]
pub struct Statement {
    /// What a statement is.
    #[serde(rename = "_type")]
    #[schema(example = "https://in-toto.io/Statement/v1")]
    statement_type: &'static str,
    /// The images, each with its `sha256`.
    subject: Vec<ResourceDescriptor>,
    /// What is stated of them.
    #[schema(example = "https://slsa.dev/provenance/v1")]
    predicate_type: &'static str,
    /// How they were built.
    predicate: Predicate,
}

impl Statement {
    /// What it is sent as.
    pub const MEDIA_TYPE: &'static str = "application/vnd.in-toto+json";

    /// The statement about a finished build. Of a build that tells less of itself it says less.
    pub fn of(provenance: &Provenance<'_>) -> Self {
        let images = provenance.result.images();
        Self {
            statement_type: "https://in-toto.io/Statement/v1",
            subject: images
                .iter()
                .map(|image| ResourceDescriptor::named(&image.name).with_sha256(&image.sha256))
                .collect(),
            predicate_type: "https://slsa.dev/provenance/v1",
            predicate: Predicate { build_definition: provenance.definition(), run_details: provenance.details() },
        }
    }
}

impl Provenance<'_> {
    fn definition(&self) -> BuildDefinition {
        let custom = self.request.repositories.iter();
        let custom = custom.map(|(name, url)| ResourceDescriptor::named(name.as_str()).with_uri(url.as_str()));
        let origin = self.result.provenance.as_ref();
        let image = origin.map(|origin| describe_image(&origin.imagebuilder_image));
        let upstream = origin.map(|origin| {
            let upstream = ResourceDescriptor::named("upstream").with_uri(&*origin.upstream_url);
            upstream.with_annotation("revision", self.result.text_of("version_code"))
        });
        BuildDefinition {
            build_type: BUILD_TYPE,
            external_parameters: self.request.clone(),
            internal_parameters: InternalParameters {
                request_hash: self.request_hash.to_string(),
                build_cmd: self.result.build_cmd.clone(),
            },
            resolved_dependencies: image.into_iter().chain(upstream).chain(custom).collect(),
        }
    }

    fn details(&self) -> RunDetails {
        let origin = self.result.provenance.as_ref();
        let worker = origin.map(|origin| ("asu-worker".to_owned(), origin.worker.version.clone()));
        let service = (self.service.0.to_owned(), self.service.1.to_owned());
        RunDetails {
            builder: Builder {
                id: self.builder_id.to_owned(),
                version: BTreeMap::from_iter([service].into_iter().chain(worker)),
            },
            metadata: Metadata {
                invocation_id: self.attempt.to_owned(),
                started_on: render_time(self.started_at),
                finished_on: render_time(self.finished_at),
                worker: origin.map(|origin| origin.worker.name.clone()),
                stage_durations_ms: origin.map(|origin| origin.stage_durations_ms.clone()).unwrap_or_default(),
            },
            byproducts: self.byproducts().into_iter().filter(ResourceDescriptor::is_definite).collect(),
        }
    }

    fn byproducts(&self) -> Vec<ResourceDescriptor> {
        let url = |path: String| self.server_url.map(|server| format!("{server}{path}"));
        let log = url(format!("/api/v1/build/{}/log", self.request_hash));
        let log = ResourceDescriptor { uri: log, ..ResourceDescriptor::named("log") }.with_media_type("text/plain");
        let sbom = self.result.sbom.as_ref().map(|sbom| {
            let download_location = url(format!("/store/{}/{}", self.result.bin_dir, sbom.name));
            let described = ResourceDescriptor::named(&sbom.name).with_sha256(&sbom.sha256);
            ResourceDescriptor { download_location, ..described }.with_media_type("application/vnd.cyclonedx+json")
        });
        [log, self.manifest()].into_iter().chain(sbom).collect()
    }

    /// The installed packages, one `name version` on a line, as apk prints them.
    fn manifest(&self) -> ResourceDescriptor {
        let lines: String = self.result.manifest.iter().map(|(name, version)| format!("{name} {version}\n")).collect();
        let described = ResourceDescriptor::named("manifest").with_sha256(&hex::encode(Sha256::digest(&lines)));
        ResourceDescriptor { content: Some(BASE64.encode(&lines)), ..described }.with_media_type("text/plain")
    }
}

/// An image of a registry has a name that holds everywhere; one that only a worker has is known by its digest alone.
fn describe_image(image: &ImageBuilderImage) -> ResourceDescriptor {
    let digits = image.digest.strip_prefix("sha256:").unwrap_or(&image.digest);
    let described = ResourceDescriptor::named(&image.name).with_sha256(digits);
    match image.digest_of {
        DigestOf::RegistryManifest => {
            let uri = PackageUrl::of_image(&image.name, &image.digest).to_string();
            described.with_uri(uri).with_annotation("digest_of", "registry_manifest")
        }
        DigestOf::LocalImage => described.with_annotation("digest_of", "local_image"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fixture;

    const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn request() -> BuildRequest {
        fixture::request(
            r#"{"version": "24.10.4", "target": "ath79/generic", "profile": "8dev_carambola2", "packages": ["vim"],
            "repositories": {"mine": "https://my.org/repo"}}"#,
        )
    }

    /// A result as the record of an earlier version of the server holds it.
    fn old_result() -> Value {
        json!({
            "id": "8dev_carambola2", "bin_dir": "d", "build_at": "2021-01-31T23:58:37.000000Z", "build_cmd": ["make"],
            "build_cmd_packages": [], "manifest": {"vim": "9.1-1"}, "stdout": "", "stderr": "",
            "version_code": "r28427-6df0e3d02a",
            "images": [{"name": "a.bin", "sha256": DIGEST, "sha256_unsigned": "0", "type": "sysupgrade"}]
        })
    }

    fn new_result(digest_of: &str) -> Value {
        let mut result = old_result();
        result["provenance"] = json!({
            "imagebuilder_image": {
                "name": "r.example:5000/x/imagebuilder:ath79-generic-v24.10.4",
                "digest": format!("sha256:{DIGEST}"),
                "digest_of": digest_of
            },
            "upstream_url": "https://d.org/releases/24.10.4/targets/ath79/generic",
            "worker": {"name": "w-1", "version": "9.9.9"},
            "stage_durations_ms": {"building_image": 7}
        });
        result["sbom"] = json!({"name": "bom.cdx.json", "sha256": DIGEST});
        result
    }

    fn statement(result: &Value) -> Value {
        statement_at(Some("https://asu.example.org"), result)
    }

    fn statement_at(server_url: Option<&str>, result: &Value) -> Value {
        let result: BuildResult = serde_json::from_value(result.clone()).unwrap();
        let request = request();
        let provenance = Provenance {
            request_hash: &RequestHash::of(&request),
            request: &request,
            result: &result,
            attempt: "a0",
            started_at: 1_000,
            finished_at: 3_500,
            builder_id: "https://asu.example.org/builder",
            server_url,
            service: ("asu-build", "1.2.3"),
        };
        serde_json::to_value(Statement::of(&provenance)).unwrap()
    }

    #[test]
    fn a_statement_says_what_was_built_from_what() {
        let statement = statement(&new_result("registry_manifest"));
        assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
        assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
        assert_eq!(statement["subject"], json!([{"name": "a.bin", "digest": {"sha256": DIGEST}}]));
        let definition = &statement["predicate"]["buildDefinition"];
        assert_eq!(definition["externalParameters"], serde_json::to_value(request()).unwrap());
        let dependencies = json!([
            {
                "name": "r.example:5000/x/imagebuilder:ath79-generic-v24.10.4",
                "uri": format!("pkg:oci/imagebuilder@sha256:{DIGEST}\
                                ?repository_url=r.example:5000/x/imagebuilder&tag=ath79-generic-v24.10.4"),
                "digest": {"sha256": DIGEST},
                "annotations": {"digest_of": "registry_manifest"}
            },
            {
                "name": "upstream",
                "uri": "https://d.org/releases/24.10.4/targets/ath79/generic",
                "annotations": {"revision": "r28427-6df0e3d02a"}
            },
            {"name": "mine", "uri": "https://my.org/repo"}
        ]);
        assert_eq!(definition["resolvedDependencies"], dependencies);
    }

    #[test]
    fn a_statement_says_who_built_it_and_when() {
        let statement = statement(&new_result("local_image"));
        let details = &statement["predicate"]["runDetails"];
        let builder = json!({
            "id": "https://asu.example.org/builder", "version": {"asu-build": "1.2.3", "asu-worker": "9.9.9"}
        });
        assert_eq!(details["builder"], builder);
        let metadata = json!({
            "invocationId": "a0",
            "startedOn": "1970-01-01T00:00:01.000000Z",
            "finishedOn": "1970-01-01T00:00:03.500000Z",
            "asu_worker": "w-1",
            "asu_stageDurationsMs": {"building_image": 7}
        });
        assert_eq!(details["metadata"], metadata);
        let names: Vec<_> = details["byproducts"].as_array().unwrap().iter().map(|found| &found["name"]).collect();
        assert_eq!(names, ["log", "manifest", "bom.cdx.json"]);
        assert_eq!(details["byproducts"][1]["content"], BASE64.encode("vim 9.1-1\n"));
        assert_eq!(details["byproducts"][2]["downloadLocation"], "https://asu.example.org/store/d/bom.cdx.json");
        let image = &statement["predicate"]["buildDefinition"]["resolvedDependencies"][0];
        assert_eq!((&image["uri"], &image["annotations"]["digest_of"]), (&Value::Null, &json!("local_image")));
    }

    #[test]
    fn of_an_older_build_it_says_what_there_is() {
        let statement = statement(&old_result());
        assert_eq!(statement["subject"][0]["digest"]["sha256"], DIGEST);
        let predicate = &statement["predicate"];
        let mine = json!([{"name": "mine", "uri": "https://my.org/repo"}]);
        assert_eq!(predicate["buildDefinition"]["resolvedDependencies"], mine);
        assert_eq!(predicate["runDetails"]["builder"]["version"], json!({"asu-build": "1.2.3"}));
        assert_eq!(predicate["runDetails"]["metadata"].get("asu_worker"), None);
    }

    #[test]
    fn what_has_no_address_is_left_out() {
        let statement = statement_at(None, &new_result("local_image"));
        let byproducts = statement["predicate"]["runDetails"]["byproducts"].as_array().unwrap();
        let names: Vec<_> = byproducts.iter().map(|found| &found["name"]).collect();
        assert_eq!(names, ["manifest", "bom.cdx.json"]);
        assert_eq!(byproducts[1].get("downloadLocation"), None);
    }

    #[test]
    fn a_result_of_an_older_server_is_read_and_shown_as_it_was() {
        let old: BuildResult = serde_json::from_value(old_result()).unwrap();
        assert_eq!((&old.provenance, &old.sbom), (&None, &None));
        let shown = serde_json::to_value(&old).unwrap();
        assert_eq!(shown, old_result());
        let new: BuildResult = serde_json::from_value(new_result("registry_manifest")).unwrap();
        assert_eq!(serde_json::to_value(&new).unwrap(), new_result("registry_manifest"));
    }

    /// The page that `buildType` leads to.
    #[test]
    fn the_build_type_is_described() {
        let page = include_str!("../../../../docs/provenance-v1.md");
        assert!(page.contains(BUILD_TYPE), "{BUILD_TYPE}");
    }
}
