use std::io::{ErrorKind, Write};

use ::tar::{EntryType, Header};

use super::*;
use crate::decode::Format;
use crate::decode::tests::{compress, read_all};
use crate::{Content, InputFile, Location, OpenOptions, open};

/// A tar archive with a bit of everything.
fn tar() -> Vec<u8> {
    let mut archive = Vec::new();
    let mut add = |kind: EntryType, name: &[u8], size: u64, bytes: &[u8]| {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(bytes);
        archive.resize(archive.len().next_multiple_of(512), 0);
    };
    add(EntryType::Directory, b"dump/", 0, b"");
    add(EntryType::Regular, b"./dump/a.txt", 5, b"first");
    add(EntryType::Regular, b"/etc/../b.txt", 0, b"");
    add(EntryType::Symlink, b"link", 0, b"");
    add(EntryType::Link, b"hard", 7, b"");
    add(EntryType::Block, b"disk", 0, b"");
    add(EntryType::Regular, b"old/", 0, b"");
    add(EntryType::GNULongName, b"././@LongLink", 301, &[&[b'n'; 300][..], b"\0"].concat());
    add(EntryType::Regular, b"short", 600, &[b'x'; 600]);
    add(EntryType::XHeader, b"pax", 28, b"18 path=\xE5\xAD\x97/c.txt\n10 size=3\n");
    add(EntryType::Regular, b"other", 9, b"pax");
    add(EntryType::XHeader, b"pax", 5, b"9 a=\n");
    add(EntryType::Regular, b"odd", 3, b"odd");
    add(EntryType::XGlobalHeader, b"global", 13, b"13 comment=a\n");
    add(EntryType::GNUSparse, b"sparse", 4, b"holes");
    add(EntryType::new(b'V'), b"label", 0, b"");
    add(EntryType::Regular, b"last", 4, b"last");
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn members(bytes: Vec<u8>) -> Members {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    std::fs::write(&path, bytes).unwrap();
    match open(&InputFile::at(Location::Path(path)), &OpenOptions::default()).unwrap() {
        Content::Archive(members) => members,
        Content::Stream(_) => panic!("taken for a stream"),
    }
}

/// Each member in a line, and how the archive ends.
fn listed(mut members: Members) -> (Vec<String>, io::Result<()>) {
    let mut lines = Vec::new();
    loop {
        let error = match members.next() {
            Ok(Some(member)) => {
                let mut bytes = Vec::new();
                let end = members.read_to_end(&mut bytes);
                let text = String::from_utf8_lossy(&bytes).replace(&"x".repeat(600), "600 x");
                let end = end.err().map_or(String::new(), |error| format!(" {error}"));
                let trouble = member.trouble.unwrap_or_default();
                let name = member.name.replace(&"n".repeat(300), "300 n");
                lines.push(format!("{} {name} {:?} {text} {trouble}{end}", member.number, member.kind));
                continue;
            }
            Ok(None) => return (lines, Ok(())),
            Err(error) => error,
        };
        assert!(members.next().unwrap().is_none());
        return (lines, Err(error));
    }
}

const TAR: [&str; 13] = [
    "0 dump Folder  ",
    "1 dump/a.txt File first ",
    "2 \\x2Fetc/\\x2E\\x2E/b.txt File  ",
    "3 link Special  a symbolic link in an archive is not a file to read",
    "4 hard Special  a link in an archive is not a file to read",
    "5 disk Special  a device in an archive is not a file to read",
    "6 old Folder  ",
    "7 300 n File 600 x ",
    "8 字/c.txt File pax ",
    "9 odd File  its extended header cannot be read",
    "10 sparse File  it is a sparse file: pack it without `--sparse`",
    "11 label Special  a member of type `V` in an archive is not a file to read",
    "12 last File last ",
];

#[test]
fn tar_is_read_whole_however_compressed() {
    for layers in
        [&[][..], &[Format::Gzip], &[Format::Zstd], &[Format::Gzip, Format::Xz, Format::Zstd, Format::Lz4]]
    {
        let archive = layers.iter().fold(tar(), |bytes, format| compress(*format, &bytes));
        let (lines, end) = listed(members(archive));
        end.unwrap();
        assert_eq!(lines, TAR);
    }
}

#[test]
fn joined_archives_are_one() {
    let (lines, end) = listed(members([tar(), tar()].concat()));
    end.unwrap();
    assert_eq!(lines.len(), 2 * TAR.len());
    let (lines, end) = listed(members([tar(), vec![b'?'; 512]].concat()));
    assert_eq!(lines, TAR);
    let message = end.unwrap_err().to_string();
    assert_eq!(message, format!("the tar archive has something that is no header, at byte {}", tar().len()));
}

#[test]
fn a_tar_that_breaks_off_gives_what_came_before() {
    let whole = tar();
    for length in (512..whole.len()).step_by(61) {
        let (lines, end) = listed(members(whole[..length].to_vec()));
        let full = lines.iter().zip(TAR).take_while(|(line, expected)| line == expected).count();
        assert!(full + 1 >= lines.len());
        match end {
            Ok(()) => assert_eq!(full, lines.len(), "{length}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error}"),
        }
    }
}

#[test]
fn members_are_passed_over() {
    for number in 0..=TAR.len() {
        let mut members = members(tar());
        members.skip_to(number as u64).unwrap();
        assert_eq!(listed(members).0, TAR[number..]);
    }
    let error = members(tar()).skip_to(14).unwrap_err();
    assert_eq!(error.to_string(), "the archive has 13 members now, and 14 were read of it before");
}

#[test]
fn what_a_header_claims_is_not_allocated() {
    for (kind, size, expected) in [
        (EntryType::GNULongName, u64::MAX, "more than the 1048576 bytes that are read"),
        (EntryType::XHeader, 1 << 40, "more than the 1048576 bytes that are read"),
        (EntryType::GNULongName, 1 << 19, "breaks off at byte 512"),
        (EntryType::Regular, u64::MAX, "in or behind `n`"),
    ] {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[0] = b'n';
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        let (_, end) = listed(members(header.as_bytes().to_vec()));
        let message = end.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

/// A zip archive without a compressor: stored files, and a table of contents.
fn zip(files: &[(&[u8], u16, u16, &[u8])]) -> Vec<u8> {
    let (mut archive, mut table) = (Vec::new(), Vec::new());
    for (name, flags, method, bytes) in files {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let mut fields = Vec::new();
        fields
            .write_all(
                &[&20_u16.to_le_bytes()[..], &flags.to_le_bytes(), &method.to_le_bytes(), &[0, 0, 33, 0]]
                    .concat(),
            )
            .unwrap();
        fields.extend_from_slice(&crc.sum().to_le_bytes());
        fields.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        fields.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        fields.extend_from_slice(&(name.len() as u16).to_le_bytes());
        fields.extend_from_slice(&[0, 0]);
        table.extend_from_slice(&[&b"PK\x01\x02\x14\0"[..], &fields, &[0; 10]].concat());
        table.extend_from_slice(&(archive.len() as u32).to_le_bytes());
        table.extend_from_slice(name);
        archive.extend_from_slice(&[&b"PK\x03\x04"[..], &fields, name, bytes].concat());
    }
    let (start, length, n) = (archive.len() as u32, table.len() as u32, files.len() as u16);
    archive.extend_from_slice(&table);
    archive.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    for number in [n, n] {
        archive.extend_from_slice(&number.to_le_bytes());
    }
    archive.extend_from_slice(&length.to_le_bytes());
    archive.extend_from_slice(&start.to_le_bytes());
    archive.extend_from_slice(&[0, 0]);
    archive
}

#[test]
fn zip_is_read_by_its_table() {
    let long = vec![b'y'; 200_000];
    let files: [(&[u8], u16, u16, &[u8]); 7] = [
        (b"a/", 0, 0, b""),
        (b"a/b.txt", 0, 0, b"stored"),
        (b"../c", 0, 0, b""),
        (b"secret", 1, 0, b"0123456789ABCDEF"),
        (b"lzma", 0, 14, b"?"),
        (b"\xD7\xD6.txt", 0, 0, b"gbk"),
        (b"long", 0, 0, &long),
    ];
    let expected = [
        "0 a Folder  ",
        "1 a/b.txt File stored ",
        "2 \\x2E\\x2E/c File  ",
        "3 secret File  it is encrypted: unpack the archive with its password",
        "4 lzma File  its compression method is not known here: unpack",
        "5 字.txt File gbk ",
        "6 long File yyy",
    ];
    let (lines, end) = listed(members(zip(&files)));
    end.unwrap();
    assert_eq!(lines.len(), expected.len());
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
    let mut later = members(zip(&files));
    later.skip_to(5).unwrap();
    assert!(later.progress() > 0);
    assert_eq!(listed(later).0, lines[5..]);
    assert!(members(zip(&files)).skip_to(8).is_err());
}

#[test]
fn a_broken_zip_is_said() {
    let files: [(&[u8], u16, u16, &[u8]); 2] = [(b"a", 0, 0, b"first"), (b"b", 0, 0, b"second")];
    let whole = zip(&files);
    let opened = |bytes: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        std::fs::write(&path, bytes).unwrap();
        open(&InputFile::at(Location::Path(path)), &OpenOptions::default()).map(|_| ())
    };
    opened(&whole).unwrap();
    let message = opened(&whole[..whole.len() - 10]).unwrap_err().to_string();
    assert!(message.starts_with("the zip archive cannot be read: "), "{message}");
    let mut shorter = whole.clone();
    let count = shorter.len() - 12;
    shorter[count] = 3;
    let (lines, end) = listed(members(shorter));
    assert_eq!(lines, ["0 a File first ", "1 b File second "]);
    let message = end.unwrap_err().to_string();
    assert!(message.ends_with("it is said to have 3 members, and its table of contents has 2"), "{message}");
    let message = opened(&compress(Format::Gzip, &whole)).unwrap_err().to_string();
    assert_eq!(message, "a zip archive inside a compressed file cannot be read: decompress the file first");
    // Damage costs the member that has it.
    let mut damaged = whole;
    damaged[32] ^= 1;
    let (lines, end) = listed(members(damaged));
    end.unwrap();
    assert!(
        lines[0].starts_with("0 a File ") && lines[0].contains("not what its check sum says"),
        "{}",
        lines[0]
    );
    assert_eq!(lines[1], "1 b File second ");
}

#[test]
fn members_of_one_name_are_all_read() {
    let files: [(&[u8], u16, u16, &[u8]); 5] = [
        (b"a.txt", 0, 0, b"first"),
        (b"./a.txt", 0, 0, b"second"),
        (b"a~2.txt", 0, 0, b"third"),
        (b"a.txt/", 0, 0, b""),
        (b"a.txt", 0, 0, b"fourth"),
    ];
    let expected = [
        "0 a.txt File first ",
        "1 a~1.txt File second ",
        "2 a~2~2.txt File third ",
        "3 a.txt Folder  ",
        "4 a~4.txt File fourth ",
    ];
    let (lines, end) = listed(members(zip(&files)));
    end.unwrap();
    assert_eq!(lines, expected);
    // The same when reading begins in the middle.
    for number in 0..=files.len() {
        let mut members = members(zip(&files));
        assert_eq!(members.expected(), Some(5));
        members.skip_to(number as u64).unwrap();
        assert_eq!(listed(members).0, expected[number..]);
    }
    let mut tar = members([tar(), tar()].concat());
    assert_eq!(tar.expected(), None);
    let mut names = std::collections::BTreeSet::new();
    while let Some(member) = tar.next().unwrap() {
        assert!(member.kind == Kind::Folder || names.insert(member.name.clone()), "{}", member.name);
        assert!(member.number < 13 || member.kind == Kind::Folder || member.name != member.plain);
    }
    assert_eq!(names.len(), 22);
}

#[test]
fn a_zip_is_found_behind_and_before_other_bytes() {
    let files: [(&[u8], u16, u16, &[u8]); 2] = [(b"a", 0, 0, b"first"), (b"b", 0, 0, b"second")];
    let with = |before: &[u8], after: &[u8]| {
        let bytes: Arc<dyn RandomAccess> = Arc::new(Bytes([before, &zip(&files), after].concat()));
        listed(Members::zip(bytes).unwrap())
    };
    for (before, after) in
        [(&b""[..], &b"junk behind"[..]), (b"a program in front", b""), (b"both", b"PK\x05\x06")]
    {
        let (lines, end) = with(before, after);
        end.unwrap();
        assert_eq!(lines, ["0 a File first ", "1 b File second "]);
    }
}

#[test]
fn large_numbers_stand_elsewhere() {
    let files: [(&[u8], u16, u16, &[u8]); 2] = [(b"a", 0, 0, b"first"), (b"b", 0, 0, b"second")];
    let archive = zip(&files);
    let (body, end) = archive.split_at(archive.len() - 22);
    let start = u64::from(u32::from_le_bytes(end[16..20].try_into().unwrap()));
    // The entry of the first member, with its lengths and its place in a field of their own.
    let (before, table) = body.split_at(start as usize);
    let (mut first, second) = (table[..47].to_vec(), &table[47..]);
    first[20..28].fill(0xFF);
    first[42..46].fill(0xFF);
    first[30] = 28;
    first.extend_from_slice(&[1, 0, 24, 0]);
    for number in [5_u64, 5, 0] {
        first.extend_from_slice(&number.to_le_bytes());
    }
    let mut large = [before, &first, second].concat();
    let (at, length) = (large.len() as u64, (first.len() + second.len()) as u64);
    large.extend_from_slice(b"PK\x06\x06");
    large.extend_from_slice(&44_u64.to_le_bytes());
    large.extend_from_slice(&[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [2, 2, length, start] {
        large.extend_from_slice(&number.to_le_bytes());
    }
    large.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    large.extend_from_slice(&at.to_le_bytes());
    large.extend_from_slice(&[1, 0, 0, 0]);
    large.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    large.extend_from_slice(&[0xFF; 12]);
    large.extend_from_slice(&[0, 0]);
    let members = members(large);
    assert_eq!(members.expected(), Some(2));
    let (lines, end) = listed(members);
    end.unwrap();
    assert_eq!(lines, ["0 a File first ", "1 b File second "]);
}

#[test]
fn a_count_of_sixteen_bits_may_have_run_over() {
    let name: &[u8] = b"x";
    let archive = zip(&vec![(name, 0, 0, &b""[..]); 65_540]);
    let mut members = members(archive);
    assert_eq!(members.expected(), Some(4));
    let mut n = 0;
    while members.next().unwrap().is_some() {
        n += 1;
    }
    assert_eq!((n, members.expected()), (65_540, Some(65_540)));
}

/// An archive in memory.
struct Bytes(Vec<u8>);

impl RandomAccess for Bytes {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let found = self.0.get(offset..offset + buffer.len()).ok_or(ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(found);
        Ok(())
    }
}

#[test]
fn no_bytes_break_a_table() {
    let files: [(&[u8], u16, u16, &[u8]); 3] =
        [(b"a", 0, 0, b"first"), (b"b/", 0, 0, b""), (b"c", 0, 93, b"?")];
    let whole = zip(&files);
    for at in 0..whole.len() {
        for value in [0, 1, 0x7F, 0xFF] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            let bytes: Arc<dyn RandomAccess> = Arc::new(Bytes(damaged));
            if let Ok(members) = Members::zip(bytes) {
                // It ends, whatever it says.
                assert!(listed(members).0.len() <= 3);
            }
        }
    }
}

#[test]
fn documents_in_the_form_of_an_archive_are_streams() {
    for (name, expected) in [
        (&b"mimetype"[..], false),
        (b"[Content_Types].xml", false),
        (b"word/document.xml", false),
        (b"a.txt", true),
    ] {
        assert_eq!(is_zip(&zip(&[(name, 0, 0, b"x")])), expected);
    }
    assert!(is_zip(&zip(&[])));
}

#[test]
fn inflated_members_of_zip_are_read() {
    // Made by hand: one member, deflated, by the encoder that gzip uses.
    let plain = "the same line again\n".repeat(1_000);
    let gzip = compress(Format::Gzip, plain.as_bytes());
    let deflated = &gzip[10..gzip.len() - 8];
    let mut archive = zip(&[(b"a.txt", 0, 8, deflated)]);
    let mut crc = flate2::Crc::new();
    crc.update(plain.as_bytes());
    let table = archive.len() - 22 - 46 - 5;
    for at in [14, table + 16] {
        archive[at..at + 4].copy_from_slice(&crc.sum().to_le_bytes());
        archive[at + 8..at + 12].copy_from_slice(&(plain.len() as u32).to_le_bytes());
    }
    let mut members = members(archive);
    let member = members.next().unwrap().unwrap();
    assert_eq!(member.size, plain.len() as u64);
    let (read, end) = read_all(members);
    end.unwrap();
    assert_eq!(read, plain.as_bytes());
}

#[test]
fn a_member_that_is_compressed_by_itself_is_inflated() {
    let plain = b"an invented line\n".repeat(5_000);
    let formats = [Format::Gzip, Format::Zstd, Format::Bzip2, Format::Xz];
    let members: Vec<_> = formats.iter().map(|format| compress(*format, &plain)).collect();
    let mut archive = ::tar::Builder::new(Vec::new());
    for (n, bytes) in members.iter().chain([&plain, &Vec::new()]).enumerate() {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("{n}"), bytes.as_slice()).unwrap();
    }
    // One that breaks off, and one behind it.
    let cut = &members[0][..members[0].len() - 4];
    for bytes in [cut, b"behind"] {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("x{}", bytes.len()), bytes).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    std::fs::write(&path, archive.into_inner().unwrap()).unwrap();
    let file = InputFile::at(Location::Path(path));
    let Content::Archive(mut members) = open(&file, &OpenOptions::default()).unwrap() else {
        panic!("no archive")
    };
    for _ in 0..5 {
        members.next().unwrap().unwrap();
        let mut read = Vec::new();
        members.read_to_end(&mut read).unwrap();
        assert!(read == plain);
    }
    for (expected, is_broken) in [(Some(b"".as_slice()), false), (None, true), (Some(b"behind"), false)] {
        members.next().unwrap().unwrap();
        let mut read = Vec::new();
        assert_eq!(members.read_to_end(&mut read).is_err(), is_broken);
        assert!(expected.is_none_or(|expected| read == expected));
    }
    assert!(members.next().unwrap().is_none());
}

#[test]
fn names_are_read_in_the_encoding_of_their_archive() {
    let names = |names: &[&[u8]]| -> Vec<String> {
        let files: Vec<(&[u8], u16, u16, &[u8])> = names.iter().map(|name| (*name, 0, 0, &b""[..])).collect();
        let (lines, end) = listed(members(zip(&files)));
        end.unwrap();
        lines.iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect()
    };
    // GBK; Shift_JIS; code page 437, in which é is one byte; beside UTF-8.
    assert_eq!(
        names(&[b"\xCE\xC4\xBC\xFE\xBC\xD0/\xD0\xC2\xCE\xC5\xD2\xBB.html", b"a.html", "字.html".as_bytes()]),
        ["文件夹/新闻一.html", "a.html", "字.html"]
    );
    assert_eq!(names(&[b"\x83j\x83\x85\x81[\x83X\x82\xCC\x8D\x82.txt"]), ["ニュースの高.txt"]);
    assert_eq!(names(&[b"caf\x82.txt", b"cr\x82e.txt"]), ["caf\\x82.txt", "cr\\x82e.txt"]);
}
