//! From a SPEC on the command line to a policy.

use super::script::{Script, Scripted};
use super::{LocalPolicy, Policy, PolicyError};
use crate::model::{Engine, LocalModel};
use std::path::Path;
use std::sync::Arc;

/// Opens the policy that `spec` says, under the name that screens and recordings give it.
///
/// A SPEC is `embedded:base`, `embedded:rlvr`, `embedded:rlvr@STEP` (a checkpoint), a
/// folder in Hugging Face layout, or `script:FILE` (see [`super::script`]).
///
/// # Errors
/// A SPEC of no such form, or what reading it reports.
pub fn open(spec: &str, name: &str) -> Result<Arc<dyn Policy>, PolicyError> {
    let unknown = || PolicyError::Spec { spec: spec.to_owned(), known: String::from("script:FILE") };
    let failed = |source| PolicyError::Model { policy: name.to_owned(), source };
    if let Some(file) = spec.strip_prefix("script:") {
        return Ok(Arc::new(Scripted::new(name, spec, Script::from_file(Path::new(file))?)?));
    }
    let model = if Path::new(spec).is_dir() {
        LocalModel::from_folder(Path::new(spec)).map_err(failed)?
    } else {
        return Err(unknown());
    };
    let engine = Engine::new(&model.config, &model.weights).map_err(failed)?;
    Ok(Arc::new(LocalPolicy::new(name, spec, model, Box::new(engine))))
}
