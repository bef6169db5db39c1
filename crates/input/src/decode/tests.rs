use std::io::{Cursor, ErrorKind, Write};

use proptest::prelude::*;

use super::*;

const FORMATS: [Format; 5] = [Format::Gzip, Format::Zstd, Format::Xz, Format::Bzip2, Format::Lz4];

/// Compresses one member, frame or stream.
pub(crate) fn compress(format: Format, plain: &[u8]) -> Vec<u8> {
    fn finish<W: Write>(mut writer: W, plain: &[u8], end: impl FnOnce(W) -> io::Result<Vec<u8>>) -> Vec<u8> {
        writer.write_all(plain).unwrap();
        end(writer).unwrap()
    }
    match format {
        Format::Gzip => {
            let writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(4));
            finish(writer, plain, flate2::write::GzEncoder::finish)
        }
        Format::Zstd => {
            let mut writer = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
            writer.include_checksum(plain.len().is_multiple_of(2)).unwrap();
            finish(writer, plain, ::zstd::Encoder::finish)
        }
        Format::Xz => {
            finish(liblzma::write::XzEncoder::new(Vec::new(), 0), plain, liblzma::write::XzEncoder::finish)
        }
        Format::Bzip2 => {
            let writer = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::new(1));
            finish(writer, plain, ::bzip2::write::BzEncoder::finish)
        }
        Format::Lz4 => {
            let info = lz4_flex::frame::FrameInfo::new().content_checksum(true);
            let writer = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
            finish(writer, plain, |writer| writer.finish().map_err(io::Error::other))
        }
    }
}

/// What comes out, and how it ends.
pub(crate) fn read_all(mut reader: impl Read) -> (Vec<u8>, io::Result<()>) {
    let (mut plain, mut buffer) = (Vec::new(), [0; 1000]);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return (plain, Ok(())),
            Ok(n) => plain.extend_from_slice(&buffer[..n]),
            Err(error) => return (plain, Err(error)),
        }
    }
}

fn decode(format: Format, compressed: &[u8]) -> (Vec<u8>, io::Result<()>) {
    read_all(format.decoded(Box::new(Cursor::new(compressed.to_vec()))).unwrap())
}

/// Text that compresses somewhat.
fn text(length: usize) -> Vec<u8> {
    (0..length).map(|i| b'a' + ((i * i / 7) % 23) as u8).collect()
}

#[test]
fn all_parts_of_a_file_are_read() {
    for format in FORMATS {
        let parts = [text(0), text(10), text(300_000), text(1)];
        let compressed: Vec<u8> = parts.iter().flat_map(|part| compress(format, part)).collect();
        assert_eq!(Format::of(&compressed), Some(format));
        let (plain, end) = decode(format, &compressed);
        assert!(plain == parts.concat(), "{format}");
        end.unwrap();
    }
}

#[test]
fn a_file_that_breaks_off_gives_what_came_before() {
    for format in FORMATS {
        let (first, second) = (compress(format, &text(5_000)), compress(format, &text(70_000)));
        let (whole, expected) = ([&first[..], &second].concat(), [text(5_000), text(70_000)].concat());
        let lengths = (0..=first.len() + 20).chain((first.len() + 21..whole.len()).step_by(97));
        for length in lengths.chain([whole.len() - 1]) {
            let (plain, end) = decode(format, &whole[..length]);
            assert!(expected.starts_with(&plain), "{format} {length}");
            if length == 0 || length == first.len() {
                end.unwrap();
                continue;
            }
            let error = end.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{format} {length} {error}");
            let began = if length < first.len() { 0 } else { first.len() };
            let message = format!(
                "breaks off at byte {length}, inside the {format} {} that begins at byte {began}",
                format.part()
            );
            assert!(error.to_string().contains(&message), "{error}");
            assert!(length < first.len() || plain.len() >= 5_000);
        }
    }
}

#[test]
fn what_follows_is_said() {
    for format in FORMATS {
        let whole = compress(format, &text(5_000));
        for (tail, expected) in [
            (&b"\0\0\0\0\0\0\0\0"[..], format.may_be_padded()),
            (b"these are other bytes, which mean nothing here", false),
            (b"\0\0\0\0these are other bytes, which mean nothing", false),
        ] {
            let (plain, end) = decode(format, &[&whole, tail].concat());
            assert!(plain == text(5_000));
            assert_eq!(end.is_ok(), expected, "{format} {tail:?} {end:?}");
            if let Err(error) = end {
                assert_eq!(error.kind(), ErrorKind::InvalidData);
                assert!(error.to_string().contains("and what follows is no "), "{error}");
            }
        }
        if format.may_be_padded() {
            let (plain, end) = decode(format, &[&whole[..], &[0; 512], &whole].concat());
            assert!(plain == [text(5_000), text(5_000)].concat(), "{format}");
            end.unwrap();
        }
    }
}

#[test]
fn damage_is_told_with_its_place() {
    for format in FORMATS {
        let first = compress(format, &text(5_000));
        let mut second = compress(format, &text(5_000));
        let middle = second.len() / 2;
        second[middle] ^= 0xFF;
        second[middle + 1] ^= 0xFF;
        let (plain, end) = decode(format, &[first.clone(), second].concat());
        assert!(plain.len() >= 5_000, "{format}");
        let message = end.unwrap_err().to_string();
        let place = format!("the {format} {} that begins at byte {} ", format.part(), first.len());
        assert!(message.contains(&place), "{message}");
    }
}

#[test]
fn a_frame_that_claims_much_memory_is_refused() {
    // A window of 256 MiB, and one block of one byte.
    let zstd = b"\x28\xB5\x2F\xFD\x00\x90\x09\x00\x00a";
    let (_, end) = decode(Format::Zstd, zstd);
    let message = end.unwrap_err().to_string();
    assert!(
        message.contains("that begins at byte 0 of the compressed file needs a window of more than 128 MiB"),
        "{message}"
    );
    // The largest dictionary that can be written.
    let mut xz = compress(Format::Xz, b"a");
    let length = (usize::from(xz[12]) + 1) * 4;
    xz[16] = 40;
    let mut crc = flate2::Crc::new();
    crc.update(&xz[12..8 + length]);
    xz[8 + length..12 + length].copy_from_slice(&crc.sum().to_le_bytes());
    let (_, end) = decode(Format::Xz, &xz);
    let message = end.unwrap_err().to_string();
    assert!(message.contains("needs more than 128 MiB to decompress"), "{message}");
}

#[test]
fn headers_of_gzip_may_have_every_part() {
    let plain = text(100);
    for flags in 0..32_u8 {
        let member = compress(Format::Gzip, &plain);
        let mut header = member[..10].to_vec();
        header[3] = flags;
        if flags & 4 != 0 {
            header.extend_from_slice(if flags & 8 == 0 { b"\x03\x00abc" } else { b"\x00\x00" });
        }
        if flags & 8 != 0 {
            header.extend_from_slice(b"name\0");
        }
        if flags & 16 != 0 {
            header.extend_from_slice(b"\0");
        }
        let mut crc = flate2::Crc::new();
        crc.update(&header);
        let sum = (crc.sum() as u16).to_le_bytes();
        if flags & 2 != 0 {
            header.extend_from_slice(&sum);
        }
        let (read, end) = decode(Format::Gzip, &[&header[..], &member[10..]].concat());
        end.unwrap();
        assert_eq!(read, plain, "{flags}");
        if flags & 2 != 0 {
            let at = header.len() - 1;
            header[at] ^= 1;
            let (_, end) = decode(Format::Gzip, &[&header[..], &member[10..]].concat());
            assert!(end.unwrap_err().to_string().contains("the checksum of its header is wrong"));
        }
    }
}

#[test]
fn frames_are_found_without_decompressing() {
    let lz4 = |plain: &[u8]| {
        let info = lz4_flex::frame::FrameInfo::new().content_checksum(true).block_checksums(true);
        let mut writer = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    };
    let skippable =
        |length: usize| [&b"\x53\x2A\x4D\x18"[..], &(length as u32).to_le_bytes(), &text(length)].concat();
    for (walk, frames) in [
        (
            Walk::zstd as fn() -> Walk,
            vec![
                compress(Format::Zstd, &text(0)),
                compress(Format::Zstd, &text(300_001)),
                skippable(12),
                ::zstd::bulk::compress(&text(1_000), 3).unwrap(),
                ::zstd::bulk::compress(&[7; 70_000], 3).unwrap(),
                skippable(0),
            ],
        ),
        (Walk::lz4, vec![compress(Format::Lz4, &text(300_000)), lz4(&text(0)), lz4(&text(99_999))]),
    ] {
        let all = frames.concat();
        let mut expected = Vec::new();
        for frame in &frames {
            expected.push(expected.last().unwrap_or(&0) + frame.len());
        }
        for piece in [1, 7, 100_000, all.len()] {
            let (mut walk, mut at, mut ends) = (walk(), 0, Vec::new());
            for mut bytes in all.chunks(piece) {
                while !bytes.is_empty() {
                    let (passed, is_end) = walk.step(bytes);
                    at += passed;
                    bytes = &bytes[passed..];
                    assert_eq!(walk.may_end(), is_end);
                    if is_end {
                        ends.push(at);
                    }
                }
            }
            assert_eq!(ends, expected, "{piece}");
        }
    }
}

#[test]
fn text_is_no_compressed_data() {
    for head in [
        &b""[..],
        b"BZh is a word",
        b"\x1F",
        b"PK\x03\x04",
        b"{\"text\": 1}",
        b"\x53\x2A\x4D\x18\x02\0\0\0abcd",
    ] {
        assert_eq!(Format::of(head), None);
    }
    assert_eq!(Format::of(b"\x53\x2A\x4D\x18\x02\0\0\0ab\x28\xB5\x2F\xFD"), Some(Format::Zstd));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is done to a file, it is read to an end, and only damage may change what comes out.
    #[test]
    fn no_bytes_break_a_decompressor(
        format in proptest::sample::select(FORMATS.to_vec()),
        length in 0..3_000_usize,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let plain = text(length);
        let mut compressed = compress(format, &plain);
        for (at, byte) in &changes {
            let at = at.index(compressed.len());
            compressed[at] = *byte;
        }
        let (read, end) = decode(format, &compressed);
        if changes.is_empty() {
            prop_assert_eq!(read, plain);
            prop_assert!(end.is_ok());
        } else {
            prop_assert!(read.len() < 10 << 20);
        }
    }
}
