//! As much of Thrift's compact protocol as it takes to see what a parquet footer holds,
//! before anything is built from it.

/// How many items the lists of a struct's field have together; `None` where the bytes are no
/// struct. Takes time linear in the bytes, and no room.
pub(super) fn list_items(bytes: &[u8], field: i64) -> Option<u64> {
    let mut reader = Reader { bytes };
    let (mut id, mut items) = (0, 0u64);
    loop {
        let Some(kind) = reader.field(&mut id)? else { return Some(items) };
        if id == field && kind == LIST {
            items = items.saturating_add(Reader { ..reader }.list()?.0);
        }
        reader.skip(kind, DEPTH)?;
    }
}

/// Deeper values are none of a footer.
const DEPTH: usize = 32;

const LIST: u8 = 9;

#[derive(Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn pass(&mut self, count: u64) -> Option<()> {
        self.bytes = self.bytes.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// The type of the next field, whose number follows on `id`; the inner `None` ends the
    /// struct.
    fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        *id = match head >> 4 {
            0 => {
                let zigzag = self.varint()?;
                (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)
            }
            delta => id.checked_add(delta.into())?,
        };
        Some(Some(head & 15))
    }

    /// The number of a list's items, and their type.
    fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        Some((count, head & 15))
    }

    /// Passes over a value of a type.
    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            // A field's truth value stands in its head.
            1 | 2 => Some(()),
            3 => self.pass(1),
            4..=6 => self.varint().map(drop),
            7 => self.pass(8),
            8 => {
                let length = self.varint()?;
                self.pass(length)
            }
            // Each item takes a byte at least, so that a long list ends with the bytes.
            LIST | 10 => {
                let (count, kind) = self.list()?;
                (0..count).try_for_each(|_| self.item(kind, depth))
            }
            11 => {
                let count = self.varint()?;
                if count == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                (0..count).try_for_each(|_| {
                    self.item(kinds >> 4, depth)?;
                    self.item(kinds & 15, depth)
                })
            }
            12 => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    fn item(&mut self, kind: u8, depth: usize) -> Option<()> {
        if kind == 1 || kind == 2 { self.pass(1) } else { self.skip(kind, depth) }
    }
}

#[cfg(test)]
mod tests {
    use super::list_items;
    use proptest::prelude::*;

    #[test]
    fn items_of_a_field_are_counted_wherever_it_stands() {
        // { 1: 1, 2: [{}, {}], 3: "ab", 2 again, by its number: [{}] }
        let bytes = [0x15, 2, 0x19, 0x2c, 0, 0, 0x18, 2, b'a', b'b', 0x09, 4, 0x1c, 0, 0];
        assert_eq!((list_items(&bytes, 2), list_items(&bytes, 3)), (Some(3), Some(0)));
        assert_eq!(list_items(&bytes[..12], 2), None);
        assert_eq!(list_items(&[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f], 1), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_counted_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = list_items(&bytes, 2);
        }
    }
}
