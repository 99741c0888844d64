//! From a SPEC on the command line to a policy.

use super::options::{DeviceKind, Listener, Options, Silent};
use super::recording::Recorded;
use super::script::{Script, Scripted};
use super::server::{Address, Server};
use super::{LocalPolicy, Policy, PolicyError};
use crate::model::engine::Level;
use crate::model::{Decoder, Engine, Generator, LocalModel, ModelError, embedded, hub};
use candle_core::Device;
use std::path::Path;
use std::sync::Arc;

/// Opens the policy that `spec` says, under the name that screens and recordings give it.
///
/// A SPEC is `embedded:base`, `embedded:rlvr`, `embedded:rlvr@STEP` (a checkpoint), a
/// folder in Hugging Face layout, a `.gguf` file, `hf:owner/name[@revision]`, any of these
/// with `+adapter:FOLDER` behind it (LoRA), a recording (`FILE`, or `FILE#NAME` for one of
/// its policies), a server (`http://host:port/v1#model`, see [`super::server`]), or
/// `script:FILE` (see [`super::script`]).
///
/// # Errors
/// A SPEC of no such form, or what reading it reports.
pub fn open(spec: &str, name: &str) -> Result<Arc<dyn Policy>, PolicyError> {
    open_with(spec, name, &Options::default())
}

/// As [`open`], with what the command line says of models and servers.
///
/// # Errors
/// As there, and a model for which there is no memory.
pub fn open_with(spec: &str, name: &str, options: &Options<'_>) -> Result<Arc<dyn Policy>, PolicyError> {
    if Address::is_meant(spec) {
        let wrong = |reason| PolicyError::Source { policy: name.to_owned(), reason };
        let address = Address::parse(spec).map_err(wrong)?;
        return Ok(Arc::new(Server::open(&address, name, options.served.clone())?));
    }
    if let Some(file) = spec.strip_prefix("script:") {
        return Ok(Arc::new(Scripted::new(name, spec, Script::from_file(Path::new(file))?)?));
    }
    if let Some((file, which)) = recording(spec).filter(|_| !is_model_file(spec)) {
        return Ok(Arc::new(Recorded::open(Path::new(file), which, name)?));
    }
    let failed = |source| PolicyError::Model { policy: name.to_owned(), source };
    let model = listened(spec, name, options.listener)?;
    for note in &model.notes {
        options.listener.say(&format!("{name}: {note}"));
    }
    let generator = generator(&model, name, options).map_err(failed)?;
    let system = options.system.as_deref();
    Ok(Arc::new(LocalPolicy::new(name, spec, model, generator).asked(options.prompt, system)?))
}

/// What draws from a model: the engine, or candle on a GPU.
fn generator(
    model: &LocalModel,
    name: &str,
    options: &Options<'_>,
) -> Result<Box<dyn Generator>, ModelError> {
    let LocalModel { config, weights, .. } = model;
    let device = match options.device {
        DeviceKind::Cpu => {
            let need = Engine::weight_bytes(config, weights);
            let share = options.memory.take(&model.origin, need)?;
            let mut progress = |done, all| options.listener.progress(name, done, all);
            let engine = Engine::build(config, weights, Level::best(), &mut progress)?;
            return Ok(Box::new(engine.with_call_memory(share)));
        }
        DeviceKind::Cuda => Device::new_cuda(0)?,
        DeviceKind::Metal => Device::new_metal(0)?,
    };
    Ok(Box::new(Decoder::on(&device, config, weights)?))
}

/// The model of a SPEC that stands for one; `name` is what an error calls the policy.
///
/// # Errors
/// Any other SPEC, or what reading the model reports.
pub fn local_model(spec: &str, name: &str) -> Result<LocalModel, PolicyError> {
    listened(spec, name, &Silent)
}

/// As [`local_model`]; the listener hears what is fetched.
fn listened(spec: &str, name: &str, listener: &dyn Listener) -> Result<LocalModel, PolicyError> {
    let unknown = || PolicyError::Spec { spec: spec.to_owned(), known: embedded::names().join(", ") };
    let failed = |source| PolicyError::Model { policy: name.to_owned(), source };
    let mut parts = spec.split(ADAPTER);
    let base = parts.next().unwrap_or_default();
    let mut model = if base.starts_with("embedded:") {
        embedded::open(base).ok_or_else(unknown)?
    } else if let Some(hub) = base.strip_prefix("hf:") {
        let mut heard = |file: &str, done, all| listener.fetched(name, file, done, all);
        hub::folder(hub, &mut heard).and_then(|folder| LocalModel::from_folder(&folder))
    } else if is_gguf(base) {
        LocalModel::from_gguf(Path::new(base))
    } else if Path::new(base).is_dir() {
        LocalModel::from_folder(Path::new(base))
    } else {
        return Err(unknown());
    }
    .map_err(failed)?;
    for adapter in parts {
        model.adapt(Path::new(adapter)).map_err(failed)?;
    }
    Ok(model)
}

/// What stands between a model's SPEC and the folder of an adapter on top of it.
const ADAPTER: &str = "+adapter:";

/// Whether a SPEC names a file that holds a model, or a model with an adapter.
fn is_model_file(spec: &str) -> bool {
    spec.contains(ADAPTER) || is_gguf(spec)
}

/// Whether a SPEC names a GGUF file.
fn is_gguf(spec: &str) -> bool {
    Path::new(spec).extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf"))
}

/// A recording's file, and which of its policies is meant, if the SPEC names a file.
fn recording(spec: &str) -> Option<(&str, Option<&str>)> {
    let is_file = |name: &str| Path::new(name).is_file();
    match spec.rsplit_once('#') {
        Some((file, which)) if !is_file(spec) && is_file(file) => Some((file, Some(which))),
        _ => is_file(spec).then_some((spec, None)),
    }
}
