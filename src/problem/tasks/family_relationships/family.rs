//! A family of three generations, and who is what to whom.

use crate::random::Stream;
use serde_json::{Value, json};

struct Person {
    name: String,
    female: bool,
    spouse: Option<usize>,
    parents: Vec<usize>,
}

/// People, by number.
pub(super) struct Family {
    people: Vec<Person>,
}

const WOMEN: [&str; 16] = [
    "Ada", "Bella", "Clara", "Dora", "Edith", "Freya", "Greta", "Helen", "Iris", "June", "Kate", "Lena",
    "Maud", "Nora", "Olga", "Petra",
];
const MEN: [&str; 16] = [
    "Adam", "Boris", "Carl", "Dennis", "Eric", "Felix", "Gustav", "Hugo", "Ivan", "Jonas", "Klaus", "Leo",
    "Max", "Nils", "Oscar", "Paul",
];

impl Family {
    /// A family of `size` people, 4 to 9: the father's parents, father and mother, from 7 on
    /// the mother's parents too, from 9 on an uncle and his wife, children.
    pub(super) fn draw(size: usize, stream: &mut Stream) -> Family {
        let (mut women, mut men) = (WOMEN.to_vec(), MEN.to_vec());
        stream.shuffle(&mut women);
        stream.shuffle(&mut men);
        let mut family = Family { people: Vec::new() };
        let mut add = |female: bool, parents: &[usize]| {
            let name = if female { women.pop() } else { men.pop() }.unwrap_or_default().to_owned();
            family.people.push(Person { name, female, spouse: None, parents: parents.to_vec() });
            family.people.len() - 1
        };
        let mut couples = vec![(add(false, &[]), add(true, &[]))];
        let elders = [couples[0].0, couples[0].1];
        let mothers_side = if size > 6 {
            couples.push((add(false, &[]), add(true, &[])));
            vec![couples[1].0, couples[1].1]
        } else {
            Vec::new()
        };
        let mut young = vec![(add(false, &elders), add(true, &mothers_side))];
        if size > 8 {
            young.push((add(false, &elders), add(true, &[])));
        }
        couples.extend(&young);
        for _ in 2 * couples.len()..size {
            let (a, b) = young[stream.below(young.len())];
            add(stream.chance(0.5), &[a, b]);
        }
        for (a, b) in couples {
            family.people[a].spouse = Some(b);
            family.people[b].spouse = Some(a);
        }
        family
    }

    pub(super) fn name(&self, person: usize) -> &str {
        &self.people[person].name
    }

    /// Every pair with a relationship: the first is that to the second.
    pub(super) fn related(&self) -> Vec<(usize, usize, &'static str)> {
        let n = self.people.len();
        let all = (0..n).flat_map(|a| (0..n).map(move |b| (a, b)));
        all.filter_map(|(a, b)| Some((a, b, self.relation(a, b)?))).collect()
    }

    /// Whether `one` is `word` to `other`, by their names; `None` if one is not of the family.
    pub(super) fn holds(&self, one: &str, other: &str, word: &str) -> Option<bool> {
        let find = |name: &str| self.people.iter().position(|p| p.name.eq_ignore_ascii_case(name));
        Some(self.relation(find(one)?, find(other)?) == Some(word))
    }

    /// What `a` is to `b`.
    fn relation(&self, a: usize, b: usize) -> Option<&'static str> {
        let (one, other) = (&self.people[a], &self.people[b]);
        let by = |woman, man| Some(if one.female { woman } else { man });
        let parents = |p: usize| &self.people[p].parents;
        let grandparents = |p: usize| parents(p).iter().flat_map(|q| parents(*q)).collect::<Vec<_>>();
        let siblings = |p: usize, q: usize| p != q && !parents(p).is_empty() && parents(p) == parents(q);
        if a == b {
            None
        } else if other.parents.contains(&a) {
            by("mother", "father")
        } else if one.parents.contains(&b) {
            by("daughter", "son")
        } else if one.spouse == Some(b) {
            by("wife", "husband")
        } else if siblings(a, b) {
            by("sister", "brother")
        } else if grandparents(b).contains(&&a) {
            by("grandmother", "grandfather")
        } else if other.parents.iter().any(|p| siblings(*p, a)) {
            by("aunt", "uncle")
        } else if one.parents.iter().any(|p| siblings(*p, b)) {
            by("niece", "nephew")
        } else if other.spouse.is_some_and(|s| parents(s).contains(&a)) {
            by("mother-in-law", "father-in-law")
        } else {
            None
        }
    }

    /// The family in sentences.
    pub(super) fn story(&self) -> String {
        let mut told = Vec::new();
        for (i, p) in self.people.iter().enumerate() {
            let Some(spouse) = p.spouse.filter(|s| *s > i) else { continue };
            told.push(format!("{} and {} are married.", p.name, self.name(spouse)));
            let of = self.people.iter().filter(|c| c.parents.contains(&i));
            let children: Vec<String> = of
                .map(|c| format!("{} {}", if c.female { "a daughter," } else { "a son," }, c.name))
                .collect();
            if let [first @ .., last] = children.as_slice() {
                let list =
                    if first.is_empty() { last.clone() } else { format!("{}, and {last}", first.join(", ")) };
                told.push(format!("They have {list}."));
            }
        }
        told.join(" ")
    }

    pub(super) fn to_json(&self) -> Value {
        let name = |p: &usize| self.name(*p);
        let person = |p: &Person| {
            json!({
                "name": p.name, "female": p.female, "spouse": p.spouse.as_ref().map(name),
                "parents": p.parents.iter().map(name).collect::<Vec<_>>(),
            })
        };
        self.people.iter().map(person).collect()
    }

    /// As [`Family::to_json`] wrote it; `None` for any other shape.
    pub(super) fn from_json(value: &Value) -> Option<Family> {
        let all = value.as_array()?;
        let names: Vec<&str> = all.iter().map(|p| p.get("name")?.as_str()).collect::<Option<_>>()?;
        let find = |v: &Value| names.iter().position(|n| v.as_str() == Some(n));
        let person = |p: &Value| {
            Some(Person {
                name: p.get("name")?.as_str()?.to_owned(),
                female: p.get("female")?.as_bool()?,
                spouse: p.get("spouse").and_then(find),
                parents: p.get("parents")?.as_array()?.iter().map(find).collect::<Option<_>>()?,
            })
        };
        Some(Family { people: all.iter().map(person).collect::<Option<_>>()? })
    }
}
