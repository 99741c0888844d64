//! A field of boxes and targets, and what a plan makes of it.

use regex::Regex;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// What stands in each square, by the square's centre.
#[derive(Clone)]
pub(super) struct Field {
    squares: Vec<((f64, f64), Vec<String>)>,
    numbers: HashMap<(u64, u64), usize>,
}

fn centre((row, column): (usize, usize)) -> (f64, f64) {
    (row as f64 + 0.5, column as f64 + 0.5)
}

/// A centre that can be looked up.
fn key(at: (f64, f64)) -> (u64, u64) {
    (at.0.to_bits(), at.1.to_bits())
}

impl Field {
    fn new(squares: Vec<((f64, f64), Vec<String>)>) -> Field {
        let numbers = squares.iter().enumerate().map(|(i, (at, _))| (key(*at), i)).collect();
        Field { squares, numbers }
    }

    pub(super) fn empty(rows: usize, columns: usize) -> Field {
        let all = (0..rows).flat_map(|r| (0..columns).map(move |c| (centre((r, c)), Vec::new())));
        Self::new(all.collect())
    }

    /// Puts a thing into a square of the field.
    pub(super) fn put(&mut self, square: (usize, usize), thing: String) {
        if let Some(items) = self.items(centre(square)) {
            items.push(thing);
        }
    }

    fn items(&mut self, at: (f64, f64)) -> Option<&mut Vec<String>> {
        let number = *self.numbers.get(&key(at))?;
        Some(&mut self.squares[number].1)
    }

    pub(super) fn boxes(&self) -> usize {
        self.squares.iter().flat_map(|(_, items)| items).filter(|i| i.starts_with("box_")).count()
    }

    /// Every square that is not empty, in words.
    pub(super) fn described(&self) -> String {
        let full = self.squares.iter().filter(|(_, items)| !items.is_empty());
        let all: Vec<String> =
            full.map(|((x, y), items)| format!("square[{x:?}, {y:?}]: {}", items.join(", "))).collect();
        all.join("; ")
    }

    pub(super) fn to_json(&self) -> Value {
        let all = self.squares.iter().map(|((x, y), items)| (format!("{x:?}_{y:?}"), json!(items)));
        Value::Object(all.collect())
    }

    /// From an object of `"0.5_1.5": ["box_red"]`; `None` for any other shape.
    pub(super) fn from_json(value: &Value) -> Option<Field> {
        let square = |(name, items): (&String, &Value)| {
            let (x, y) = name.split_once('_')?;
            let items = items.as_array()?.iter().map(|i| Some(i.as_str()?.to_owned()));
            Some(((x.parse().ok()?, y.parse().ok()?), items.collect::<Option<_>>()?))
        };
        Some(Self::new(value.as_object()?.iter().map(square).collect::<Option<_>>()?))
    }

    /// The field after a plan; `None` if a step moves a box off the field. Moves of things
    /// that are not there, and to squares that are not beside, change nothing.
    pub(super) fn after(&self, plan: &Plan) -> Option<Field> {
        let mut field = self.clone();
        for step in &plan.steps {
            for Move { agent, item, to } in step {
                let [x, y, ..] = agent[..] else { return None };
                let Some(items) = field.items((x, y)) else { continue };
                let Some(held) = items.iter().position(|i| i == item) else { continue };
                match to {
                    Place::Target(target) => {
                        let colours = item.strip_prefix("box_").zip(target.strip_prefix("target_"));
                        if colours.is_none_or(|(a, b)| a != b) || !items.contains(target) {
                            continue;
                        }
                        items.remove(held);
                        items.retain({
                            let mut gone = false;
                            move |i| gone || i != target || !std::mem::replace(&mut gone, true)
                        });
                    }
                    Place::Square(at) => {
                        let (u, v) = (*at.first()?, *at.get(1)?);
                        let (dx, dy) = ((x - u).abs(), (y - v).abs());
                        if (dx == 0.0 && dy == 1.0) || (dx == 1.0 && dy == 0.0) {
                            let thing = items.remove(held);
                            field.items((u, v))?.push(thing);
                        }
                    }
                }
            }
        }
        Some(field)
    }
}

enum Place {
    /// The numbers of a square: two, if it is one.
    Square(Vec<f64>),
    Target(String),
}

struct Move {
    agent: Vec<f64>,
    item: String,
    to: Place,
}

/// A row and a column.
type Spot = (usize, usize);

/// A box's colour, where it stands and where it goes.
type Carried<'a> = (&'a str, Spot, Spot);

/// A list of steps, each with one move an agent.
pub(super) struct Plan {
    steps: Vec<Vec<Move>>,
}

impl Plan {
    /// One box after the other, first along its column, then along its row.
    pub(super) fn carrying(boxes: &[Carried]) -> Plan {
        let mut steps = Vec::new();
        for (colour, from, to) in boxes {
            let mut at = *from;
            let mut step = |at: (usize, usize), place| {
                let (x, y) = centre(at);
                steps.push(vec![Move { agent: vec![x, y], item: format!("box_{colour}"), to: place }]);
            };
            while at != *to {
                let before = at;
                if at.0 != to.0 {
                    at.0 = if at.0 < to.0 { at.0 + 1 } else { at.0 - 1 };
                } else {
                    at.1 = if at.1 < to.1 { at.1 + 1 } else { at.1 - 1 };
                }
                let (x, y) = centre(at);
                step(before, Place::Square(vec![x, y]));
            }
            step(at, Place::Target(format!("target_{colour}")));
        }
        Plan { steps }
    }

    /// Reads a JSON list of objects from agent to move. A value that is no move is passed
    /// over; anything but a list of objects of strings is no plan.
    pub(super) fn parse(text: &str) -> Option<Plan> {
        static MOVE: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"^move\((.*?),\s(.*?)\)").expect("a valid expression"));
        let steps: Vec<Ordered> = serde_json::from_str(text).ok()?;
        let read = |(agent, action): &(String, String)| {
            let c = MOVE.captures(action)?;
            let place = &c[2];
            let to = if place.contains("square") {
                Place::Square(floats(place))
            } else {
                Place::Target(place.to_owned())
            };
            Some(Move { agent: floats(agent), item: c[1].to_owned(), to })
        };
        let step = |pairs: Vec<(String, String)>| {
            // An agent that is named twice does the last thing, at its first place.
            let mut moves: Vec<Move> = Vec::new();
            let mut first: HashMap<Vec<u64>, usize> = HashMap::new();
            for one in pairs.iter().filter_map(read) {
                let agent = one.agent.iter().map(|x| x.to_bits()).collect();
                match first.get(&agent) {
                    Some(at) => moves[*at] = one,
                    None => {
                        first.insert(agent, moves.len());
                        moves.push(one);
                    }
                }
            }
            moves
        };
        Some(Plan { steps: steps.into_iter().map(|s| step(s.0)).collect() })
    }
}

impl fmt::Display for Plan {
    /// As JSON, with one blank after each comma and colon, without empty steps.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let floats = |all: &[f64]| all.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(", ");
        let one = |m: &Move| {
            let place = match &m.to {
                Place::Square(at) => format!("square[{}]", floats(at)),
                Place::Target(name) => name.clone(),
            };
            format!("\"Agent[{}]\": \"move({}, {place})\"", floats(&m.agent), m.item)
        };
        let steps: Vec<String> = self
            .steps
            .iter()
            .filter(|s| !s.is_empty())
            .map(|s| format!("{{{}}}", s.iter().map(one).collect::<Vec<_>>().join(", ")))
            .collect();
        write!(f, "[{}]", steps.join(", "))
    }
}

/// Every number of a text that starts with a digit.
fn floats(text: &str) -> Vec<f64> {
    static FLOAT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d+\.?\d*").expect("a valid expression"));
    FLOAT.find_iter(text).filter_map(|m| m.as_str().parse().ok()).collect()
}

/// A JSON object of strings in the order in which it is written; of two equal keys the
/// first place and the last value count.
struct Ordered(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Ordered;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut all: Vec<(String, String)> = Vec::new();
                let mut places: HashMap<String, usize> = HashMap::new();
                while let Some((key, value)) = map.next_entry::<String, String>()? {
                    match places.get(&key) {
                        Some(at) => all[*at].1 = value,
                        None => {
                            places.insert(key.clone(), all.len());
                            all.push((key, value));
                        }
                    }
                }
                Ok(Ordered(all))
            }
        }
        from.deserialize_map(Reader)
    }
}
