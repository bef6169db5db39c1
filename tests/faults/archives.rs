//! Archives of every shape: they give the texts and the duplicates that the same files in a folder give, whatever
//! else lies in them.

use tamis_tests::lottery::Lottery;
use tamis_tests::pack::{Codec, Member, zip};
use tamis_tests::world::World;

use crate::formats::{FORMATS, file};
use crate::trial::{MEMORY, Trial, adds_up};

pub(crate) const N_CASES: u64 = 6;

const PIPELINE: &str = "\
[[source]]
use = \"auto\"
paths = [\"in\"]

[[stage]]
use = \"dedup-exact\"

[[export]]
id = \"kept\"
use = \"jsonl\"
path = \"out\"

[[export]]
id = \"dropped\"
use = \"jsonl\"
from = \"dropped\"
path = \"out/dropped\"

[run]
block_bytes = \"16 KiB\"
threads = 2
max_failed_ratio = 1
";

/// What lies in an archive.
enum Entry {
    File(Member),
    Folder(String),
    /// A link to something.
    Link(String),
}

/// How an archive is written.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Ustar,
    Gnu,
    Pax,
    Stored,
    Deflated,
}

const SHAPES: [Shape; 5] = [Shape::Ustar, Shape::Gnu, Shape::Pax, Shape::Stored, Shape::Deflated];

pub(crate) fn run(trial: &mut Trial) {
    let [folder, packed] = [0; 2].map(|_| World::with(&format!("{PIPELINE}{MEMORY}")));
    let before = file("jsonl", &["loose".to_owned(), "word-0".to_owned()]);
    for world in [&folder, &packed] {
        world.write("in/a.jsonl", &before);
    }
    // What members give nothing for, and what nobody counts.
    let (mut n_members, mut n_letters) = (0, 0);
    for number in 0..=trial.lottery.index(3) {
        let mut files = tree(&mut trial.lottery);
        for (name, bytes) in &files {
            folder.write(format!("in/{number}/{name}"), bytes);
        }
        let mut entries = Vec::new();
        let shape = *trial.lottery.one_of(&SHAPES);
        let junk = junk(&mut trial.lottery);
        n_letters += junk.len();
        files.extend(junk);
        shuffle(&mut trial.lottery, &mut files);
        let is_tar = !matches!(shape, Shape::Stored | Shape::Deflated);
        for member in files {
            if trial.lottery.once_in(5) {
                entries.push(Entry::Folder(format!("folder-{}/", entries.len())));
            }
            if is_tar && trial.lottery.once_in(20) {
                entries.push(Entry::Link(format!("link-{}", entries.len())));
                n_letters += 1;
                n_members += 1;
            }
            entries.push(Entry::File(member));
            n_members += 1;
        }
        let bytes = pack(&entries, shape);
        let codec = if is_tar { *trial.lottery.one_of(&Codec::ALL) } else { Codec::None };
        let ending = if is_tar { "tar" } else { "zip" };
        trial.note(format!("archive {number}: {shape:?} {codec:?}, {} entries", entries.len()));
        packed.write(format!("in/{number}.{ending}{}", codec.ending()), codec.compress(&bytes));
    }
    trial.counts.hit += n_letters as u64;
    trial.run(&folder, &[], &[0]);
    trial.run(&packed, &[], &[0]);
    for world in [&folder, &packed] {
        adds_up(world, "out");
    }
    for of in ["out", "out/dropped"] {
        let texts = |world: &World| -> Vec<String> {
            world.records(of).iter().map(|record| record["text"].as_str().unwrap().to_owned()).collect()
        };
        trial.same_records(&texts(&folder), &texts(&packed));
    }
    let input = &packed.manifest()["tally"]["input"];
    let (read, failed) = (input["members"].as_u64().unwrap(), input["members_failed"].as_u64().unwrap());
    assert_eq!((read + failed, failed), (n_members as u64, n_letters as u64), "{input}");
    trial.unique_ids(&packed, &["out", "out/dropped", "out/__failed"]);
}

/// Some files of all formats in some folders, with texts that occur several times.
fn tree(lottery: &mut Lottery) -> Vec<Member> {
    let n_files = 1 + lottery.index(40);
    let mut files = Vec::new();
    for n in 0..n_files {
        let format = *lottery.one_of(&FORMATS);
        let is_table = matches!(format, "parquet" | "arrow");
        // A table is made by a run, so there are few of them.
        let words: Vec<String> = (0..if is_table { 2 } else { 1 + lottery.index(6) })
            .map(|at| if is_table { format!("word-{at}") } else { format!("word-{}", lottery.below(60)) })
            .collect();
        let depth = if lottery.once_in(6) { "a-folder-with-a-long-name/".repeat(6) } else { String::new() };
        let folder = *lottery.one_of(&["", "b/", "b/c/", "河/"]);
        let content = if lottery.once_in(8) { Vec::new() } else { file(format, &words) };
        // An empty file of a format with an index is a damaged one, here as in a folder.
        let format = if content.is_empty() { "jsonl" } else { format };
        files.push((format!("{folder}{depth}{n}.{format}"), content));
    }
    files
}

/// Members that cost a dead letter each: images, archives in archives, tables that were cut.
fn junk(lottery: &mut Lottery) -> Vec<Member> {
    let image = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 40]].concat();
    let n_images = if lottery.once_in(3) { 800 + lottery.index(1_200) } else { lottery.index(3) };
    let mut junk: Vec<Member> = (0..n_images).map(|n| (format!("images/{n}.png"), image.clone())).collect();
    let nested = zip(&[("inner.jsonl".to_owned(), file("jsonl", &["nested".to_owned()]))], true);
    junk.extend((0..lottery.index(3)).map(|n| (format!("nested-{n}.zip"), nested.clone())));
    let table = file("parquet", &["word-0".to_owned(), "word-1".to_owned()]);
    let cut = table[..table.len() / 2].to_vec();
    junk.extend((0..lottery.index(3)).map(|n| (format!("cut-{n}.parquet"), cut.clone())));
    junk
}

fn shuffle<T>(lottery: &mut Lottery, things: &mut [T]) {
    for at in (1..things.len()).rev() {
        things.swap(at, lottery.index(at + 1));
    }
}

fn pack(entries: &[Entry], shape: Shape) -> Vec<u8> {
    match shape {
        Shape::Stored | Shape::Deflated => {
            let entries = entries.iter().map(|entry| match entry {
                Entry::File(member) => member.clone(),
                Entry::Folder(name) | Entry::Link(name) => (name.clone(), Vec::new()),
            });
            zip(&entries.collect::<Vec<_>>(), matches!(shape, Shape::Deflated))
        }
        Shape::Ustar | Shape::Gnu | Shape::Pax => {
            let mut archive = tar::Builder::new(Vec::new());
            for entry in entries {
                push(&mut archive, entry, shape);
            }
            archive.into_inner().unwrap()
        }
    }
}

fn push(archive: &mut tar::Builder<Vec<u8>>, entry: &Entry, shape: Shape) {
    let mut header =
        if matches!(shape, Shape::Gnu) { tar::Header::new_gnu() } else { tar::Header::new_ustar() };
    header.set_mode(0o644);
    header.set_size(0);
    match entry {
        Entry::File((name, bytes)) => {
            header.set_size(bytes.len() as u64);
            if matches!(shape, Shape::Pax) {
                archive.append_pax_extensions([("path", name.as_bytes())]).unwrap();
                archive.append_data(&mut header, "short", bytes.as_slice()).unwrap();
            } else {
                archive.append_data(&mut header, name, bytes.as_slice()).unwrap();
            }
        }
        Entry::Folder(name) => {
            header.set_entry_type(tar::EntryType::Directory);
            archive.append_data(&mut header, name, [].as_slice()).unwrap();
        }
        Entry::Link(name) => {
            header.set_entry_type(tar::EntryType::Symlink);
            archive.append_link(&mut header, name, "elsewhere").unwrap();
        }
    }
}
