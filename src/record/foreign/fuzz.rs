//! Damaged files: no reader panics, and what it writes is a whole recording.

use super::tests::fixture;
use super::*;
use crate::random::Stream;
use crate::record::Recording;
use proptest::prelude::*;
use std::io::{Read, Write};

const FIXTURES: [&str; 11] = [
    "verifiers-results/results.jsonl",
    "verifiers-traces/traces.jsonl",
    "inspect.json",
    "inspect.eval",
    "lm_eval_sums.jsonl",
    "lm_eval_sums_many.jsonl",
    "lighteval.parquet",
    "reasoning_gym_eval.json",
    "reasoning_gym_items.jsonl",
    "test_qwen-boxed_-1_seed1_t0.6_s0_e-1.jsonl",
    "verl.jsonl",
];

/// What stands where another value was.
const WORDS: [&[u8]; 20] = [
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"-1",
    b"null",
    b"true",
    b"\"\"",
    b"[]",
    b"{}",
    b"[[[[[[[[",
    b"\"",
    b"\\",
    b"\n",
    b"\xff",
    b"\xe2\x80\xae",
    b"\x1b[2J",
    b"\\ud800",
    b"18446744073709551616",
    b"0.1",
    b",",
];

/// One to four changes at random places.
fn mutated(bytes: &[u8], mut stream: Stream) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut below = |limit: usize| stream.below(limit);
    for _ in 0..1 + below(4) {
        if bytes.is_empty() {
            break;
        }
        let (from, length) = (below(bytes.len()), 1 + below(40));
        let to = (from + length).min(bytes.len());
        match below(7) {
            0 => bytes.truncate(from),
            1 => bytes[from] ^= 1 << below(8),
            2 => drop(bytes.drain(from..to)),
            3 => drop(bytes.splice(from..from, WORDS[below(WORDS.len())].iter().copied())),
            4 => {
                let piece = bytes[from..to].to_vec();
                let at = below(bytes.len());
                bytes.splice(at..at, piece);
            }
            // A whole value of JSON, where there is one.
            _ => {
                let is_edge = |b: &u8| b",:{}[]\n".contains(b);
                let start = bytes[..from].iter().rposition(&is_edge).map_or(0, |at| at + 1);
                let end = bytes[from..].iter().position(is_edge).map_or(bytes.len(), |at| from + at);
                bytes.splice(start..end, WORDS[below(WORDS.len())].iter().copied());
            }
        }
    }
    bytes
}

/// The archive with one of its members changed, unpacked.
fn with_mutated_member(archive: &[u8], stream: Stream) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let mut to = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let chosen = stream.with("member").below(from.len());
    for i in 0..from.len() {
        let mut member = from.by_index(i).unwrap();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        if i == chosen {
            bytes = mutated(&bytes, stream);
        }
        let stored =
            zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        to.start_file(member.name().unwrap().to_string(), stored).unwrap();
        to.write_all(&bytes).unwrap();
    }
    to.finish().unwrap().into_inner()
}

/// Imports the bytes; if that goes well, the recording reads back to the last completion.
/// Whether it went well.
fn holds(name: &str, bytes: &[u8], folder: &Path, options: &Options) -> bool {
    let name = name.rsplit('/').next().unwrap();
    let (path, out) = (folder.join(name), folder.join("out"));
    let _ = std::fs::remove_file(&out);
    std::fs::write(&path, bytes).unwrap();
    match import(std::slice::from_ref(&path), options, &out, &mut |_| ()) {
        Ok(imported) => {
            let recording = Recording::open(&out).unwrap();
            assert_eq!(recording.problems.len() as u64, imported.problems);
            let read: Vec<_> = recording.completions().unwrap().collect::<Result<_, _>>().unwrap();
            assert_eq!(read.len() as u64, imported.completions);
            assert_eq!(imported.wrong.is_empty(), imported.wrong_count == 0);
            true
        }
        Err(error) => {
            assert!(error.to_string().contains(folder.to_str().unwrap()), "{error}");
            false
        }
    }
}

fn round(fixture_bytes: &[u8], name: &str, stream: Stream, folder: &Path) -> bool {
    let inside = name.ends_with(".eval") && stream.with("inside").chance(0.8);
    let bytes =
        if inside { with_mutated_member(fixture_bytes, stream) } else { mutated(fixture_bytes, stream) };
    holds(name, &bytes, folder, &Options::default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn damaged_files_do_no_harm(which in 0..FIXTURES.len(), seed: u64) {
        let folder = tempfile::tempdir().unwrap();
        let bytes = std::fs::read(fixture(FIXTURES[which])).unwrap();
        round(&bytes, FIXTURES[which], Stream::new(seed).with("fuzz"), folder.path());
    }

    #[test]
    fn any_bytes_are_read_as_plain_rows(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        rows in "([\\[\\{]?(\"?(prompt|text|id|score|policy)\"?[:,](1|\"p\"|null|\\[\\]|\\{\\}|NaN),?){0,5}[\\]\\}]?\n?){0,6}",
        start in prop_oneof![Just(&b""[..]), Just(&b"PK\x03\x04"[..]), Just(&b"PAR1"[..]), Just(&b"\x28\xb5\x2f\xfd"[..]), Just(&b"prompt,text\n"[..])],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { mapping: Mapping::parse("prompt=prompt,text=text").unwrap(), ..Options::default() };
        holds("x", &[start, &bytes].concat(), folder.path(), &options);
        holds("x", rows.as_bytes(), folder.path(), &options);
    }
}

/// `LEASH_FUZZ_SECONDS=60 cargo test --release --lib fuzz_each_reader -- --ignored --nocapture`:
/// damages each fixture for so long, and says how often the file still opened.
#[test]
#[ignore = "runs for minutes"]
fn fuzz_each_reader() {
    let seconds = std::env::var("LEASH_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(60);
    for name in FIXTURES {
        let folder = tempfile::tempdir().unwrap();
        let bytes = std::fs::read(fixture(name)).unwrap();
        let start = std::time::Instant::now();
        let (mut rounds, mut opened) = (0u64, 0u64);
        while start.elapsed().as_secs() < seconds {
            let stream = Stream::new(rounds).with("fuzz").with(name);
            let done = std::panic::catch_unwind(|| round(&bytes, name, stream, folder.path()));
            opened += u64::from(done.unwrap_or_else(|_| panic!("{name}, round {rounds}")));
            rounds += 1;
        }
        println!("{name}: {rounds} damaged files, {opened} of them still open");
    }
}
