use crate::plainly::Plainly;
use std::io::{Cursor, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use proptest::prelude::*;

use super::*;
use crate::decode::Whole;
use crate::decode::tests::{compress, read_all};

type Job = Box<dyn FnOnce() + Send>;

/// Helpers of every kind.
pub(crate) struct Pool {
    jobs: Sender<Job>,
    waiting: Arc<Mutex<Receiver<Job>>>,
    threads: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Real threads.
    Threads,
    /// They never do anything, unless the reader helps.
    Idle,
    /// They throw work away.
    Lost,
    /// They work at once.
    Inline,
}

impl Pool {
    pub(crate) fn start(kind: Kind, threads: usize) -> Arc<dyn Helpers> {
        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..if kind == Kind::Threads { threads } else { 0 } {
            let waiting = Arc::clone(&waiting);
            std::thread::spawn(move || {
                loop {
                    let job = waiting.lock().unwrap().recv();
                    let Ok(job) = job else { break };
                    job();
                }
            });
        }
        Arc::new(Self { jobs, waiting, threads, kind })
    }
}

impl Helpers for Pool {
    fn submit(&self, job: Job) {
        match self.kind {
            Kind::Threads | Kind::Idle => self.jobs.send(job).unwrap(),
            Kind::Lost => drop(job),
            Kind::Inline => job(),
        }
    }

    fn help(&self) -> bool {
        let job = self.waiting.try_lock().ok().and_then(|waiting| waiting.try_recv().ok());
        job.map(|job| job()).is_some()
    }

    fn threads(&self) -> usize {
        self.threads
    }
}

/// A file that gives a few bytes at a time, and may fail at its end.
struct Slow {
    bytes: Cursor<Vec<u8>>,
    most: usize,
    fails: bool,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.most.min(buffer.len());
        match self.bytes.read(&mut buffer[..most])? {
            0 if self.fails => Err(io::Error::other("the disk is gone")),
            n => Ok(n),
        }
    }
}

fn stored(plain: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

/// What comes out without help.
fn sequential(format: Format, bytes: &[u8]) -> (Vec<u8>, Result<(), String>) {
    let (plain, end) = read_all(format.decoded(Box::new(Cursor::new(bytes.to_vec()))).unwrap());
    (plain, end.map_err(|error| format!("{:?} {error}", error.kind())))
}

fn helped(
    format: Format,
    bytes: &[u8],
    sizes: Sizes,
    helpers: &Arc<dyn Helpers>,
) -> (Vec<u8>, Result<(), String>) {
    let slow = Slow { bytes: Cursor::new(bytes.to_vec()), most: sizes.piece.max(2) - 1, fails: false };
    let mut ahead = Ahead::new(format, Splitter::of(format).unwrap(), Box::new(slow), helpers);
    ahead.sizes = sizes;
    let (plain, end) = read_all(&mut ahead);
    let end = end.map_err(|error| {
        let again = ahead.read(&mut [0; 8]).unwrap_err().to_string();
        assert_eq!(again, error.to_string());
        format!("{:?} {error}", error.kind())
    });
    (plain, end)
}

/// What one member is made of.
#[derive(Debug, Clone)]
enum Part {
    Text(usize),
    Zeros(usize),
    /// Not compressed, so that the members in it stand in the file as they are.
    Holding(Vec<Part>),
    Padding(usize),
}

fn part() -> impl Strategy<Value = Part> {
    let leaf = prop_oneof![
        (0..3_000_usize).prop_map(Part::Text),
        (0..100_000_usize).prop_map(Part::Zeros),
        (1..600_usize).prop_map(Part::Padding),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| proptest::collection::vec(inner, 0..4).prop_map(Part::Holding))
}

fn bytes(format: Format, part: &Part) -> Vec<u8> {
    match part {
        Part::Text(length) => {
            let text: Vec<u8> = (0..*length).map(|i| (i * i % 251) as u8).collect();
            compress(format, &text)
        }
        Part::Zeros(length) => compress(format, &vec![0; *length]),
        Part::Holding(parts) if format == Format::Gzip => {
            stored(&parts.iter().flat_map(|part| bytes(format, part)).collect::<Vec<_>>())
        }
        Part::Holding(parts) => {
            compress(format, &parts.iter().flat_map(|part| bytes(format, part)).collect::<Vec<_>>())
        }
        Part::Padding(length) if format == Format::Gzip => vec![0; *length],
        // A frame to be skipped.
        Part::Padding(length) => {
            [&b"\x51\x2A\x4D\x18"[..], &(*length as u32).to_le_bytes(), &vec![7; *length]].concat()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn help_changes_nothing(
        format in prop_oneof![Just(Format::Gzip), Just(Format::Zstd)],
        parts in proptest::collection::vec(part(), 1..12),
        piece in 1..4_000_usize,
        min_group in 1..3_000_usize,
        max_group in 1..9_000_usize,
        max_plain in 0..60_000_usize,
        (kind, threads) in prop_oneof![
            Just((Kind::Threads, 1)), Just((Kind::Threads, 4)), Just((Kind::Idle, 2)),
            Just((Kind::Lost, 1)), Just((Kind::Inline, 3)), Just((Kind::Threads, 0)),
        ],
        damage in proptest::option::of((any::<proptest::sample::Index>(), any::<u8>())),
        length in proptest::option::of(any::<proptest::sample::Index>()),
    ) {
        let mut file = compress(format, b"first");
        file.extend(parts.iter().flat_map(|part| bytes(format, part)));
        if let Some((at, byte)) = damage {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if let Some(length) = length {
            file.truncate(length.index(file.len()));
        }
        let sizes = Sizes { piece, min_group, max_group, max_plain };
        let expected = sequential(format, &file);
        let found = helped(format, &file, sizes, &Pool::start(kind, threads));
        prop_assert_eq!(&found.1, &expected.1);
        prop_assert!(found.0 == expected.0, "{} bytes, not {}", found.0.len(), expected.0.len());
    }

    /// What [`flate2::bufread::MultiGzDecoder`] makes of whole and of cut files.
    #[test]
    fn the_members_are_those_of_another_reader(
        parts in proptest::collection::vec(part().prop_filter("padding is an error there", |part| !matches!(part, Part::Padding(_))), 1..6),
        length in proptest::option::of(any::<proptest::sample::Index>()),
    ) {
        let mut file: Vec<u8> = parts.iter().flat_map(|part| bytes(Format::Gzip, part)).collect();
        if let Some(length) = length {
            file.truncate(length.index(file.len()));
        }
        let (plain, end) = read_all(flate2::bufread::MultiGzDecoder::new(&file[..]));
        let sizes = Sizes { piece: 500, min_group: 300, max_group: 2_000, max_plain: 50_000 };
        let (found, found_end) = helped(Format::Gzip, &file, sizes, &Pool::start(Kind::Threads, 2));
        // An empty file is whole here, and none there.
        if !file.is_empty() {
            prop_assert_eq!(found_end.is_ok(), end.is_ok());
        }
        prop_assert!(found == plain);
    }
}

#[test]
fn a_file_that_cannot_be_read_on_says_so() {
    let file = [compress(Format::Gzip, b"one"), compress(Format::Gzip, b"two")].concat();
    for length in [file.len(), file.len() - 5] {
        let slow = Slow { bytes: Cursor::new(file[..length].to_vec()), most: 7, fails: true };
        let helpers = Pool::start(Kind::Inline, 2);
        let splitter = Splitter::of(Format::Gzip).unwrap();
        let mut ahead = Ahead::new(Format::Gzip, splitter, Box::new(slow), &helpers);
        ahead.sizes.min_group = 1;
        let (plain, end) = read_all(ahead);
        assert!(plain.starts_with(b"one"));
        assert_eq!(end.unwrap_err().to_string(), "the disk is gone");
    }
}

/// What does not compress.
pub(crate) fn noise(length: u64) -> Vec<u8> {
    (0..length).map(|i| (i.wrapping_mul(i).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

#[test]
fn work_is_done_by_helpers() {
    struct Counting(Mutex<usize>);
    impl Helpers for Counting {
        fn submit(&self, job: Job) {
            *self.0.lock().unwrap() += 1;
            job();
        }
        fn help(&self) -> bool {
            false
        }
        fn threads(&self) -> usize {
            4
        }
    }
    for format in [Format::Gzip, Format::Zstd] {
        let noise = noise(200_000);
        let member = compress(format, &noise);
        let counting = Arc::new(Counting(Mutex::new(0)));
        let helpers: Arc<dyn Helpers> = counting.clone();
        let file = member.repeat(12);
        let reader = Plainly::of(format, Box::new(Cursor::new(file.clone())), Some(&helpers)).unwrap();
        let (plain, end) = read_all(reader);
        end.unwrap();
        assert!(plain == noise.repeat(12));
        let groups = file.len().div_ceil(SIZES.min_group + member.len());
        let jobs = *counting.0.lock().unwrap();
        assert!(jobs + 2 >= groups, "{jobs} of about {groups}");
        // One huge member is no work for them.
        *counting.0.lock().unwrap() = 0;
        let huge = noise.repeat(8);
        let reader =
            Plainly::of(format, Box::new(Cursor::new(compress(format, &huge))), Some(&helpers)).unwrap();
        assert!(read_all(reader).0 == huge);
        assert_eq!(*counting.0.lock().unwrap(), 0);
    }
}

#[test]
fn a_bomb_is_inflated_bit_by_bit() {
    for format in [Format::Gzip, Format::Zstd] {
        let noise = noise(300_000);
        let bomb = compress(format, &vec![0; 4 << 20]);
        let file = [compress(format, &noise), bomb, compress(format, &noise)].concat();
        let helpers = Pool::start(Kind::Inline, 2);
        let splitter = Splitter::of(format).unwrap();
        let mut reader = Ahead::new(format, splitter, Box::new(Cursor::new(file)), &helpers);
        reader.sizes.max_plain = 1 << 20;
        let (mut n, mut buffer) = (0, vec![0; 1 << 16]);
        loop {
            let read = reader.read(&mut buffer).unwrap();
            assert!(reader.plain.0.capacity() <= 2 << 20);
            if read == 0 {
                break;
            }
            n += read;
        }
        assert_eq!(n, 600_000 + (4 << 20));
    }
}

#[test]
fn a_member_is_believed_only_if_nothing_else_can_be_in_its_place() {
    let helpers = Pool::start(Kind::Inline, 2);
    let member = compress(Format::Gzip, &noise(500));
    let trailer = &member[member.len() - 8..];
    let mut long_header = member.clone();
    // With a checksum of the header that is wrong.
    long_header[3] |= 2;
    long_header.splice(10..10, [7, 7]);
    let mut other_length = member.clone();
    *other_length.last_mut().unwrap() ^= 0x40;
    let files: [&[&[u8]]; 7] = [
        &[&member, &member, &member],
        // Bytes behind a member that end as it does: with its checksum and length, or its length alone.
        &[&member, &member, b"junk", trailer, &member],
        &[&member, &member, b"junk", &trailer[4..], &member],
        &[&member, &member, &[0; 99], &member],
        &[&member, &long_header, &member],
        &[&member, &other_length, &member],
        // A header in what another member holds.
        &[&member, &stored(&member), &member],
    ];
    for (index, parts) in files.into_iter().enumerate() {
        let file = parts.concat();
        let sizes = Sizes { piece: 700, min_group: 1, max_group: 9_000, max_plain: 60_000 };
        for length in [file.len(), file.len() - 1] {
            let expected = sequential(Format::Gzip, &file[..length]);
            assert_eq!(helped(Format::Gzip, &file[..length], sizes, &helpers), expected, "file {index}");
        }
        let mut whole = Whole::of(Format::Gzip).unwrap();
        let mut plain = Plain::new(Vec::new(), 0);
        let found = whole.inflate(&parts[1..].concat(), &mut plain, 60_000);
        assert_eq!(found.is_some(), index == 0, "file {index}");
    }
}

#[test]
fn a_length_that_is_only_claimed_takes_no_memory() {
    let mut member = compress(Format::Gzip, b"short");
    let end = member.len();
    member[end - 4..].copy_from_slice(&(50_u32 << 20).to_le_bytes());
    let (mut whole, mut plain) = (Whole::of(Format::Gzip).unwrap(), Plain::new(Vec::new(), 0));
    assert_eq!(whole.inflate(&member, &mut plain, 64 << 20), None);
    assert_eq!((plain.len(), plain.capacity()), (0, 0));
}

#[test]
fn what_is_appended_is_what_is_read() {
    let parts = [300_000, 20, 900_000, 5_000].map(|length| compress(Format::Gzip, &noise(length)));
    let mut file = parts.concat().repeat(3);
    file.truncate(file.len() - 3);
    let open = |kind| {
        Ahead::new(
            Format::Gzip,
            Splitter::of(Format::Gzip).unwrap(),
            Box::new(Cursor::new(file.clone())),
            &Pool::start(kind, 2),
        )
    };
    for kind in [Kind::Inline, Kind::Idle] {
        let (plain, end) = read_all(open(kind));
        let error = end.unwrap_err().to_string();
        let (mut ahead, mut appended) = (open(kind), Vec::new());
        for most in [1, 70_000, 0, 1_000_000, 3].into_iter().cycle() {
            let have = appended.len();
            let result = ahead.append(&mut appended, most);
            assert!(appended.len() - have <= most);
            match result {
                Ok(n) => assert_eq!((n, appended.len() - have), (most, most)),
                Err(end) => {
                    assert_eq!(end.to_string(), error);
                    break;
                }
            }
        }
        assert!(appended == plain);
    }
}
