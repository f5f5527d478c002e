//! The way of a request: parse, check, look up, resolve, hash.

use asu_config::SettingsError;
use asu_core::{
    AllowList, BuildRequest, PackageChange, PackageRules, PackageSelector, RequestForm, RequestHash, RequestLimits,
    Resolution,
};
use asu_upstream::Catalogs;

use crate::{config::Config, error::IntakeError};

/// Whether the package rules are applied to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// They are; what clients in the field send needs them.
    Apply,
    /// The request has been through them, and its user may have declined some.
    Skip,
}

/// A request that can be built, as far as its metadata tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedRequest {
    /// What to build; its packages are resolved and its profile is canonical.
    pub request: BuildRequest,
    /// Which build this is.
    pub request_hash: RequestHash,
    /// The packages as they were asked for.
    pub original_packages: Vec<PackageSelector>,
    /// What the rules changed.
    pub changes: Vec<PackageChange>,
}

/// Accepts requests under an operator's settings.
#[derive(Clone)]
pub struct Intake {
    limits: RequestLimits,
    allow_defaults: bool,
    allow_list: AllowList,
    catalogs: Catalogs,
}

impl Intake {
    /// An intake over the catalogs of all distributions.
    ///
    /// # Errors
    /// An allowed repository that is no plain URL.
    pub fn new(config: &Config, catalogs: Catalogs) -> Result<Self, SettingsError> {
        Ok(Self {
            limits: config.limits(),
            allow_defaults: config.allow_defaults,
            allow_list: config.allow_list()?,
            catalogs,
        })
    }

    /// Takes the body of a request as far as it goes without building anything.
    ///
    /// # Errors
    /// The first thing that stands in its way, in the order of the contract.
    pub async fn accept(&self, body: &[u8], rules: Rules) -> Result<AcceptedRequest, IntakeError> {
        let form = match rules {
            Rules::Apply => RequestForm::Raw,
            Rules::Skip => RequestForm::Prepared,
        };
        let request = BuildRequest::parse(body, form, &self.limits).map_err(IntakeError::Malformed)?;
        self.check(&request)?;
        let request = self.with_canonical_profile(request).await?;
        let original_packages = request.packages.clone();
        let Resolution { request, changes } = match rules {
            Rules::Apply => PackageRules::built_in().resolve(request),
            Rules::Skip => Resolution { request, changes: Vec::new() },
        };
        Ok(AcceptedRequest { request_hash: RequestHash::of(&request), request, original_packages, changes })
    }

    fn check(&self, request: &BuildRequest) -> Result<(), IntakeError> {
        if request.defaults.is_some() && !self.allow_defaults {
            return Err(IntakeError::DefaultsNotEnabled);
        }
        match request.repositories.values().find(|url| !self.allow_list.allows(url)) {
            Some(url) => Err(IntakeError::RepositoryNotAllowed(url.clone())),
            None => Ok(()),
        }
    }

    async fn with_canonical_profile(&self, mut request: BuildRequest) -> Result<BuildRequest, IntakeError> {
        let target = self.catalogs.of(&request.distro)?.profiles(&request.version, &request.target).await?;
        match target.resolve_profile(&request.profile) {
            Some(profile) => request.profile = profile.clone(),
            None => return Err(IntakeError::UnsupportedProfile(request.profile)),
        }
        Ok(request)
    }
}
