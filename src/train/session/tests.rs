use super::*;
use crate::model::LocalModel;
use crate::train::course::LegCounting;

fn trainer() -> (Trainer, mpsc::Receiver<Event>) {
    let trainee = Trainee::open("embedded:base").unwrap();
    Trainer::new(trainee, &LegCounting, 2)
}

fn begin(pull: u32, from: Option<(u32, usize)>, steps: usize, settings: &[&str]) -> Order {
    let mut knobs = Knobs { prompts: 2, group: 8, ..Knobs::default() };
    settings.iter().for_each(|s| knobs.set(s).unwrap());
    Order::Begin(Begin { pull, from, knobs, plan: Plan { steps, every: 2, seed: 1 } })
}

/// Events until the pull's end, which is given too.
fn until_the_end(events: &mut mpsc::Receiver<Event>) -> (Vec<EventKind>, usize, Ended) {
    let mut seen = Vec::new();
    loop {
        match events.blocking_recv().unwrap().kind {
            EventKind::Ended { step, how } => return (seen, step, how),
            kind => seen.push(kind),
        }
    }
}

fn steps(seen: &[EventKind]) -> Vec<usize> {
    let step =
        |k: &EventKind| if let EventKind::Stepped { stepped, .. } = k { Some(stepped.step) } else { None };
    seen.iter().filter_map(step).collect()
}

#[test]
fn a_pull_is_watched_forked_and_kept() {
    let (trainer, mut events) = trainer();
    trainer.send(begin(1, None, 3, &[])).unwrap();
    let (seen, step, how) = until_the_end(&mut events);
    assert_eq!((steps(&seen), step, how), (vec![1, 2, 3], 3, Ended::Finished));
    let examined: Vec<&Evaluation> =
        seen.iter().filter_map(|k| if let EventKind::Examined(e) = k { Some(e) } else { None }).collect();
    assert_eq!(examined.iter().map(|e| e.step).collect::<Vec<_>>(), [0, 2, 3]);
    assert!(examined[0].kl.abs() < 1e-6 && examined[2].kl > 0.0 && examined[2].methods.total() > 0);
    assert_eq!(trainer.kept(1), [0, 2, 3]);

    trainer.send(begin(2, Some((1, 2)), 4, &[])).unwrap();
    let (seen, step, _) = until_the_end(&mut events);
    assert_eq!((steps(&seen), step, trainer.kept(2)), (vec![3, 4], 4, vec![2, 4]));
    trainer.send(begin(3, Some((1, 9)), 4, &[])).unwrap();
    let (_, _, how) = until_the_end(&mut events);
    assert_eq!(how, Ended::Failed("pull 1 keeps no step 9".into()));

    let policy = trainer.policy(2, 4, "pull2@4").unwrap().unwrap();
    assert_eq!((policy.name(), policy.spec()), ("pull2@4", "pull 2, step 4"));
    assert!(trainer.policy(2, 3, "none").is_none());
}

#[test]
fn stopping_at_any_moment_leaves_a_model_that_loads() {
    let (trainer, mut events) = trainer();
    let loads = |pull: u32, step: usize| {
        let folder = tempfile::tempdir().unwrap();
        trainer.write(pull, step, folder.path()).unwrap().unwrap();
        let model = LocalModel::from_folder(folder.path()).unwrap();
        assert!(model.weights.iter().all(|(_, _, data)| data.iter().all(|w| w.is_finite())));
    };
    // At once: the order to begin may or may not have been taken up. The last pull ends by itself.
    trainer.send(begin(1, None, 1000, &[])).unwrap();
    trainer.send(Order::Stop).unwrap();
    trainer.send(begin(1, None, 0, &[])).unwrap();
    loop {
        let (_, step, how) = until_the_end(&mut events);
        loads(1, step);
        if how == Ended::Finished {
            break;
        }
        assert_eq!(how, Ended::Stopped);
    }
    for (pull, events_before) in [(2, 1), (3, 2), (4, 5)] {
        trainer.send(begin(pull, None, 1000, &[])).unwrap();
        (0..events_before).for_each(|_| _ = events.blocking_recv().unwrap());
        trainer.send(Order::Stop).unwrap();
        let (_, step, how) = until_the_end(&mut events);
        assert_eq!(how, Ended::Stopped);
        loads(pull, step);
    }
}

#[test]
fn knobs_hold_from_the_next_step_and_a_loss_that_is_no_number_stops_in_words() {
    let (trainer, mut events) = trainer();
    trainer.send(begin(1, None, 1000, &[])).unwrap();
    while !matches!(events.blocking_recv().unwrap().kind, EventKind::Stepped { .. }) {}
    let knobs = Knobs { rate: f64::INFINITY, ..Knobs { prompts: 2, group: 8, ..Knobs::default() } };
    trainer.send(Order::Knobs(knobs)).unwrap();
    let (_, step, how) = until_the_end(&mut events);
    assert!(matches!(&how, Ended::Failed(words) if words.contains("no longer a number")), "{how:?}");
    let folder = tempfile::tempdir().unwrap();
    trainer.write(1, step, folder.path()).unwrap().unwrap();
    LocalModel::from_folder(folder.path()).unwrap();
}

#[test]
fn a_pause_holds_and_a_trainer_that_is_dropped_goes_home() {
    let (trainer, mut events) = trainer();
    trainer.send(begin(1, None, 1000, &[])).unwrap();
    while !matches!(events.blocking_recv().unwrap().kind, EventKind::Stepped { .. }) {}
    trainer.send(Order::Pause).unwrap();
    trainer.send(Order::Resume).unwrap();
    while !matches!(events.blocking_recv().unwrap().kind, EventKind::Stepped { .. }) {}
    trainer.send(Order::Pause).unwrap();
    // Nobody reads any more, and it is paused.
    drop(trainer);
    while let Ok(event) = events.try_recv() {
        assert!(!matches!(event.kind, EventKind::Ended { how: Ended::Finished, .. }));
    }
}
