//! `leash sample`: completions without a screen, into a recording.

use super::check;
use crate::cli::SampleArgs;
use crate::completion::clean;
use crate::policy::{Policy, SENT, sampling_settings};
use crate::problem::Problem;
use crate::record::{Drawn, Index, PolicyEntry, Recording, Run, Writer, format};
use crate::run::{Campaign, EventKind, Item, Lanes, Settings, is_worker};
use crate::support::repeat::{Place, Repeats};
use anyhow::{Context, Result, bail};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How often what was drawn is given to the operating system: a killed process loses no
/// more than this.
const FLUSH: Duration = Duration::from_millis(200);

/// Draws until each problem has k completions under each policy, or until it is stopped;
/// either way what was drawn is in the file.
///
/// # Errors
/// Policies or problems that cannot be opened, a file that holds another run, a full disk,
/// a policy that fails.
pub fn run(args: &SampleArgs) -> Result<ExitCode> {
    let problems = args.campaign.problems()?;
    let judge = args.campaign.judge()?;
    let policies = args.campaign.policies()?;
    let settings = args.campaign.settings();
    if let Some(words) = check::differing(&check::settings(&policies, &settings.sampling)) {
        eprintln!("leash: {words}; `leash check` with the same flags shows them side by side");
    }
    let run = described(&policies, &settings);
    let (writer, done) = open(args, &run, &problems)?;
    // At temperature 0 every draw is the same.
    let mut repeats = (settings.sampling.temperature > 0.0).then(Repeats::default);

    leave_panics_to_events();
    let bars = Bars::new(&policies, problems.len(), &settings, &done);
    let (campaign, lanes) = Campaign::judged(policies, problems.into(), settings, &done, judge);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let end = runtime.block_on(draw(campaign, lanes, writer, &bars, &mut repeats))?;

    let (drawn, wanted) = bars.finish();
    let file = args.output.display();
    let found = repeats.map_or(0, |r| r.found().len());
    if found > 0 {
        eprintln!(
            "leash: long texts that came more often than chance allows, as from one seed or one model twice: \
             {found}; `leash check {file}` shows where"
        );
    }
    match end {
        End::Complete => {
            eprintln!("{file}: {drawn} completions; `leash report {file}` gives the figures");
            Ok(ExitCode::SUCCESS)
        }
        End::Stopped => {
            eprintln!(
                "{file}: stopped at {drawn} of {wanted} completions; the same command goes on from here"
            );
            Ok(ExitCode::from(130))
        }
        End::Failed(messages) => {
            let more = if messages > 1 { format!(" ({messages} failures)") } else { String::new() };
            bail!("{file}: {drawn} of {wanted} completions are drawn and saved; the rest could not be{more}")
        }
    }
}

/// A worker's panic comes as an event; printed twice it would tear the bars.
fn leave_panics_to_events() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !is_worker() {
            print(panic);
        }
    }));
}

/// The first line of the recording.
pub(super) fn described(policies: &[Arc<dyn Policy>], settings: &Settings) -> Run {
    let entry = |(i, policy): (usize, &Arc<dyn Policy>)| PolicyEntry {
        name: policy.name().to_owned(),
        role: if i == 0 { "base".to_owned() } else { "rlvr".to_owned() },
        spec: Some(policy.spec().to_owned()),
        settings: {
            let known = sampling_settings(&settings.sampling);
            let all = policy.settings(&settings.sampling).into_iter();
            let own = all.filter(|s| known.iter().all(|k| k.name != s.name));
            own.map(|s| (s.name.into_owned(), s.value)).collect()
        },
    };
    Run {
        version: format::VERSION,
        policies: policies.iter().enumerate().map(entry).collect(),
        sampling: Some((&settings.sampling).into()),
        k: Some(settings.k),
    }
}

/// Opens the recording, and says what it has already.
fn open(args: &SampleArgs, run: &Run, problems: &[Problem]) -> Result<(Writer, Vec<Item>)> {
    let path = args.output.as_path();
    let traces = !args.no_traces;
    if std::fs::metadata(path).map_or(true, |m| m.len() == 0) {
        return Ok((Writer::create(path, run, problems, traces)?, Vec::new()));
    }
    let recording = Recording::head(path)?;
    if let Some(what) = difference(&recording, run, problems) {
        bail!(
            "{}: it holds another run: {}. Give the same flags to go on with it, or another file",
            path.display(),
            clean(&what)
        );
    }
    let (writer, cut) = Writer::resume(path, run, problems, traces)?;
    if cut > 0 {
        eprintln!("{}: the last line ended in the middle; its {cut} bytes are cut off", path.display());
    }
    let done = drawn_already(path)?;
    Ok((writer, done))
}

/// What makes a recording another run than the one asked for; `None` if it is the same.
pub(super) fn difference(recording: &Recording, run: &Run, problems: &[Problem]) -> Option<String> {
    let there = &recording.run;
    let shown = |run: &Run| -> Vec<String> {
        let spec = |p: &PolicyEntry| p.spec.clone().unwrap_or_else(|| "unknown".into());
        run.policies.iter().map(|p| format!("{} from {}", p.name, spec(p))).collect()
    };
    if !there.has_policies_of(run) {
        let entries = || there.policies.iter().zip(&run.policies);
        if shown(there) == shown(run) && entries().all(|(a, b)| a.role == b.role) {
            let sent = |entry: &PolicyEntry| entry.settings.get(SENT).cloned().unwrap_or_default();
            let other = entries().find(|(a, b)| sent(a) != sent(b));
            return other.map(|(a, b)| format!("{} was sent {:?}, not {:?}", a.name, sent(a), sent(b)));
        }
        return Some(format!("its policies are {}, not {}", shown(there).join(", "), shown(run).join(", ")));
    }
    if there.sampling != run.sampling {
        let (was, is) =
            (there.sampling.clone().unwrap_or_default(), run.sampling.clone().unwrap_or_default());
        let pairs = [
            ("temperature", shown_json(was.temperature), shown_json(is.temperature)),
            ("top-p", shown_json(was.top_p), shown_json(is.top_p)),
            ("top-k", shown_json(was.top_k), shown_json(is.top_k)),
            ("max-tokens", shown_json(was.max_tokens), shown_json(is.max_tokens)),
            ("seed", shown_json(was.seed), shown_json(is.seed)),
        ];
        let differ = pairs.iter().filter(|(_, was, is)| was != is);
        let said: Vec<String> =
            differ.map(|(name, was, is)| format!("its {name} is {was}, not {is}")).collect();
        return Some(said.join(", "));
    }
    (recording.problems != problems).then(|| match (recording.problems.len(), problems.len()) {
        (was, is) if was != is => format!("it has {was} problems, not {is}"),
        _ => "its problems are others".to_owned(),
    })
}

fn shown_json<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "none".into(), |v| v.to_string())
}

/// The completions of a recording, as ranges of indices.
fn drawn_already(path: &Path) -> Result<Vec<Item>> {
    let mut all: Vec<(usize, usize, u32)> = Vec::new();
    let mut index = Index::open(path)?;
    let _ = index.read(&mut |batch| {
        all.extend(batch.records.iter().map(|r| (r.policy(), r.problem as usize, r.counted().index)));
        ControlFlow::Continue(())
    })?;
    if let Some(wrong) = index.errors().next() {
        return Err(wrong).with_context(|| format!("{} cannot be gone on with", path.display()));
    }
    all.sort_unstable();
    let mut done: Vec<Item> = Vec::new();
    for (policy, problem, index) in all {
        match done.last_mut() {
            Some(last) if (last.policy, last.problem) == (policy, problem) && index <= last.indices.end => {
                last.indices.end = last.indices.end.max(index.saturating_add(1));
            }
            _ => done.push(Item { policy, problem, indices: index..index.saturating_add(1) }),
        }
    }
    Ok(done)
}

/// How drawing ended.
enum End {
    Complete,
    /// By a signal.
    Stopped,
    /// After so many failures of policies.
    Failed(usize),
}

async fn draw(
    campaign: Campaign,
    mut lanes: Lanes,
    mut writer: Writer,
    bars: &Bars,
    repeats: &mut Option<Repeats>,
) -> Result<End> {
    let mut flush = tokio::time::interval(FLUSH);
    let mut failures = 0;
    // Whether the disk is full, and whose completions wait to be saved.
    let (mut full, mut fresh) = (false, Vec::new());
    let stop = stopped();
    tokio::pin!(stop);
    let end = loop {
        tokio::select! {
            _ = &mut stop => break End::Stopped,
            _ = flush.tick() => {
                full = match writer.flush() {
                    Ok(()) => {
                        bars.saved(&mut fresh);
                        false
                    }
                    // It is tried again with each tick; until then nothing more is taken.
                    Err(error) if !full => {
                        bars.say(&format!("{error}; drawing waits until it can be written"));
                        true
                    }
                    Err(_) => true,
                };
                bars.speed(lanes.gauge.borrow().tokens_per_second);
            }
            event = lanes.events.recv(), if !full => match event.map(|e| e.kind) {
                Some(EventKind::Drawn(batch)) => {
                    keep(&batch, &mut writer, &mut fresh, repeats);
                }
                Some(EventKind::Noted { message, .. }) => bars.say(&message),
                Some(EventKind::Failed { message, .. } | EventKind::Panicked { message }) => {
                    failures += 1;
                    bars.say(&message);
                }
                Some(EventKind::Finished) if failures > 0 => break End::Failed(failures),
                Some(EventKind::Finished) | None => break End::Complete,
            },
        }
    };
    // What is on its way when a signal comes is kept as well.
    drop(campaign);
    while let Some(event) = lanes.events.recv().await {
        if let EventKind::Drawn(batch) = event.kind {
            keep(&batch, &mut writer, &mut fresh, repeats);
        }
    }
    writer.sync()?;
    bars.saved(&mut fresh);
    Ok(end)
}

/// Gives completions to the writer.
fn keep(batch: &[Drawn], writer: &mut Writer, fresh: &mut Vec<usize>, repeats: &mut Option<Repeats>) {
    for drawn in batch {
        // What cannot be written is kept by the writer, and told with the next flush.
        let _ = writer.append(drawn);
        fresh.push(drawn.policy);
        if let Some(repeats) = repeats {
            let Drawn { policy, problem, completion, .. } = drawn;
            let place = Place { policy: *policy, problem: *problem, index: completion.index };
            repeats.add(place, &completion.text, completion.logprob);
        }
    }
}

/// Returns when the process is asked to end: Ctrl-C, or a polite kill.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut term), Ok(mut hangup)) =
            (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
                _ = hangup.recv() => {}
            }
            return;
        }
    }
    // Without handlers for signals the default action ends the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// One progress bar a policy, with the time left. They show nothing where the standard
/// error is no terminal.
struct Bars {
    all: MultiProgress,
    each: Vec<ProgressBar>,
}

impl Bars {
    fn new(policies: &[Arc<dyn Policy>], problems: usize, settings: &Settings, done: &[Item]) -> Self {
        let style = "{prefix} {bar:30} {human_pos}/{human_len}  {eta} left  {msg}";
        let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let width = policies.iter().map(|p| p.name().len()).max().unwrap_or(0);
        let all = MultiProgress::new();
        let bar = |(i, policy): (usize, &Arc<dyn Policy>)| {
            let have =
                |item: &Item| u64::from(item.indices.end.min(settings.k).saturating_sub(item.indices.start));
            let position = done.iter().filter(|item| item.policy == i).map(have).sum();
            let bar = ProgressBar::new(problems as u64 * u64::from(settings.k)).with_position(position);
            let bar = all.add(bar.with_style(style.clone()).with_prefix(format!("{:width$}", policy.name())));
            bar.reset_eta();
            bar
        };
        Self { each: policies.iter().enumerate().map(bar).collect(), all }
    }

    /// These policies' completions are saved.
    fn saved(&self, fresh: &mut Vec<usize>) {
        fresh.drain(..).for_each(|policy| self.each[policy].inc(1));
    }

    fn speed(&self, tokens_per_second: f64) {
        if let Some(bar) = self.each.last() {
            bar.set_message(format!("{:.1}k tok/s", tokens_per_second / 1000.0));
        }
    }

    fn say(&self, message: &str) {
        self.all.suspend(|| eprintln!("leash: {}", clean(message)));
    }

    /// Leaves the bars as they are; completions drawn and wanted.
    fn finish(&self) -> (u64, u64) {
        self.each.iter().for_each(ProgressBar::abandon);
        let sum = |of: fn(&ProgressBar) -> u64| self.each.iter().map(of).sum();
        (sum(ProgressBar::position), sum(|bar| bar.length().unwrap_or(0)))
    }
}
