//! A compressed recording (`.jsonl.zst`): zstd frames one after the other, each of whole
//! lines and with its size in its head, so that any place can be read by unpacking one
//! frame, and a process that is killed loses no more than the last one.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// How every frame begins.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The largest frame that is unpacked, bytes.
const LARGEST: u64 = 512 << 20;

/// Frames that are kept unpacked.
const KEPT: usize = 8;

/// The frames of a file, as far as they are whole.
#[derive(Debug, Default)]
pub(super) struct Frames {
    all: Vec<Frame>,
    /// Bytes of whole frames in the file.
    pub packed: u64,
    /// Bytes of what they hold.
    pub unpacked: u64,
    kept: Vec<(usize, Arc<Vec<u8>>)>,
}

/// Where a frame is.
#[derive(Clone, Copy, Debug)]
struct Frame {
    packed_at: u64,
    packed: u64,
    at: u64,
    size: u64,
}

impl Frames {
    /// Finds the frames that were added since.
    ///
    /// # Errors
    /// A file that cannot be read, or whose frames are not as we write them.
    pub fn look(&mut self, file: &File) -> io::Result<()> {
        let length = file.metadata()?.len();
        while let Some((packed, size)) = measure(file, self.packed, length)? {
            if size > 0 {
                self.all.push(Frame { packed_at: self.packed, packed, at: self.unpacked, size });
            }
            self.packed += packed;
            self.unpacked += size;
        }
        Ok(())
    }

    /// Copies what the frame at `at` holds from there on; how much that was.
    pub fn read_at(&mut self, file: &File, at: u64, to: &mut [u8]) -> io::Result<usize> {
        let number = self.all.partition_point(|f| f.at + f.size <= at);
        let Some(frame) = self.all.get(number).copied() else { return Ok(0) };
        let bytes = match self.kept.iter().find(|(n, _)| *n == number) {
            Some((_, bytes)) => Arc::clone(bytes),
            None => {
                let mut packed = vec![0; frame.packed as usize];
                file.read_exact_at(&mut packed, frame.packed_at)?;
                let bytes = Arc::new(zstd::bulk::decompress(&packed, frame.size as usize)?);
                if self.kept.len() >= KEPT {
                    self.kept.remove(0);
                }
                self.kept.push((number, Arc::clone(&bytes)));
                bytes
            }
        };
        let rest = bytes.get((at - frame.at) as usize..).unwrap_or_default();
        let n = rest.len().min(to.len());
        to[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }
}

/// A frame of these bytes.
pub(super) fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(bytes, 3)
}

/// The packed and unpacked size of the frame at `at`; `None` if it is not whole. After the
/// layout of RFC 8878.
fn measure(file: &File, at: u64, length: u64) -> io::Result<Option<(u64, u64)>> {
    let bad = |what: &str| {
        let mend = "unpack it with `zstd -d`, and open that";
        Err(io::Error::new(io::ErrorKind::InvalidData, format!("byte {at}: {what}; {mend}")))
    };
    let mut head = [0; 18];
    let n = (length.saturating_sub(at)).min(18) as usize;
    file.read_exact_at(&mut head[..n], at)?;
    if n < 4 {
        return Ok(None);
    }
    let four = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    if four(0) & 0xffff_fff0 == 0x184d_2a50 {
        let whole = 8 + u64::from(four(4));
        return Ok((n >= 8 && at + whole <= length).then_some((whole, 0)));
    }
    if head[..4] != MAGIC {
        return bad("this is no zstd frame");
    }
    let flags = head[4];
    let (single, checked) = (flags & 0x20 != 0, flags & 4 != 0);
    let name = [0, 1, 2, 4][usize::from(flags & 3)];
    let field = match (flags >> 6, single) {
        (0, false) => 0,
        (0, true) => 1,
        (1, _) => 2,
        (2, _) => 4,
        _ => 8,
    };
    let start = 5 + usize::from(!single) + name;
    if start + field > n {
        return Ok(None);
    }
    let mut eight = [0; 8];
    eight[..field].copy_from_slice(&head[start..start + field]);
    let size = u64::from_le_bytes(eight) + if field == 2 { 256 } else { 0 };
    if field == 0 || size > LARGEST {
        return bad("another program packed it in one piece");
    }
    let mut end = at + (start + field) as u64;
    loop {
        let mut block = [0; 4];
        if end + 3 > length {
            return Ok(None);
        }
        file.read_exact_at(&mut block[..3], end)?;
        let block = u32::from_le_bytes(block);
        let contents = if block >> 1 & 3 == 1 { 1 } else { block >> 3 };
        end += 3 + u64::from(contents);
        if block & 1 == 1 {
            break;
        }
    }
    end += if checked { 4 } else { 0 };
    Ok((end <= length).then_some((end - at, size)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(bytes: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_place_is_read_and_a_torn_frame_is_none(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..700), 0..6),
            cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        ) {
            let packed: Vec<Vec<u8>> = parts.iter().map(|p| pack(p).unwrap()).collect();
            let mut bytes = packed.concat();
            let whole = parts.concat();
            let mut frames = Frames::default();
            let all = file(&bytes);
            frames.look(&all).unwrap();
            prop_assert_eq!((frames.unpacked, frames.packed), (whole.len() as u64, bytes.len() as u64));
            if !whole.is_empty() {
                let at = at.index(whole.len());
                let mut to = [0; 40];
                let n = frames.read_at(&all, at as u64, &mut to).unwrap();
                prop_assert!(n > 0 && whole[at..].starts_with(&to[..n]));
            }
            if !bytes.is_empty() {
                bytes.truncate(cut.index(bytes.len()));
                let mut frames = Frames::default();
                frames.look(&file(&bytes)).unwrap();
                prop_assert!(frames.packed <= bytes.len() as u64 && whole.len() as u64 >= frames.unpacked);
            }
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let bytes = [&MAGIC[..], &bytes].concat();
            let garbage = file(&bytes);
            let mut frames = Frames::default();
            if frames.look(&garbage).is_ok() && frames.unpacked > 0 {
                let _ = frames.read_at(&garbage, 0, &mut [0; 8]);
            }
        }
    }

    #[test]
    fn a_frame_without_its_size_is_refused_with_the_mend() {
        let mut streamed = Vec::new();
        let mut encoder = zstd::Encoder::new(&mut streamed, 1).unwrap();
        encoder.include_contentsize(false).unwrap();
        io::copy(&mut &b"x\n".repeat(10)[..], &mut encoder).unwrap();
        encoder.finish().unwrap();
        let said = Frames::default().look(&file(&streamed)).unwrap_err().to_string();
        assert!(said.contains("zstd -d"), "{said}");
    }
}
