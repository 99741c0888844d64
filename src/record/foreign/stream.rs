//! Long JSON documents, element by element: their size does not matter.

use super::json::{Object, Without};
use super::source::Budget;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::io::Read;

/// Takes the elements: what stands before them, the element's number from 0, and the
/// element, `None` of what is no object. `false` stops.
pub(super) type Each<'a> = &'a mut dyn FnMut(&Object, u64, Option<Object>) -> bool;

/// Reads an object whose field `name` is a list of objects, without the elements' fields
/// named in `skip`. What the object says besides is given back.
///
/// # Errors
/// What is no such object.
pub(super) fn field<R: Read>(
    from: R,
    budget: Budget,
    name: &str,
    skip: &[&str],
    each: Each<'_>,
) -> serde_json::Result<Object> {
    let mut from = serde_json::Deserializer::from_reader(from);
    let mut header = Object::new();
    from.deserialize_map(Whole { name, elements: Elements { header: &mut header, skip, each, budget } })?;
    Ok(header)
}

/// Reads a list of objects.
///
/// # Errors
/// What is no such list.
pub(super) fn list<R: Read>(
    from: R,
    budget: Budget,
    skip: &[&str],
    each: Each<'_>,
) -> serde_json::Result<()> {
    let mut from = serde_json::Deserializer::from_reader(from);
    let mut header = Object::new();
    Elements { header: &mut header, skip, each, budget }.deserialize(&mut from)
}

struct Whole<'a, 'b> {
    name: &'a str,
    elements: Elements<'a, 'b>,
}

impl<'de> Visitor<'de> for Whole<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Whole { name, elements: Elements { header, skip, each, budget } } = self;
        while let Some(key) = map.next_key::<String>()? {
            budget.renew();
            if key == name {
                map.next_value_seed(Elements { header, skip, each, budget: budget.clone() })?;
            } else {
                header.insert(key, map.next_value::<Value>()?);
            }
        }
        Ok(())
    }
}

struct Elements<'a, 'b> {
    header: &'a mut Object,
    skip: &'a [&'a str],
    each: Each<'b>,
    budget: Budget,
}

impl<'de> DeserializeSeed<'de> for Elements<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for number in 0.. {
            self.budget.renew();
            let Some(element) = seq.next_element_seed(Element(Without(self.skip)))? else { break };
            if !(self.each)(self.header, number, element) {
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// An object; anything else is passed over as `None`.
struct Element<'a>(Without<'a>);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = Option<Object>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Option<Object>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = Option<Object>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<Object>, A::Error> {
        self.0.visit_map(map).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<Object>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<Object>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<Object>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<Object>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<Object>, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Option<Object>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<Object>, E> {
        Ok(None)
    }
}
