//! Clusters of any texts: by the form of their steps, and where there are none, by how
//! alike their words are.

use super::form::Form;
use super::table::hash;
use std::collections::BTreeMap;

/// Texts that go the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextCluster {
    /// A short name for people, made from the steps, or from the first words of the
    /// representative where there are no steps.
    pub name: String,
    /// The texts, by number, in order.
    pub members: Vec<usize>,
    /// The member that is most like the others.
    pub medoid: usize,
}

/// Texts with so much in common (Jaccard) are one cluster.
pub const ALIKE: f64 = 0.4;

/// Clusters of texts, the largest first. Texts with steps are put together by [`Form`];
/// the others join the first cluster whose first text they are [`ALIKE`].
pub fn clusters(texts: &[&str]) -> Vec<TextCluster> {
    let mut by_form: BTreeMap<Form, Vec<usize>> = BTreeMap::new();
    for (i, text) in texts.iter().enumerate() {
        by_form.entry(Form::of(text)).or_default().push(i);
    }
    let mut all = Vec::new();
    for (form, members) in by_form {
        if !form.is_empty() {
            let medoid = medoid(texts, &members);
            all.push(TextCluster { name: form.name(), members, medoid });
            continue;
        }
        let groups = by_words(texts, &members);
        let alone = groups.len() == 1;
        for members in groups {
            let medoid = medoid(texts, &members);
            let name = if alone { form.name() } else { opening(texts[medoid]) };
            all.push(TextCluster { name, members, medoid });
        }
    }
    all.sort_by_key(|c| (std::cmp::Reverse(c.members.len()), c.members[0]));
    all
}

/// The text that is most like the others, to stand for them. `None` of none.
pub fn representative(texts: &[&str]) -> Option<usize> {
    (!texts.is_empty()).then(|| medoid(texts, &(0..texts.len()).collect::<Vec<_>>()))
}

/// The method of a text for tasks that know no methods: the name of its form, `None` where
/// it shows no steps.
pub fn method(text: &str) -> Option<String> {
    Some(Form::of(text)).filter(|f| !f.is_empty()).map(|f| f.name())
}

/// How alike two groupings of the same things are, corrected for chance (Hubert & Arabie
/// 1985): 1 if equal, about 0 if unrelated. `None` for fewer than two things, or different
/// numbers of them.
pub fn adjusted_rand(a: &[usize], b: &[usize]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let pairs = |groups: BTreeMap<(usize, usize), f64>| {
        groups.into_values().map(|n| n * (n - 1.0) / 2.0).sum::<f64>()
    };
    let grouped = |key: &dyn Fn(usize) -> (usize, usize)| {
        let mut groups = BTreeMap::new();
        (0..a.len()).for_each(|i| *groups.entry(key(i)).or_insert(0.0) += 1.0);
        pairs(groups)
    };
    let both = grouped(&|i| (a[i], b[i]));
    let (in_a, in_b) = (grouped(&|i| (a[i], 0)), grouped(&|i| (0, b[i])));
    let all = a.len() as f64 * (a.len() as f64 - 1.0) / 2.0;
    let (expected, most) = (in_a * in_b / all, (in_a + in_b) / 2.0);
    // All in one group, or each alone, in both.
    Some(if most == expected { 1.0 } else { (both - expected) / (most - expected) })
}

/// Leaders: a text joins the first group whose first text it is like.
fn by_words(texts: &[&str], members: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: Vec<(Vec<u64>, Vec<usize>)> = Vec::new();
    for &i in members {
        let shingles = shingles(texts[i]);
        match groups.iter_mut().find(|(leader, _)| similarity(leader, &shingles) >= ALIKE) {
            Some((_, group)) => group.push(i),
            None => groups.push((shingles, vec![i])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The member most like the others, among at most 48 spread over the cluster.
fn medoid(texts: &[&str], members: &[usize]) -> usize {
    const MOST: usize = 48;
    let step = members.len().div_ceil(MOST).max(1);
    let few: Vec<(usize, Vec<u64>)> =
        members.iter().step_by(step).map(|&i| (i, shingles(texts[i]))).collect();
    let likeness = |s: &Vec<u64>| few.iter().map(|(_, other)| similarity(s, other)).sum::<f64>();
    let best = few.iter().rev().max_by(|a, b| likeness(&a.1).total_cmp(&likeness(&b.1)));
    best.map_or(0, |(i, _)| *i)
}

/// Every three words in a row, numbers as one word, in the order of their hashes.
fn shingles(text: &str) -> Vec<u64> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        let number = word.chars().all(|c| c.is_ascii_digit());
        words.push(if number { "#".into() } else { word.to_lowercase() });
    }
    let mut all: Vec<u64> = words.windows(words.len().clamp(1, 3)).map(|w| hash(&w.join(" "))).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Jaccard's similarity of two sorted sets; 1 for two empty ones.
fn similarity(a: &[u64], b: &[u64]) -> f64 {
    let common = a.iter().filter(|h| b.binary_search(h).is_ok()).count();
    let all = a.len() + b.len() - common;
    if all == 0 { 1.0 } else { common as f64 / all as f64 }
}

/// The first words, as a name.
fn opening(text: &str) -> String {
    let clean = crate::completion::clean(text);
    let words: Vec<&str> = clean.split_whitespace().take(5).collect();
    match words.join(" ") {
        empty if empty.is_empty() => "empty text".into(),
        long if long.chars().count() > 32 => format!("“{}…”", long.chars().take(31).collect::<String>()),
        short => format!("“{short}…”"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_first_then_words() {
        let texts = [
            "3 x 8 = 24, 2 x 4 = 8. 24 + 8 = 32.",
            "We know that the answer to this is surely 32 legs in all.",
            "5 x 8 = 40, 3 x 4 = 12. 40 + 12 = 52.",
            "3 spiders x 8 = 24, 2 dogs x 4 = 8. 24 + 8 = 32. Done, and done.",
            "We know that the answer to this is surely 52 legs in all.",
            "By the theorem of Pythagoras, nothing follows from anything here.",
            "",
        ];
        let found = clusters(&texts);
        let members: Vec<Vec<usize>> = found.iter().map(|c| c.members.clone()).collect();
        assert_eq!(members, [vec![0, 2, 3], vec![1, 4], vec![5], vec![6]]);
        let names: Vec<&str> = found.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "products, their sum",
                "“We know that the answer…”",
                "“By the theorem of Pythagoras,…”",
                "empty text"
            ]
        );
        // The plain ones are more like each other than the one with animals.
        assert_eq!(found[0].medoid, 0);
        assert!(clusters(&[]).is_empty());
        assert_eq!(clusters(&["42", "7"])[0].name, "no steps");
    }

    #[test]
    fn one_text_stands_for_the_others() {
        assert_eq!(representative(&["a b c d", "a b c d e f g h", "a b c d e"]), Some(2));
        assert_eq!((representative(&[]), representative(&[""])), (None, Some(0)));
    }

    #[test]
    fn a_text_has_a_method_if_it_has_steps() {
        assert_eq!(method("2 x 3 = 6").as_deref(), Some("products"));
        assert_eq!(method("six"), None);
    }

    #[test]
    fn the_adjusted_rand_index_gives_the_textbook_figures() {
        let near = |a: &[usize], b: &[usize], want: f64| {
            let got = adjusted_rand(a, b).unwrap();
            assert!((got - want).abs() < 1e-9, "{got}");
        };
        near(&[0, 0, 1, 1], &[5, 5, 2, 2], 1.0);
        near(&[0, 0, 1, 2], &[0, 0, 1, 1], 4.0 / 7.0);
        near(&[0, 0, 1, 1], &[0, 1, 0, 1], -0.5);
        near(&[0, 0, 0], &[1, 1, 1], 1.0);
        assert_eq!((adjusted_rand(&[0], &[0]), adjusted_rand(&[0, 1], &[0])), (None, None));
    }

    proptest! {
        #[test]
        fn every_text_is_in_one_cluster(texts in prop::collection::vec("[a-c ]{0,12}|[0-9 x+=]{0,12}", 0..30)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let found = clusters(&texts);
            let mut all: Vec<usize> = found.iter().flat_map(|c| c.members.clone()).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..texts.len()).collect::<Vec<_>>());
            prop_assert!(found.iter().all(|c| c.members.contains(&c.medoid) && !c.name.is_empty()));
        }
    }
}
