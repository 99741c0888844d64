//! Reasoning Gym's table of animals and their legs (`arithmetic/leg_counting.py`).

/// An animal of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Animal {
    pub singular: &'static str,
    pub plural: &'static str,
    pub legs: u32,
}

const fn animal(singular: &'static str, plural: &'static str, legs: u32) -> Animal {
    Animal { singular, plural, legs }
}

/// The whole table.
pub const TABLE: [Animal; 37] = [
    animal("snake", "snakes", 0),
    animal("sea slug", "sea slugs", 0),
    animal("jellyfish", "jellyfish", 0),
    animal("flatworm", "flatworms", 0),
    animal("leech", "leeches", 0),
    animal("chicken", "chickens", 2),
    animal("bird", "birds", 2),
    animal("human", "humans", 2),
    animal("duck", "ducks", 2),
    animal("dog", "dogs", 4),
    animal("cat", "cats", 4),
    animal("cow", "cows", 4),
    animal("horse", "horses", 4),
    animal("lion", "lions", 4),
    animal("elephant", "elephants", 4),
    animal("giraffe", "giraffes", 4),
    animal("tiger", "tigers", 4),
    animal("deer", "deer", 4),
    animal("sheep", "sheep", 4),
    animal("starfish", "starfish", 5),
    animal("insect", "insects", 6),
    animal("ant", "ants", 6),
    animal("butterfly", "butterflies", 6),
    animal("beetle", "beetles", 6),
    animal("bee", "bees", 6),
    animal("wasp", "wasps", 6),
    animal("grasshopper", "grasshoppers", 6),
    animal("cricket", "crickets", 6),
    animal("cockroach", "cockroaches", 6),
    animal("praying mantis", "praying mantises", 6),
    animal("firefly", "fireflies", 6),
    animal("spider", "spiders", 8),
    animal("scorpion", "scorpions", 8),
    animal("crab", "crabs", 10),
    animal("lobster", "lobsters", 10),
    animal("shrimp", "shrimps", 10),
    animal("woodlouse", "woodlice", 14),
];

/// The animals that the embedded pair knows: every one with an even number of legs, so
/// that each method applies to it.
pub const EMBEDDED: [&str; 20] = [
    "chicken",
    "duck",
    "dog",
    "cat",
    "cow",
    "horse",
    "lion",
    "tiger",
    "ant",
    "bee",
    "beetle",
    "wasp",
    "butterfly",
    "cricket",
    "spider",
    "scorpion",
    "crab",
    "lobster",
    "shrimp",
    "woodlouse",
];

impl Animal {
    /// The animal that a text names: singular, plural, or the singular with an s, in any case.
    pub fn named(name: &str) -> Option<&'static Animal> {
        let name = name.to_lowercase();
        TABLE.iter().find(|a| {
            name == a.singular
                || name == a.plural
                || name.strip_suffix('s').is_some_and(|stem| stem == a.singular)
        })
    }

    /// `1 crab`, `2 crabs`.
    pub fn counted(&self, count: u32) -> String {
        format!("{count} {}", if count == 1 { self.singular } else { self.plural })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn animals_are_found_by_any_of_their_names() {
        for (name, legs) in
            [("Spiders", 8), ("butterflys", 6), ("butterflies", 6), ("woodlice", 14), ("deer", 4)]
        {
            assert_eq!(Animal::named(name).map(|a| a.legs), Some(legs), "{name}");
        }
        assert_eq!(Animal::named("moth"), None);
        assert!(EMBEDDED.iter().all(|n| Animal::named(n).is_some_and(|a| a.legs > 0 && a.legs % 2 == 0)));
    }
}
