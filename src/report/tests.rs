use super::*;
use crate::record::Recording;
use crate::support::{Criterion, Unit};

/// Two problems, four completions each. The base is the second policy of the file.
///
/// p1, reference 42: base 42 42 7 –, RLVR 42 42 42 42. p2, reference 8: base 8 9 9 9,
/// RLVR 9 9 9 9. So problem: P 1, S 1.
fn recording() -> (tempfile::TempDir, Recording) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let mut text = String::from(
        r#"{"kind":"run","version":1,"policies":[{"name":"tuned","role":"rlvr"},{"name":"start","role":"base","spec":"x:y"}],"sampling":{"temperature":0.6}}
{"kind":"problem","id":"p1","prompt":"?","reference":"42"}
{"kind":"problem","id":"p2","prompt":"?","reference":"8"}
"#,
    );
    let draws = [
        ("p1", "start", ["42", "42", "7", "none"]),
        ("p1", "tuned", ["42", "42", "42", "42"]),
        ("p2", "start", ["8", "9", "9", "9"]),
        ("p2", "tuned", ["9", "9", "9", "9"]),
    ];
    for (problem, policy, answers) in draws {
        for (i, answer) in answers.iter().enumerate() {
            let said = if *answer == "none" { "no idea".into() } else { format!("\\\\boxed{{{answer}}}") };
            text += &format!(
                r#"{{"kind":"completion","problem":"{problem}","policy":"{policy}","index":{i},"text":"{said}","tokens":{},"token_entropy":0.5}}"#,
                i + 1
            );
            text.push('\n');
        }
    }
    std::fs::write(&path, text).unwrap();
    let recording = Recording::open(&path).unwrap();
    (folder, recording)
}

fn report(k: Option<u32>, lens: &Lens) -> Report {
    let (_folder, recording) = recording();
    let loaded = load(&recording, k, lens.sound).unwrap();
    assert!(loaded.wrong.is_empty() && loaded.stray == 0);
    Report::new(&loaded.run, &loaded.problems, &loaded.ledger, lens)
}

fn near(value: &serde_json::Value, want: f64) -> bool {
    value.as_f64().is_some_and(|v| (v - want).abs() < 1e-6)
}

#[test]
fn an_entropy_that_is_only_bounded_is_an_interval_in_every_format() {
    let line = |policy: &str, entropy: &str| {
        format!(r#"{{"kind":"completion","problem":"p","policy":"{policy}","index":0,"text":"4",{entropy}}}"#)
    };
    let text = [
        r#"{"kind":"run","version":1,"policies":[{"name":"base","role":"base"},{"name":"rlvr","role":"rlvr"}]}"#,
        r#"{"kind":"problem","id":"p","prompt":"2+2?","reference":"4"}"#,
        &line("base", r#""token_entropy_range":[0.25,0.75]"#),
        &line("rlvr", r#""token_entropy":0.5"#),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    std::fs::write(&path, text.join("\n") + "\n").unwrap();
    let loaded = load(&Recording::open(&path).unwrap(), None, false).unwrap();
    let report = Report::new(&loaded.run, &loaded.problems, &loaded.ledger, &Lens::default());
    let of = |i: usize| (report.policies[i].token_entropy, report.policies[i].token_entropy_range);
    assert_eq!((of(0), of(1)), ((None, Some([0.25, 0.75])), (Some(0.5), Some([0.5, 0.5]))));
    assert!(report.table(None).contains("[0.250, 0.750]"), "{}", report.table(None));
    assert!(report.markdown(None).contains("[0.250, 0.750]"));
    let csv = report.policies_csv();
    assert!(csv.contains("token entropy low,token entropy high\n") && csv.contains(",0.25,0.75\n"), "{csv}");
    assert!(csv.contains(",0.5,") && csv.contains(",0.5,0.5\n"), "{csv}");
}

#[test]
fn the_json_of_a_small_run_is_as_computed_by_hand() {
    let json: serde_json::Value = serde_json::from_str(&report(None, &Lens::default()).json()).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!((&json["k"], &json["k_max"]), (&4.into(), &4.into()));
    assert_eq!(json["sampling"]["temperature"], 0.6);
    assert!(json["sampling"]["top_p"].is_null());

    let (base, rlvr) = (&json["policies"][0], &json["policies"][1]);
    assert_eq!(
        (&base["name"], &base["spec"], &rlvr["name"]),
        (&"start".into(), &"x:y".into(), &"tuned".into())
    );
    assert_eq!((&base["n"], &base["correct"], &rlvr["correct"]), (&8.into(), &3.into(), &4.into()));
    assert!(near(&base["token_entropy"], 0.5) && near(&base["mean_tokens"], 2.5));
    // p1: classes 2, 1, 1 of 4; p2: 1, 3 of 4.
    let h = |shares: &[f64]| -shares.iter().map(|p| p * p.ln()).sum::<f64>();
    assert!(near(&base["answer_entropy"], (h(&[0.5, 0.25, 0.25]) + h(&[0.25, 0.75])) / 2.0));
    assert!(near(&rlvr["answer_entropy"], 0.0));

    let curve = |policy: &serde_json::Value| -> Vec<(u64, f64)> {
        let points = policy["pass_at_k"].as_array().unwrap();
        points.iter().map(|p| (p["k"].as_u64().unwrap(), p["value"].as_f64().unwrap())).collect()
    };
    // 1 − C(n−c, k)/C(n, k): p1 with c = 2 gives 1/2, 5/6, 1; p2 with c = 1 gives 1/4, 1/2, 1.
    let want = [(1, 0.375), (2, (5.0 / 6.0 + 0.5) / 2.0), (4, 1.0)];
    for ((k, value), (want_k, want)) in curve(base).into_iter().zip(want) {
        assert!(k == want_k && (value - want).abs() < 1e-12, "{k} {value}");
    }
    assert_eq!(curve(rlvr), [(1, 0.5), (2, 0.5), (4, 0.5)]);
    // 0.375 < 0.5 at k = 1, 0.667 > 0.5 at k = 2.
    assert_eq!(json["crossing"], 2);

    let d = &json["dynamics"]["problem"];
    assert_eq!([&d["p"], &d["e"], &d["s"], &d["o"]], [1, 0, 1, 0].map(serde_json::Value::from).each_ref());
    assert!(near(&d["srr"], 0.5) && near(&d["ndr"], 0.0) && near(&d["sds"], 0.0) && near(&d["nscr"], -0.5));
    assert!(d["intervals"]["srr"][0].as_f64().unwrap() < 0.5);
    // The formula at k = 4: p1 at p = 1/2, p2 at p = 1/4.
    let miss = |p: f64| (1.0 - p).powi(4);
    let floor = [0.5, 0.25].map(|p| (1.0 - miss(p)) * miss(p)).iter().sum();
    assert!(near(&d["noise_floor"]["e"], floor), "{}", d["noise_floor"]);
    assert_eq!(json["dynamics"]["answer"]["s"], 1);
    // No task: no methods, so nothing is defined.
    assert!(json["dynamics"]["method"]["srr"].is_null());
    assert_eq!(json["pairs"][0]["dynamics"], json["dynamics"]);

    let p = &json["problems"][0];
    assert_eq!((&p["id"], &p["status"], &p["k"]), (&"p1".into(), &"P".into(), &4.into()));
    assert_eq!(p["hits"], serde_json::json!([2, 4]));
    assert_eq!(p["pass_rate"], serde_json::json!([0.5, 1.0]));
    let first = &p["clusters"][0];
    assert_eq!((&first["answer"], &first["correct"]), (&"42".into(), &true.into()));
    assert_eq!(first["hits"], serde_json::json!([2, 4]));
    assert!(p["clusters"].as_array().unwrap().iter().any(|c| c["answer"].is_null()));
    assert_eq!(json["problems"][1]["status"], "S");
}

#[test]
fn the_json_holds_what_was_added_to_the_schema() {
    let json: serde_json::Value = serde_json::from_str(&report(None, &Lens::default()).json()).unwrap();
    let (base, rlvr) = (&json["policies"][0], &json["policies"][1]);
    assert_eq!(base["avg_at_k"]["k"], 4);
    assert!(near(&base["avg_at_k"]["value"], 0.375) && near(&rlvr["avg_at_k"]["value"], 0.5));
    // The votes of all four: 42 (2 of 3) wins p1, 9 wins p2.
    assert!(near(&base["maj_at_k"][2]["value"], 0.5));
    // All of two: p1 with 2 of 4 correct, C(2,2)/C(4,2).
    assert!(near(&base["pass_hat_k"][1]["value"], 1.0 / 12.0) && near(&rlvr["pass_hat_k"][2]["value"], 0.5));
    let cover = |p: &serde_json::Value, tau: f64| {
        let all = p["cover_at_tau"].as_array().unwrap().clone();
        all.into_iter().find(|c| c["tau"] == tau).unwrap()["value"].as_f64().unwrap()
    };
    assert_eq!((cover(base, 0.2), cover(base, 0.5), cover(rlvr, 1.0)), (1.0, 0.5, 0.5));
    assert!(
        near(&base["coverage"]["answer"][2]["value"], 1.0)
            && near(&rlvr["coverage"]["answer"][0]["value"], 0.5)
    );
    // 42 twice, 8 once: one in three correct completions was of an answer seen once.
    assert_eq!(base["unseen"]["answer"]["seen"], 2);
    assert!(near(&base["unseen"]["answer"]["missing_mass"], 1.0 / 3.0));
    assert!(base["unseen"]["answer"]["words"].as_str().unwrap().contains("33 %"));
    assert!(base["unseen"]["method"].is_null());
    // Nobody says 8 on p1 or 42 on p2.
    assert!(base["luck_floor"].as_array().unwrap().iter().all(|p| near(&p["value"], 0.0)));
    assert_eq!(base["luck_floor"].as_array().unwrap().len(), 3);
    assert_eq!(base["rules"], serde_json::json!([{"rule": null, "n": 1}, {"rule": "box", "n": 7}]));

    assert_eq!(json["divergence"]["reading"], "still");
    assert_eq!(json["divergence"]["token_entropy"], serde_json::json!([0.5, 0.5]));
    assert_eq!(json["dynamics"]["problem"]["regime"]["name"], "inefficient redistribution");
    assert_eq!(json["dynamics"]["problem"]["regime"]["because"], "SRR < 0.8, NDR < 0.1");
    assert!(json["dynamics"]["method"]["regime"].is_null());

    let change = &json["problems"][1]["change"];
    assert_eq!((&change["certain"], &change["p_value"]), (&false.into(), &1.0.into()));
    assert!(change["deciding_k"].as_u64().unwrap() > 8);
    let bound = &change["bounds"][1];
    assert!(near(&bound["exact"], 1.0 - 0.05f64.powf(0.25)) && near(&bound["epsilon"], -0.05f64.ln() / 4.0));
    assert!(change["bounds"][0].is_null() && near(&change["q_value"], 1.0));
    assert_eq!(json["problems"][0]["change"]["certain"], true);
    assert!(json["problems"][1]["format"].is_null());
    assert_eq!(json["problems"][0]["clusters"][0]["change"]["certain"], true);
}

#[test]
fn k_and_the_criterion_change_what_is_in_support() {
    let early = report(Some(2), &Lens::default());
    assert_eq!((early.k, early.policies[0].n), (Some(2), 4));
    assert_eq!(early.dynamics.unwrap().problem.p, 1);
    let lens = Lens { criterion: Criterion::Found { min_hits: 2 }, ..Lens::default() };
    let twice = report(None, &lens).dynamics.unwrap().problem;
    assert_eq!((twice.p, twice.s, twice.o), (1, 0, 1));
    let lens = Lens { criterion: Criterion::Threshold { zeta: 0.05 }, ..Lens::default() };
    let threshold = report(None, &lens);
    assert_eq!((threshold.criterion.min_hits, threshold.criterion.zeta), (3, Some(0.05)));
    assert_eq!(threshold.dynamics.unwrap().problem.e, 1);
}

#[test]
fn without_anyone_to_check_steps_nothing_is_sound() {
    let sound = report(None, &Lens { sound: true, ..Lens::default() });
    assert_eq!((sound.policies[0].correct, sound.policies[1].correct), (0, 0));
    assert_eq!(sound.dynamics.unwrap().problem.o, 2);
}

#[test]
fn tables_hold_every_unit_and_every_problem() {
    let report = report(None, &Lens::default());
    let table = report.table(None);
    for text in [
        "start → tuned, at k = 4; the curves cross at k = 2",
        "completion",
        "p2",
        "1/4",
        "–",
        "luck of tuned",
        "Cover@0.5",
        "by problems: inefficient redistribution (SRR < 0.8, NDR < 0.1)",
        "about 33 % of the correct probability of start is on answers not seen yet",
    ] {
        assert!(table.contains(text), "{text} is not in\n{table}");
    }
    let one = report.table(Some(Unit::Method));
    assert!(one.contains("\nmethod ") && !one.contains("\nanswer "));
    assert!(report.markdown(None).contains("| p1 | 4 | P | certain | 2/4 | 4/4 |"));
    assert_eq!(
        report.csv(),
        "id,reference,k,status,start n,start hits,start pass_rate,tuned n,tuned hits,tuned pass_rate\n\
         p1,42,4,P,4,2,0.5,4,4,1\np2,8,4,S,4,1,0.25,4,0,0\n"
    );
    for (csv, row) in [
        (report.clusters_csv(), "\np1,42,"),
        (report.curves_csv(), "\nstart,1,0.375,"),
        (report.support_csv(), "\nstart,tuned,4,problem,1,0,1,0,0.5,"),
        (report.policies_csv(), "\nstart,"),
    ] {
        let columns = csv.lines().next().unwrap().split(',').count();
        assert!(csv.contains(row), "{row:?} is not in\n{csv}");
        assert!(csv.lines().all(|l| l.contains('"') || l.split(',').count() == columns), "{csv}");
    }
}

#[test]
fn a_run_of_nothing_reports_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    for policies in
        [r#"[{"name":"b","role":"base"}]"#, r#"[{"name":"b","role":"base"},{"name":"r","role":"rlvr"}]"#]
    {
        let head = format!("{{\"kind\":\"run\",\"version\":1,\"policies\":{policies}}}\n");
        std::fs::write(&path, head + "{\"kind\":\"problem\",\"id\":\"p\",\"prompt\":\"?\"}\n").unwrap();
        let loaded = load(&Recording::open(&path).unwrap(), None, false).unwrap();
        let report = Report::new(&loaded.run, &loaded.problems, &loaded.ledger, &Lens::default());
        assert_eq!((report.k, report.crossing), (None, None));
        assert!(report.policies[0].pass_at_k.is_empty() && report.policies[0].token_entropy.is_none());
        assert!(report.problems[0].status.is_none());
        assert!(report.table(None).contains('–'));
        assert!(!report.json().contains("NaN"));
    }
}
