use super::course::LegCounting;
use super::*;
use crate::problem::tasks::leg_counting::Suite;

/// Seconds, not minutes: what it learns does not matter here.
fn small() -> Settings {
    Settings {
        seed: 3,
        threads: 2,
        size: Size { hidden: 16, layers: 1, heads: 2, intermediate: 24 },
        base: pretrain::Settings { steps: 6, batch: 16, ..pretrain::Settings::default() },
        steps: 3,
        knobs: Knobs { prompts: 3, group: 4, ..Knobs::default() },
        checkpoints: vec![2, 3],
        from: None,
    }
}

#[derive(Default)]
struct Log(Vec<Progress>);

impl Watch for Log {
    fn stepped(&mut self, progress: &Progress) {
        self.0.push(progress.clone());
    }
}

fn bytes(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name).join("model.safetensors")).unwrap()
}

#[test]
fn a_training_writes_folders_that_load_and_says_how_far_it_is() {
    let out = tempfile::tempdir().unwrap();
    let mut log = Log::default();
    run(&small(), &LegCounting, out.path(), &mut log).unwrap();
    let mut models = Vec::new();
    for name in ["base", "rlvr-0002", "rlvr"] {
        models.push((name.to_owned(), LocalModel::from_folder(&out.path().join(name)).unwrap()));
    }
    assert!(!out.path().join("rlvr-0003").exists(), "the last step is `rlvr`");
    let losses: Vec<f64> = log
        .0
        .iter()
        .filter_map(|p| if let Progress::Base { loss, .. } = p { Some(*loss) } else { None })
        .collect();
    assert!(losses.len() == 6 && losses[5] < losses[0]);
    assert!(matches!(log.0.last(), Some(Progress::Rlvr { step: 3, steps: 3, .. })));
    let ledger = measure::measure(models, &Suite::Development.problems()[..2], 3, 2).unwrap();
    assert!((0..3).all(|policy| (0..2).all(|problem| ledger.drawn(policy, problem) == 3)));
}

#[test]
fn the_same_seed_gives_the_same_weights_on_any_number_of_threads() {
    let folders = [(3, 2), (3, 1), (4, 2)].map(|(seed, threads)| {
        let out = tempfile::tempdir().unwrap();
        run(&Settings { seed, threads, ..small() }, &LegCounting, out.path(), &mut Log::default()).unwrap();
        out
    });
    for name in ["base", "rlvr-0002", "rlvr"] {
        assert!(bytes(folders[0].path(), name) == bytes(folders[1].path(), name), "{name}");
        assert!(bytes(folders[0].path(), name) != bytes(folders[2].path(), name), "{name}");
    }
}

#[test]
fn a_base_may_be_given() {
    let (out, again) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    run(&small(), &LegCounting, out.path(), &mut Log::default()).unwrap();
    let settings = Settings { from: Some(out.path().join("base")), ..small() };
    run(&settings, &LegCounting, again.path(), &mut Log::default()).unwrap();
    assert!(bytes(out.path(), "base") == bytes(again.path(), "base"));
    assert!(bytes(out.path(), "rlvr") == bytes(again.path(), "rlvr"));
}

#[test]
fn a_training_that_diverges_stops_in_words_and_keeps_the_last_good_weights() {
    let finite = |folder: &Path, name: &str| {
        let model = LocalModel::from_folder(&folder.join(name)).unwrap();
        model.weights.iter().all(|(_, _, data)| data.iter().all(|w| w.is_finite()))
    };
    let out = tempfile::tempdir().unwrap();
    let mut settings = small();
    settings.base.rest = f32::INFINITY;
    let error = run(&settings, &LegCounting, out.path(), &mut Log::default()).unwrap_err().to_string();
    assert!(error.contains("base stopped at step 1"), "{error}");
    assert!(finite(out.path(), "base") && !out.path().join("rlvr").exists());
    let mut settings = small();
    settings.base.steps = 60;
    settings.knobs = Knobs { rate: f64::INFINITY, ..Knobs::default() };
    settings.size = Size { hidden: 32, layers: 1, heads: 1, intermediate: 32 };
    match run(&settings, &LegCounting, out.path(), &mut Log::default()) {
        // All completions may be wrong so early: then there is nothing to learn from.
        Ok(()) => {}
        Err(error) => assert!(error.to_string().contains("RLVR policy stopped"), "{error}"),
    }
    assert!(finite(out.path(), "rlvr"));
}

#[test]
fn sizes_that_do_not_fit_together_are_refused() {
    let settings = Settings { size: Size { hidden: 16, heads: 16, layers: 1, intermediate: 8 }, ..small() };
    let out = tempfile::tempdir().unwrap();
    let error = run(&settings, &LegCounting, out.path(), &mut Log::default()).unwrap_err().to_string();
    assert!(error.contains("head_dim 1 is odd"), "{error}");
}
