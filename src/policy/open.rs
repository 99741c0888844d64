//! From a SPEC on the command line to a policy.

use super::recording::Recorded;
use super::script::{Script, Scripted};
use super::server::{Address, Server, ServerOptions};
use super::{LocalPolicy, Policy, PolicyError};
use crate::model::{Engine, LocalModel, embedded};
use std::path::Path;
use std::sync::Arc;

/// Opens the policy that `spec` says, under the name that screens and recordings give it.
///
/// A SPEC is `embedded:base`, `embedded:rlvr`, `embedded:rlvr@STEP` (a checkpoint), a
/// folder in Hugging Face layout, a recording (`FILE`, or `FILE#NAME` for one of its
/// policies), a server (`http://host:port/v1#model`, see [`super::server`]), or
/// `script:FILE` (see [`super::script`]).
///
/// # Errors
/// A SPEC of no such form, or what reading it reports.
pub fn open(spec: &str, name: &str) -> Result<Arc<dyn Policy>, PolicyError> {
    open_with(spec, name, &ServerOptions::default())
}

/// As [`open`]; `served` says how a server is asked.
///
/// # Errors
/// As [`open`].
pub fn open_with(spec: &str, name: &str, served: &ServerOptions) -> Result<Arc<dyn Policy>, PolicyError> {
    if Address::is_meant(spec) {
        let wrong = |reason| PolicyError::Source { policy: name.to_owned(), reason };
        let address = Address::parse(spec).map_err(wrong)?;
        return Ok(Arc::new(Server::open(&address, name, served.clone())?));
    }
    if let Some(file) = spec.strip_prefix("script:") {
        return Ok(Arc::new(Scripted::new(name, spec, Script::from_file(Path::new(file))?)?));
    }
    if let Some((file, which)) = recording(spec) {
        return Ok(Arc::new(Recorded::open(Path::new(file), which, name)?));
    }
    let model = local_model(spec, name)?;
    let failed = |source| PolicyError::Model { policy: name.to_owned(), source };
    let engine = Engine::new(&model.config, &model.weights).map_err(failed)?;
    Ok(Arc::new(LocalPolicy::new(name, spec, model, Box::new(engine))))
}

/// The model of a SPEC that stands for one; `name` is what an error calls the policy.
///
/// # Errors
/// Any other SPEC, or what reading the model reports.
pub fn local_model(spec: &str, name: &str) -> Result<LocalModel, PolicyError> {
    let unknown = || PolicyError::Spec { spec: spec.to_owned(), known: embedded::names().join(", ") };
    let model = if spec.starts_with("embedded:") {
        embedded::open(spec).ok_or_else(unknown)?
    } else if Path::new(spec).is_dir() {
        LocalModel::from_folder(Path::new(spec))
    } else {
        return Err(unknown());
    };
    model.map_err(|source| PolicyError::Model { policy: name.to_owned(), source })
}

/// A recording's file, and which of its policies is meant, if the SPEC names a file.
fn recording(spec: &str) -> Option<(&str, Option<&str>)> {
    let is_file = |name: &str| Path::new(name).is_file();
    match spec.rsplit_once('#') {
        Some((file, which)) if !is_file(spec) && is_file(file) => Some((file, Some(which))),
        _ => is_file(spec).then_some((spec, None)),
    }
}
