//! What a trained pair can do: both policies on a suite.

use super::TrainError;
use super::parallel;
use crate::completion::Completion;
use crate::model::{Engine, LocalModel, Sampling};
use crate::policy::local::LocalPolicy;
use crate::policy::{Partial, Policy, PolicyError, Request, Sink};
use crate::problem::Problem;
use crate::problem::judge;
use crate::support::Ledger;
use std::ops::ControlFlow;
use std::sync::Mutex;

/// The ledger of k completions of every problem under every model; the first is the base.
///
/// # Errors
/// What a model reports.
pub fn measure(
    models: Vec<(String, LocalModel)>,
    problems: &[Problem],
    k: u32,
    threads: usize,
) -> Result<Ledger, TrainError> {
    let sampling = Sampling::default();
    let ledger = Mutex::new(Ledger::new(models.len(), problems.len()));
    let policies = models
        .into_iter()
        .map(|(name, model)| {
            let engine = Engine::new(&model.config, &model.weights)?;
            let spec = model.origin.clone();
            Ok(LocalPolicy::new(&name, &spec, model, Box::new(engine)))
        })
        .collect::<Result<Vec<_>, TrainError>>()?;
    let failed: Mutex<Option<PolicyError>> = Mutex::new(None);
    let jobs = (0..policies.len()).flat_map(|policy| (0..problems.len()).map(move |p| (policy, p)));
    parallel::each(threads, jobs, |(policy, number)| {
        let problem = &problems[number];
        let mut collector = Collector(Vec::new());
        let request = Request::new(problem, 0..k, &sampling);
        if let Err(error) = policies[policy].sample(&request, &mut collector) {
            *failed.lock().expect("no thread panics here") = Some(error);
            return;
        }
        let judged: Vec<_> = collector.0.into_iter().map(|c| (judge(problem, &c.text), c)).collect();
        let mut ledger = ledger.lock().expect("no thread panics here");
        for (verdict, completion) in judged {
            ledger.add(policy, number, &completion, &verdict);
        }
    });
    match failed.into_inner().expect("no thread panicked") {
        Some(error) => Err(error.into()),
        None => Ok(ledger.into_inner().expect("no thread panicked")),
    }
}

struct Collector(Vec<Completion>);

impl Sink for Collector {
    fn finished(&mut self, completion: Completion) {
        self.0.push(completion);
    }

    fn stepped(&mut self, _: usize, _: &dyn Fn() -> Option<Partial>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
