//! Clusters of solutions whose headings are gone, against the methods that wrote them.

use leash::random::Stream;
use leash::support::cluster::{adjusted_rand, clusters};
use leash::train::corpus::{Care, SHARES, training_herd, write};

/// The words that name a method, which a solver of another upbringing would not write.
const HEADINGS: [&str; 6] = [" Multiply:", " Total:", " Group:", " Count:", " Pairs:", " At a glance:"];

/// The mean index over problems, each with 240 solutions by the methods' shares of the
/// corpus.
fn agreement(care: Care) -> f64 {
    let mut sum = 0.0;
    let mut problems = 0;
    for i in 0..40 {
        let mut stream = Stream::new(6).at(i);
        let herd = training_herd(&mut stream);
        let animals: u32 = herd.iter().map(|(_, n)| n).sum();
        // On one kind of animal most ways are one, and one animal is no count.
        if herd.len() < 2 || animals < 3 {
            continue;
        }
        let (mut texts, mut methods) = (Vec::new(), Vec::new());
        for _ in 0..240 {
            let method = stream.weighted(&SHARES.map(|(_, share)| share));
            let text = write(&herd, SHARES[method].0, care, &mut stream);
            texts.push(HEADINGS.iter().fold(text, |t, h| t.replacen(h, "", 1)));
            methods.push(method);
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut found = vec![0; texts.len()];
        for (number, cluster) in clusters(&texts).iter().enumerate() {
            cluster.members.iter().for_each(|m| found[*m] = number);
        }
        sum += adjusted_rand(&methods, &found).expect("240 solutions each");
        problems += 1;
    }
    assert!(problems > 30);
    sum / f64::from(problems)
}

#[test]
fn methods_are_told_apart_without_their_headings() {
    let (perfect, usual) = (agreement(Care::Perfect), agreement(Care::Usual));
    assert!(perfect >= 0.95, "without mistakes {perfect}");
    assert!(usual >= 0.9, "with mistakes {usual}");
}
