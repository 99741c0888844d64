//! A pull from its first step to its last, watched and steered from outside.

use super::exam::{Evaluation, Exam};
use super::knobs::Knobs;
use super::pull::{Pull, Stepped};
use super::{Ground, TrainError, Trainee};
use std::ops::ControlFlow;
use std::sync::Arc;

/// How far a pull goes, and how often it is examined.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its last step.
    pub steps: usize,
    /// Steps between two examinations; the first and the last step are always examined.
    pub every: usize,
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { steps: 100, every: 5, seed: 1 }
    }
}

/// Where a pull begins.
#[derive(Clone, Debug)]
pub struct Start {
    pub weights: Arc<[f32]>,
    /// Steps behind it.
    pub step: usize,
}

/// Who steers and watches.
pub trait Helm {
    /// The knobs of the next step; may wait. `None` ends the pull.
    fn knobs(&mut self) -> Option<Knobs>;

    /// A step is done.
    fn stepped(&mut self, stepped: Stepped);

    /// The policy was examined; its weights may be kept. `Break` ends the pull.
    fn examined(&mut self, evaluation: Evaluation, weights: &[f32]) -> ControlFlow<()>;
}

/// Pulls until the plan's last step or the helm says stop. Gives the last good weights and
/// the steps behind them, with what went wrong, if anything did.
pub fn drive(
    trainee: &Trainee,
    ground: &Ground<'_>,
    plan: &Plan,
    start: &Start,
    exam: Option<&Exam>,
    helm: &mut dyn Helm,
) -> (Vec<f32>, usize, Result<(), TrainError>) {
    let base = Arc::clone(&trainee.weights);
    let mut pull = Pull::new(&trainee.network, base, &start.weights, start.step, ground.threads);
    let result = steps(ground, plan, exam, helm, &mut pull);
    (pull.weights().to_vec(), pull.steps(), result)
}

fn steps(
    ground: &Ground<'_>,
    plan: &Plan,
    exam: Option<&Exam>,
    helm: &mut dyn Helm,
    pull: &mut Pull,
) -> Result<(), TrainError> {
    let examine = |pull: &Pull, helm: &mut dyn Helm| -> Result<bool, TrainError> {
        let Some(exam) = exam else { return Ok(true) };
        let taken = exam.take(ground, pull.weights(), pull.steps(), pull.tokens())?;
        Ok(taken.is_some_and(|e| helm.examined(e, pull.weights()).is_continue()))
    };
    if !examine(pull, helm)? {
        return Ok(());
    }
    while pull.steps() < plan.steps {
        let Some(knobs) = helm.knobs() else { break };
        let Some(stepped) = pull.step(ground, &knobs)? else { break };
        let step = stepped.step;
        helm.stepped(stepped);
        if (step.is_multiple_of(plan.every.max(1)) || step == plan.steps) && !examine(pull, helm)? {
            break;
        }
    }
    Ok(())
}
