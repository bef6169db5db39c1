//! Files of every format, compressed and packed in every way, with damage: it costs what is damaged and nothing
//! beside it.

use tamis_tests::lottery::Lottery;
use tamis_tests::pack::{Codec, Member, tar, zip};
use tamis_tests::world::World;

use crate::formats::{FORMATS, file, is_single};
use crate::trial::{MEMORY, Trial, adds_up};

/// Where a file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Folder,
    Tar,
    Zip,
}

const PLACES: [Place; 3] = [Place::Folder, Place::Tar, Place::Zip];

/// The formats whose damage is looked at by one trial; the next seed takes the next ones.
const FORMATS_A_TRIAL: u64 = 3;
pub(crate) const N_CASES: u64 = FORMATS.len() as u64 / FORMATS_A_TRIAL;

const PIPELINE: &str = "\
[[source]]
use = \"auto\"
paths = [\"in\"]

[[export]]
id = \"kept\"
use = \"jsonl\"
raw = true
path = \"out\"

[run]
block_bytes = \"16 KiB\"
threads = 2
";

pub(crate) fn run(trial: &mut Trial) {
    let world = World::with(&format!("{PIPELINE}max_failed_ratio = {}\n{MEMORY}", trial.lottery.below(2)));
    let mut sound = Vec::new();
    for n in 0..FORMATS_A_TRIAL {
        let format = FORMATS[((trial.seed * FORMATS_A_TRIAL + n) % FORMATS.len() as u64) as usize];
        for codec in Codec::ALL {
            for place in PLACES {
                let stem = format!("{n}-{codec:?}-{place:?}").to_lowercase();
                let what = put(&world, &mut trial.lottery, format, codec, place, &stem, &mut sound);
                trial.note(format!("{stem}.{format}: {what}"));
                trial.counts.hit += 1;
            }
        }
    }
    trial.run(&world, &[], &[0, 1]);
    adds_up(&world, "out");
    // The text is in `text`, or in `raw` where nobody has made one of it yet.
    let records = world.records("out");
    let found: Vec<String> = records.iter().filter_map(|record| word_of(&record.to_string())).collect();
    trial.same_records(&sound, &found);
    trial.unique_ids(&world, &["out", "out/__failed"]);
}

/// The word of a sound record, if it is one.
fn word_of(record: &str) -> Option<String> {
    let begin = record.find("sound-")?;
    let word = record.get(begin..)?.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    Some(word)
}

/// Puts one damaged file where it belongs, with sound ones before and behind it, whose words are added to `sound`.
///
/// Says what was done to it.
fn put(
    world: &World,
    lottery: &mut Lottery,
    format: &str,
    codec: Codec,
    place: Place,
    stem: &str,
    sound: &mut Vec<String>,
) -> String {
    let is_table = matches!(format, "parquet" | "arrow");
    let n_records = if is_single(format) { 1 } else { 3 };
    // A table is made by a run, so all tables hold the same words; how often they are there tells as much.
    let words = |kind: &str, end: &str| -> Vec<String> {
        let place = if is_table { format.to_owned() } else { format!("{stem}-{end}") };
        (0..n_records).map(|n| format!("{kind}-{place}-{n}")).collect()
    };
    let packed = if place == Place::Folder { codec } else { Codec::None };
    let name = |end: &str| format!("{stem}-{end}.{format}{}", packed.ending());
    let mut neighbour = |end: &str| -> Member {
        let words = words("sound", end);
        sound.extend(words.iter().cloned());
        (name(end), packed.compress(&file(format, &words)))
    };
    let mut bytes = packed.compress(&file(format, &words("broken", "b")));
    let what = harm(&mut bytes, lottery);
    let members = [neighbour("a"), (name("b"), bytes), neighbour("z")];
    let broken = [(name("c"), packed.compress(&file(format, &words("broken", "c"))))];
    match place {
        Place::Folder => {
            for (name, bytes) in &members {
                world.write(format!("in/{name}"), bytes);
            }
        }
        // The archive is what is compressed; and one archive is harmed as a whole.
        Place::Tar => {
            world.write(format!("in/{stem}.tar{}", codec.ending()), codec.compress(&tar(&members)));
            let mut whole = codec.compress(&tar(&broken));
            harm(&mut whole, lottery);
            world.write(format!("in/{stem}-whole.tar{}", codec.ending()), whole);
        }
        Place::Zip => {
            let is_deflated = codec != Codec::None;
            world.write(format!("in/{stem}.zip"), zip(&members, is_deflated));
            let mut whole = zip(&broken, is_deflated);
            harm(&mut whole, lottery);
            world.write(format!("in/{stem}-whole.zip"), whole);
        }
    }
    what
}

/// Flips, cuts or adds bytes, and says so.
fn harm(bytes: &mut Vec<u8>, lottery: &mut Lottery) -> String {
    let length = bytes.len();
    match lottery.below(4) {
        0 => {
            let n = 1 + lottery.index(8);
            for _ in 0..n {
                let at = lottery.index(length);
                bytes[at] ^= 1 << lottery.below(8);
            }
            format!("{n} flipped bits")
        }
        1 => {
            let keep = lottery.index(length);
            bytes.truncate(keep);
            format!("cut from {length} to {keep} bytes")
        }
        2 => {
            let (at, n) = (lottery.index(length), 1 + lottery.index(200));
            let value = *lottery.one_of(&[0, 0xFF, b'"', b'\n', b'{']);
            bytes.iter_mut().skip(at).take(n).for_each(|byte| *byte = value);
            format!("{n} bytes from {at} on made {value}")
        }
        _ => {
            let n = 1 + lottery.index(2_000);
            bytes.extend((0..n).map(|_| lottery.below(256) as u8));
            format!("{n} bytes of garbage behind it")
        }
    }
}
