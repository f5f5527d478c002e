//! What holds of every body that is read as a build request.

use asu_core::{
    BuildRequest, Distro, Faults, Filesystem, PackageName, PackageSelector, PackageVersion, ProfileName,
    RepositoriesMode, RepositoryKey, RepositoryName, RepositoryUrl, RequestForm, RequestHash, Target, Version,
    VersionCode,
};

#[path = "../../common/limits.rs"]
mod limits;
pub(crate) use limits::LIMITS;

/// Every fault names its field; an accepted request is read again as itself, and its hash is one of its firmware.
pub(crate) fn check(body: &[u8]) {
    for form in [RequestForm::Raw, RequestForm::Prepared] {
        match BuildRequest::parse(body, form, &LIMITS) {
            Ok(request) => {
                is_read_as_it_was_written(&request);
                hash_ignores_what_decides_nothing(&request);
                hash_depends_on_every_deciding_field(&request);
            }
            Err(faults) => every_fault_names_its_field(&faults),
        }
    }
}

const FIELDS: [&str; 16] = [
    "distro",
    "version",
    "version_code",
    "target",
    "profile",
    "packages",
    "packages_versions",
    "diff_packages",
    "defaults",
    "rootfs_size_mb",
    "filesystem",
    "repositories",
    "repositories_mode",
    "repository_keys",
    "client",
    "from_version",
];

fn every_fault_names_its_field(faults: &Faults) {
    assert!((1..=50).contains(&faults.iter().count()), "{faults}");
    for fault in faults.iter() {
        assert_eq!(fault.loc[0], "body", "{fault:?}");
        assert!(!fault.kind.is_empty() && !fault.msg.is_empty(), "{fault:?}");
        if let Some(field) = fault.loc.get(1) {
            assert!(FIELDS.iter().any(|known| field == known), "{fault:?}");
        }
    }
    assert!(faults.to_string().len() < 5_000, "{faults}");
}

fn is_read_as_it_was_written(request: &BuildRequest) {
    let json = serde_json::to_vec(request).unwrap();
    let again = BuildRequest::parse(&json, RequestForm::Prepared, &LIMITS);
    assert_eq!(again.as_ref(), Ok(request), "{}", String::from_utf8_lossy(&json));
    assert_eq!(RequestHash::of(&again.unwrap()), RequestHash::of(request));
    assert_eq!(serde_json::from_slice::<BuildRequest>(&json).unwrap(), *request);
}

fn hash_ignores_what_decides_nothing(request: &BuildRequest) {
    let mut other = request.clone();
    other.packages.reverse();
    other.packages.extend(request.packages.clone());
    other.repository_keys.reverse();
    other.repository_keys.extend(request.repository_keys.clone());
    other.client = Some("another".to_owned());
    other.from_version = Some(Version::parse("19.07.0").unwrap());
    if request.repositories.is_empty() {
        other.repositories_mode = other_mode(request);
    }
    assert_eq!(RequestHash::of(&other), RequestHash::of(request), "{request:?}");
}

/// Gives one field another value.
type Change = fn(&mut BuildRequest);

fn hash_depends_on_every_deciding_field(request: &BuildRequest) {
    let changes: [(&str, Change); 13] = [
        ("distro", |request| request.distro = Distro::parse(&format!("{}x", request.distro)).unwrap()),
        ("version", |request| request.version = Version::parse(&format!("{}1", request.version)).unwrap()),
        ("version_code", |request| {
            request.version_code = VersionCode::parse(&format!("{}1", request.version_code)).unwrap();
        }),
        ("target", |request| request.target = Target::parse(&format!("{}x", request.target)).unwrap()),
        ("profile", |request| request.profile = ProfileName::parse(&format!("{}x", request.profile)).unwrap()),
        ("packages", |request| request.packages.push(PackageSelector::install(another_package(request)))),
        ("packages_versions", |request| {
            request.packages_versions.insert(another_package(request), PackageVersion::parse("1").unwrap());
        }),
        ("diff_packages", |request| request.diff_packages ^= true),
        ("defaults", |request| request.defaults.get_or_insert_default().push('x')),
        ("rootfs_size_mb", |request| request.rootfs_size_mb = Some(request.rootfs_size_mb.unwrap_or_default() + 1)),
        ("filesystem", |request| {
            let mut others = Filesystem::ALL.into_iter().filter(|other| Some(*other) != request.filesystem);
            request.filesystem = others.next();
        }),
        ("repositories", |request| {
            let name = format!("x{}", request.repositories.keys().map(RepositoryName::as_str).collect::<String>());
            let url = RepositoryUrl::parse("https://another.example.org").unwrap();
            request.repositories.insert(RepositoryName::parse(&name).unwrap(), url);
        }),
        ("repository_keys", |request| request.repository_keys.push(another_key(request))),
    ];
    for (field, change) in changes {
        let mut other = request.clone();
        change(&mut other);
        assert_ne!(RequestHash::of(&other), RequestHash::of(request), "{field} of {request:?}");
    }
    if !request.repositories.is_empty() {
        let other = BuildRequest { repositories_mode: other_mode(request), ..request.clone() };
        assert_ne!(RequestHash::of(&other), RequestHash::of(request), "repositories_mode of {request:?}");
    }
}

fn other_mode(request: &BuildRequest) -> RepositoriesMode {
    match request.repositories_mode {
        RepositoriesMode::Append => RepositoriesMode::Replace,
        RepositoriesMode::Replace => RepositoriesMode::Append,
    }
}

/// Longer than every other name together.
fn another_package(request: &BuildRequest) -> PackageName {
    let names = request.packages.iter().map(|package| package.name.as_str());
    let pinned = request.packages_versions.keys().map(PackageName::as_str);
    PackageName::parse(&format!("x{}", names.chain(pinned).collect::<String>())).unwrap()
}

fn another_key(request: &BuildRequest) -> RepositoryKey {
    let keys = ["A", "B"].map(|body| format!("-----BEGIN PUBLIC KEY-----{body}A==-----END PUBLIC KEY-----"));
    let mut keys = keys.iter().map(|key| RepositoryKey::parse(key).unwrap());
    keys.find(|key| !request.repository_keys.contains(key)).expect("fuzzing seldom comes upon both")
}
