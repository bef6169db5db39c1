//! What an HTTP response carries, with its codings undone.

use std::borrow::Cow;
use std::io::Read;

use brotli_decompressor::Decompressor;
use flate2::bufread::GzDecoder;
use flate2::read::{DeflateDecoder, ZlibDecoder};
use memchr::memchr;

use super::head::Head;

/// A response: its head, and the bytes behind it as they were sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Response<'a> {
    pub(super) head: Head<'a>,
    pub(super) status: Option<u16>,
    body: &'a [u8],
}

/// Buffer of the decompressor in bytes.
const BUFFER: usize = 4096;

impl<'a> Response<'a> {
    /// Takes a response apart; what does not begin with `HTTP/` is none.
    ///
    /// A head without a blank line behind it has an empty body. Nothing is demanded of the lines of the head:
    /// crawlers keep what servers sent.
    pub(super) fn parse(message: &'a [u8]) -> Option<Self> {
        if !message.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"HTTP/")) {
            return None;
        }
        let blank_line = memchr::memchr_iter(b'\n', message).find_map(|at| match message.get(at + 1..)? {
            [b'\n', ..] => Some(at + 2),
            [b'\r', b'\n', ..] => Some(at + 3),
            _ => None,
        });
        let (lines, body) = message.split_at(blank_line.unwrap_or(message.len()));
        let first = lines.get(..memchr(b'\n', lines).unwrap_or(lines.len())).unwrap_or_default();
        let mut words = first.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let status = words.nth(1).and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
        Some(Self { head: Head { lines }, status, body })
    }

    /// The body with its transfer and content codings undone; at most `max` bytes.
    ///
    /// Crawlers often undo a coding and keep the header that names it, so a body that is not in the coding is
    /// taken as it is. With `truncated`, compressed data may break off.
    ///
    /// # Errors
    ///
    /// A message, when the body is too long, cannot be decompressed, or is in a coding that is not known.
    pub(super) fn payload(&self, max: u64, truncated: bool) -> Result<Cow<'a, [u8]>, String> {
        let mut payload = Cow::Borrowed(self.body);
        if self.codings("transfer-encoding").any(|coding| coding.eq_ignore_ascii_case(b"chunked"))
            && let Some(joined) = join_chunks(self.body)
        {
            payload = Cow::Owned(joined);
        }
        let codings: Vec<_> = self.codings("content-encoding").collect();
        // The last that was applied comes off first.
        for coding in codings.into_iter().rev() {
            if let Some(plain) = undo(coding, &payload, max, truncated)? {
                payload = Cow::Owned(plain);
            }
        }
        if payload.len() as u64 > max {
            return Err(too_long(max));
        }
        Ok(payload)
    }

    fn codings(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.head.fields().filter(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()));
        fields
            .flat_map(|(_, value)| value.split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|coding| !coding.is_empty())
    }
}

/// Joins chunks; `None` if the body is not in chunks. It may break off.
fn join_chunks(body: &[u8]) -> Option<Vec<u8>> {
    let mut joined = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(line_end) = memchr(b'\n', rest) {
        let (line, after) = rest.split_at(line_end + 1);
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let length = usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if length == 0 {
            return Some(joined);
        }
        let Some((chunk, behind)) = after.split_at_checked(length) else {
            joined.extend_from_slice(after);
            return Some(joined);
        };
        joined.extend_from_slice(chunk);
        rest = behind.strip_prefix(b"\r\n").or_else(|| behind.strip_prefix(b"\n")).unwrap_or(behind);
    }
    // The size of a chunk may be cut off, too; a body without any is not in chunks.
    (!joined.is_empty()).then_some(joined)
}

/// Undoes a content coding; `None` if the bytes are not in it.
fn undo(coding: &[u8], bytes: &[u8], max: u64, truncated: bool) -> Result<Option<Vec<u8>>, String> {
    let coding = coding.to_ascii_lowercase();
    let inflated = match coding.as_slice() {
        b"identity" | b"none" | b"utf-8" => return Ok(None),
        _ if bytes.is_empty() => return Ok(None),
        b"gzip" | b"x-gzip" => {
            if !bytes.starts_with(GZIP) {
                return Ok(None);
            }
            gunzip(bytes, max, truncated)
        }
        // With the header of zlib, as the standard has it, or without, as some servers do.
        b"deflate" => match read(ZlibDecoder::new(bytes), max, truncated) {
            Err(Trouble::Broken(_)) => read(DeflateDecoder::new(bytes), max, truncated),
            inflated => inflated,
        },
        b"br" => read(Decompressor::new(bytes, BUFFER), max, truncated),
        _ => {
            let coding = String::from_utf8_lossy(&coding);
            return Err(format!("the content coding `{coding}` is not known; gzip, deflate and br are"));
        }
    };
    match inflated {
        Ok(plain) => Ok(Some(plain)),
        Err(Trouble::TooLong) => Err(too_long(max)),
        // Only gzip says what it is; plain text with the header left on is common.
        Err(Trouble::Broken(_)) if !coding.ends_with(b"gzip") && std::str::from_utf8(bytes).is_ok() => {
            Ok(None)
        }
        Err(Trouble::Broken(error)) => {
            Err(format!("the payload cannot be decompressed ({}): {error}", String::from_utf8_lossy(&coding)))
        }
    }
}

/// Inflates the members of a gzip stream. What stands behind the last one is padding, which servers and crawlers add.
fn gunzip(bytes: &[u8], max: u64, truncated: bool) -> Result<Vec<u8>, Trouble> {
    let (mut plain, mut rest) = (Vec::new(), bytes);
    while rest.starts_with(GZIP) {
        let mut member = GzDecoder::new(rest);
        let left = max.saturating_sub(plain.len() as u64);
        match read(&mut member, left, truncated) {
            Ok(inflated) => plain.extend_from_slice(&inflated),
            // Two bytes that look like a member begin no other one, if they are not.
            Err(Trouble::Broken(_)) if !plain.is_empty() && member.header().is_none() => break,
            Err(trouble) => return Err(trouble),
        }
        rest = member.into_inner();
    }
    Ok(plain)
}

/// How a member of a gzip stream begins.
const GZIP: &[u8] = b"\x1F\x8B";

enum Trouble {
    TooLong,
    Broken(std::io::Error),
}

/// Reads all, and a byte beyond `max` to see that there is more; memory grows with what comes out, not with what a
/// header claims.
fn read(decoder: impl Read, max: u64, truncated: bool) -> Result<Vec<u8>, Trouble> {
    let mut plain = Vec::new();
    match decoder.take(max.saturating_add(1)).read_to_end(&mut plain) {
        _ if plain.len() as u64 > max => Err(Trouble::TooLong),
        Err(_) if truncated && !plain.is_empty() => Ok(plain),
        Err(error) => Err(Trouble::Broken(error)),
        Ok(_) => Ok(plain),
    }
}

fn too_long(max: u64) -> String {
    format!("the payload takes more than `max_payload_bytes` = {max} bytes: raise it to read the page")
}
