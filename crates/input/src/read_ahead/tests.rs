use std::path::Path;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;

use super::*;
use crate::RequestBytes;
use crate::ahead::tests::{Kind, Pool, noise};
use crate::decode::Format;
use crate::decode::tests::compress;
use crate::peel::peel;
use crate::{Content, Input, OpenOptions, open};

const FORMATS: [Format; 5] = [Format::Gzip, Format::Zstd, Format::Xz, Format::Bzip2, Format::Lz4];

/// Where something went wrong is told by the bytes before it, and what by the text.
type Read = (Vec<u8>, Result<(), String>);

fn with_chunk(helpers: Arc<dyn Helpers>, max: u64, chunk: usize) -> Arc<ReadAhead> {
    let threads = helpers.threads();
    let (used, inner, spare) = (Arc::default(), Mutex::default(), Mutex::default());
    let request_bytes = RequestBytes::default();
    Arc::new(ReadAhead { helpers, threads, chunk, max, request_bytes, used, inner, spare })
}

fn write(folder: &Path, files: &[Vec<u8>]) -> Vec<InputFile> {
    let write = |(index, bytes): (usize, &Vec<u8>)| {
        let path = folder.join(index.to_string());
        std::fs::write(&path, bytes).unwrap();
        InputFile::at(Location::Path(path))
    };
    files.iter().enumerate().map(write).collect()
}

/// Reads to the end or an error, in pieces of every size.
fn read(file: &InputFile, options: &OpenOptions, steps: &[usize]) -> Read {
    let mut input = match Input::open(file, options) {
        Ok(input) => input,
        Err(error) => return (Vec::new(), Err(error.to_string())),
    };
    let mut bytes = Vec::new();
    for step in steps.iter().copied().cycle() {
        let have = bytes.len();
        let result = if step % 2 == 0 {
            input.append(&mut bytes, step + 1).map(|n| n == step + 1)
        } else {
            bytes.resize(have + step, 0);
            let result = std::io::Read::read(&mut input, &mut bytes[have..]);
            bytes.truncate(have + result.as_ref().map_or(0, |n| *n));
            result.map(|n| n > 0)
        };
        match result {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                // Told again and again.
                let again = std::io::Read::read(&mut input, &mut [0; 9]).unwrap_err();
                assert_eq!(again.to_string(), error.to_string());
                return (bytes, Err(error.to_string()));
            }
        }
    }
    assert_eq!(std::io::Read::read(&mut input, &mut [0; 9]).unwrap(), 0);
    (bytes, Ok(()))
}

fn options(ahead: &Arc<ReadAhead>) -> OpenOptions {
    OpenOptions {
        helpers: Some(Arc::clone(&ahead.helpers)),
        read_ahead: Some(Arc::clone(ahead)),
        ..OpenOptions::default()
    }
}

/// What a file is made of: a format, or none, the length of its text, and how often it is repeated.
type Made = (Option<usize>, usize, usize);

fn made(&(format, length, members): &Made) -> Vec<u8> {
    let text: Vec<u8> = (0..length).map(|i| (i * i % 251) as u8).collect();
    format.map_or(text.clone(), |format| compress(FORMATS[format], &text)).repeat(members)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn reading_ahead_changes_nothing(
        files in proptest::collection::vec((proptest::option::of(0..5_usize), 0..20_000_usize, 1..4_usize), 1..7),
        (kind, threads) in prop_oneof![
            Just((Kind::Threads, 2)), Just((Kind::Threads, 4)), Just((Kind::Idle, 2)), Just((Kind::Lost, 3)),
            Just((Kind::Inline, 3)), Just((Kind::Threads, 1)), Just((Kind::Idle, 0)),
        ],
        max in prop_oneof![Just(0_u64), Just(5 << 20), Just(1 << 30)],
        // A helper that works at once calls itself for each chunk.
        chunk in 2_000..9_000_usize,
        steps in proptest::collection::vec(1..9_000_usize, 1..5),
        damage in proptest::option::of((any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), any::<u8>())),
        length in proptest::option::of((any::<proptest::sample::Index>(), any::<proptest::sample::Index>())),
        skipped in proptest::option::of(0..7_usize),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes: Vec<_> = files.iter().map(made).collect();
        if let Some((file, at, byte)) = damage {
            let file = file.get_mut(&mut bytes);
            if !file.is_empty() {
                let at = at.index(file.len());
                file[at] = byte;
            }
        }
        if let Some((file, length)) = length {
            let file = file.get_mut(&mut bytes);
            let length = length.index(file.len() + 1);
            file.truncate(length);
        }
        let files = write(folder.path(), &bytes);
        let ahead = with_chunk(Pool::start(kind, threads), max, chunk);
        for (index, file) in files.iter().enumerate() {
            ahead.announce((index..files.len()).filter(|it| it % 5 != 4), |index| files[index].clone());
            if skipped == Some(index) {
                continue;
            }
            let found = read(file, &options(&ahead), &steps);
            let expected = read(file, &OpenOptions::default(), &steps);
            prop_assert_eq!(&found.1, &expected.1);
            prop_assert!(found.0 == expected.0, "{} bytes, not {}", found.0.len(), expected.0.len());
        }
        ahead.announce([], |_| unreachable!());
        // A thread may hold the last of it for a moment.
        while kind == Kind::Threads && ahead.used.load(Ordering::Relaxed) > 0 {
            std::thread::yield_now();
        }
        prop_assert_eq!(ahead.used.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn what_comes_next_is_inflated_within_the_bound() {
    const CHUNK: usize = 10_000;
    let plain = noise(400_000);
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), &vec![compress(format, &plain); 4]);
        // Room for what two of them take to be open, and for half of the text of one.
        let weight = peel(&files[0], None, RequestBytes::default()).unwrap().1.weight;
        let max = 2 * weight + 200_000;
        let ahead = with_chunk(Pool::start(Kind::Inline, 4), max, CHUNK);
        let mut read = Vec::new();
        for index in 0..files.len() {
            ahead.announce(index..files.len(), |index| files[index].clone());
            let mut input = Input::open(&files[index], &options(&ahead)).unwrap();
            loop {
                let n = input.append(&mut read, 30_000).unwrap();
                let used = ahead.used.load(Ordering::Relaxed);
                let current = weight + ((WAITING + 1) * CHUNK) as u64;
                assert!(used <= max + current, "{used} bytes of {max}");
                if n < 30_000 {
                    break;
                }
                let is_last = index + 1 == files.len();
                assert!(is_last || used > weight, "{format}: nothing was inflated ahead of file {index}");
            }
        }
        assert!(read == plain.repeat(4));
    }
}

#[test]
fn many_members_are_left_to_their_own_helpers() {
    let folder = tempfile::tempdir().unwrap();
    let member = compress(Format::Gzip, &noise(300_000));
    let files = write(folder.path(), &vec![member.repeat(6); 2]);
    let ahead = ReadAhead::new(Pool::start(Kind::Inline, 2), 1 << 30, RequestBytes::default());
    ahead.announce(0..2, |index| files[index].clone());
    let mut input = Input::open(&files[0], &options(&ahead)).unwrap();
    let mut read = Vec::new();
    while read.len() < 600_000 {
        input.append(&mut read, 100_000).unwrap();
        // Two of six: helpers have the next ones, so all cores are busy with this file.
        assert_eq!(ahead.lock().jobs, 0);
        assert!(ahead.lock().slots.iter().all(|slot| slot.stream.is_unopened()));
    }
}

#[test]
fn an_archive_is_inflated_ahead_like_any_other() {
    let mut archive = Vec::new();
    for name in ["a", "b"] {
        let mut header = ::tar::Header::new_ustar();
        header.set_path(name).unwrap();
        header.set_size(100_000);
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(&noise(100_000));
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path(), &vec![compress(Format::Xz, &archive); 2]);
    let ahead = with_chunk(Pool::start(Kind::Threads, 2), 1 << 30, 10_000);
    for (index, file) in files.iter().enumerate() {
        ahead.announce(index..2, |index| files[index].clone());
        let Content::Archive(mut members) = open(file, &options(&ahead)).unwrap() else {
            panic!("no archive")
        };
        while let Some(member) = members.next().unwrap() {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut members, &mut bytes).unwrap();
            assert!(bytes == noise(100_000), "{}", member.name);
        }
        assert!(members.progress() > 0);
    }
}

/// Helpers that run a job on a thread of its own and say when one has panicked.
struct Fragile(AtomicBool);

impl Helpers for Fragile {
    fn submit(&self, job: Box<dyn FnOnce() + Send>) {
        let has_failed = std::thread::spawn(job).join().is_err();
        self.0.fetch_or(has_failed, Ordering::Relaxed);
    }

    fn help(&self) -> bool {
        false
    }

    fn threads(&self) -> usize {
        2
    }
}

#[test]
fn a_job_that_panics_leaves_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path(), &vec![compress(Format::Xz, &noise(100_000)); 2]);
    let helpers = Arc::new(Fragile(AtomicBool::new(false)));
    let ahead = with_chunk(helpers.clone(), 1 << 30, 10_000);
    ahead.announce(0..2, |index| files[index].clone());
    let stream = Arc::clone(&ahead.lock().slots[1].stream);
    stream.break_next();
    let mut input = Input::open(&files[0], &options(&ahead)).unwrap();
    input.append(&mut Vec::new(), 1_000).unwrap();
    assert!(helpers.0.load(Ordering::Relaxed));
    let error = read(&files[1], &options(&ahead), &[99]).1.unwrap_err();
    assert_eq!(error, "the decompressor of the file has failed");
}

#[test]
fn what_a_decompressor_takes_is_told_from_the_first_bytes() {
    let block = |block: &[u8]| [&b"\xFD7zXZ\0\0\x04\xE6\xD6\xB4\x46"[..], block].concat();
    for (head, mib) in [
        // What `xz -6` and `xz -9` write, and threads, which say how long a block is; a filter in front.
        (block(b"\x02\x00\x21\x01\x16\x00"), 9),
        (block(b"\x02\x00\x21\x01\x1C\x00"), 65),
        (block(b"\x04\xC0\x95\x9A\x3C\x80\x80\x04\x21\x01\x16"), 9),
        (block(b"\x03\x01\x04\x00\x21\x01\x16"), 65),
        (b"\xFD7zXZ\0".to_vec(), 65),
    ] {
        assert_eq!(Format::Xz.weight(&head), mib << 20, "{head:X?}");
    }
    let windowed = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58];
    assert_eq!(Format::Zstd.weight(&windowed), (6 << 20) + (2 << 20));
    assert_eq!(Format::Zstd.weight(&[0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xFF]), (6 << 20) + (128 << 20));
    assert_eq!(Format::Zstd.weight(&[0x28, 0xB5, 0x2F, 0xFD, 0x20, 0x58]), (6 << 20) + (8 << 20));
}
