//! What the command line takes and what it refuses.

use super::*;
use crate::model::Sampling;
use clap::CommandFactory;

fn parsed(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn without_flags_it_is_the_embedded_pair_on_the_held_out_suite() {
    let Cli { explore: ExploreArgs { campaign, .. }, command, .. } = parsed("leash").unwrap();
    assert!(command.is_none());
    assert_eq!(
        (campaign.base().as_str(), &campaign.rlvr()[..]),
        ("embedded:base", &["embedded:rlvr".into()][..])
    );
    assert_eq!(campaign.problems().unwrap(), Suite::HeldOut.problems());
    let settings = campaign.settings();
    assert_eq!((settings.k, &settings.sampling), (1024, &Sampling::default()));
    assert!(settings.threads >= 1);
}

#[test]
fn problems_come_from_where_the_flags_say() {
    let ids = |line: &str| -> Vec<String> {
        parsed(line).unwrap().explore.campaign.problems().unwrap().into_iter().map(|p| p.id).collect()
    };
    assert_eq!(
        ids("leash --suite development --count 2"),
        ["leg_counting/development/0", "leg_counting/development/1"]
    );
    assert_eq!(ids("leash --task leg_counting:hard --count 1 --seed 7"), ["leg_counting/hard/7/0"]);
    assert_eq!(ids("leash --task leg_counting").len(), 50);
    assert_eq!(
        ids("leash --task dice,dice:hard --task dice:easy,arc_1d --count 1"),
        ["dice/easy/0/0", "dice/hard/0/0", "arc_1d/easy/0/0"]
    );
    let said = parsed("leash --grader exact").unwrap().explore.campaign.problems().unwrap_err().to_string();
    assert!(said.contains("name one with --problems"), "{said}");
}

#[test]
fn policies_have_names_of_their_own() {
    let names = |line: &str| parsed(line).unwrap().explore.campaign.names();
    assert_eq!(names("leash"), ["base", "rlvr"]);
    assert_eq!(names("leash --task countdown"), ["base", "rlvr"]);
    assert_eq!(
        names("leash --rlvr embedded:rlvr@40 a/folder b/folder --rlvr embedded:base"),
        ["base", "rlvr@40", "rlvr", "rlvr 2", "rlvr 3"]
    );
}

#[test]
fn the_embedded_pair_is_that_of_the_task() {
    let specs = |line: &str| {
        let campaign = parsed(line).unwrap().explore.campaign;
        [vec![campaign.base()], campaign.rlvr()].concat().join(" ")
    };
    let countdown = "embedded:countdown-base embedded:countdown-rlvr";
    assert_eq!(specs("leash --task countdown"), countdown);
    assert_eq!(specs("leash --task countdown,countdown:easy"), countdown);
    assert_eq!(specs("leash --task countdown --timeline"), countdown);
    assert_eq!(specs("leash --task countdown,leg_counting"), "embedded:base embedded:rlvr");
    assert_eq!(specs("leash --task dice"), "embedded:base embedded:rlvr");
    assert_eq!(specs("leash --task countdown --base a --rlvr b c"), "a b c");
    assert!(specs("leash --timeline").starts_with("embedded:base embedded:rlvr@10 "));
}

#[test]
fn wrong_figures_are_refused_with_the_range() {
    for (line, says) in [
        ("leash --top-p 0", "above 0 and at most 1"),
        ("leash --temperature -1", "0 or more"),
        ("leash --temperature=NaN", "0 or more"),
        ("leash --threads 0", "at least 1"),
        ("leash --k 0", "1..="),
        ("leash --task sums", "leg_counting, family_relationships"),
        ("leash --suite x", "development"),
        ("leash --problems f --task dice", "cannot be used with"),
        ("leash --problems f --grader sums", "there is no grader `sums`"),
        ("leash --verifier-limit 0", "above 0"),
        ("leash --problems f --wording x", "it must hold {prompt}"),
        ("leash --task leg_counting --suite heldout", "cannot be used with"),
        ("leash report r.jsonl --zeta 1", "between 0 and 1"),
        ("leash report r.jsonl --unit token", "completion"),
        ("leash sample", "--output"),
    ] {
        let said = parsed(line).unwrap_err().to_string();
        assert!(said.contains(says), "{line}: {said}");
    }
}

#[test]
fn a_lens_takes_the_figure_of_its_criterion() {
    let lens = |flags: &str| {
        let Some(Command::Report(args)) = parsed(&format!("leash report r{flags}")).unwrap().command else {
            unreachable!("it is a report")
        };
        args.lens().map(|l| l.criterion).map_err(|e| e.to_string())
    };
    assert_eq!(lens(""), Ok(Criterion::default()));
    assert_eq!(lens(" --min-hits 3"), Ok(Criterion::Found { min_hits: 3 }));
    assert_eq!(lens(" --criterion threshold --zeta 0.1"), Ok(Criterion::Threshold { zeta: 0.1 }));
    assert!(lens(" --zeta 0.1").unwrap_err().contains("--criterion threshold"));
    assert!(lens(" --criterion threshold --min-hits 2").unwrap_err().contains("--criterion found"));
}
