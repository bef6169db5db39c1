//! Files that are no text, or text in a format that has to be taken apart first, told from their first bytes.

use crate::{encoding, markup};

/// How much of a file is looked at, in bytes.
const LOOKED_AT: usize = 1024;

/// What a file is whose first bytes these are, as a media type such as `application/pdf` or `image/png`; `None` for
/// text, in whatever encoding, and for what nobody knows.
///
/// Many formats are marked by two bytes that words begin with as well (`BM` is a picture, and begins "BMW"), so the
/// mark alone is believed only in front of bytes that no text has. A PDF may be text for long; nobody begins one by
/// accident.
pub fn binary(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(APPLE_DOUBLE) || head.starts_with(b"\x00\x05\x16\x00") {
        // What macOS writes beside a file on disks of others: `._a.html`.
        return Some("application/applefile");
    }
    let head = head.get(..LOOKED_AT).unwrap_or(head);
    // All but PDF have bytes that no text has, and most files are text: so this, which is soon said, comes first.
    if may_be_text(head) && !head.starts_with(b"%PDF-") {
        return None;
    }
    let kind = infer::get(head)?;
    let is_text = matches!(kind.matcher_type(), infer::MatcherType::Text);
    (!is_text).then(|| kind.mime_type())
}

/// In which format a text is that is neither prose nor the source of a page, and that no reader takes apart: XML with
/// the name of its root, such as ``XML (`rss`)``, RTF, PostScript, a calendar, a card. `complete` says whether `head` is
/// all of it.
///
/// Its words can be read, so nothing else would tell that its tags and commands are not among them.
pub fn format(head: &[u8], complete: bool) -> Option<String> {
    let decoded = encoding::is_wide(head)
        .then(|| encoding::decode(head, &encoding::Hints::default()).text.into_owned());
    let head = decoded.as_ref().map_or(head, String::as_bytes);
    let begins = |start: &str| head.trim_ascii_start().starts_with(start.as_bytes());
    let known = [
        ("{\\rtf", "RTF"),
        ("%!PS", "PostScript"),
        ("BEGIN:VCALENDAR", "a calendar (iCalendar)"),
        ("BEGIN:VCARD", "a card (vCard)"),
    ];
    match known.into_iter().find(|(start, _)| begins(start)) {
        Some((_, name)) => Some(name.to_owned()),
        None => markup::xml_root(head, complete).map(|root| format!("XML (`{root}`)")),
    }
}

/// How a file begins that macOS writes beside another one, for what other systems have no place for.
const APPLE_DOUBLE: &[u8] = b"\x00\x05\x16\x07";

/// How a compound file of Windows begins, such as its store of small pictures.
const COMPOUND: &[u8] = b"\xD0\xCF\x11\xE0";

/// Whether a file holds nothing that anybody put there: what macOS and Windows leave beside the files of others, in
/// archives and on their disks (`._a.html`, `.DS_Store`, `Thumbs.db`, `desktop.ini`). Name and first bytes must agree.
pub fn is_companion(name: &str, head: &[u8]) -> bool {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let is_named = |known: &str| name.eq_ignore_ascii_case(known);
    (name.starts_with("._") && head.starts_with(APPLE_DOUBLE))
        || (name == ".DS_Store" && head.starts_with(b"\x00\x00\x00\x01Bud1"))
        || ((is_named("Thumbs.db") || is_named("ehthumbs.db")) && head.starts_with(COMPOUND))
        || (is_named("desktop.ini") && is_settings_of_folder(head))
}

/// Whether a file begins with the section that holds how Windows shows a folder, in whatever encoding has ASCII in it.
fn is_settings_of_folder(head: &[u8]) -> bool {
    let letters: Vec<u8> = head.iter().copied().filter(u8::is_ascii_graphic).take(32).collect();
    letters.starts_with(b"[.ShellClassInfo]") || letters.starts_with(b"[LocalizedFileNames]")
}

/// Whether bytes may be text: control characters, but for those that lay text out or change its encoding, are in none.
///
/// UTF-16 has zeros, half of its bytes in Latin text, so whoever expects it asks first.
pub fn may_be_text(head: &[u8]) -> bool {
    const ESCAPE: u8 = 0x1B;
    let is_control = |byte: &&u8| byte.is_ascii_control() && !byte.is_ascii_whitespace() && **byte != ESCAPE;
    // Old text files end with a Ctrl-Z, and some pages hold a stray one or two.
    let n_control = head.iter().filter(is_control).count();
    n_control == 0 || (!head.contains(&0) && n_control * 200 <= head.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_programs_are_told_by_their_kind() {
        for (head, expected) in [
            (&b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n1 0 obj"[..], Some("application/pdf")),
            (b"%PDF-1.4\n1 0 obj <</Type /Catalog>>", Some("application/pdf")),
            (b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", Some("image/png")),
            (b"\xFF\xD8\xFF\xE0\0\x10JFIF\0", Some("image/jpeg")),
            (b"\x7FELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", Some("application/x-executable")),
            (b"\0\x05\x16\x07\0\x02\0\0Mac OS X", Some("application/applefile")),
            (b"BMW builds a new works in the north.", None),
            (b"GIF89a is a format of pictures.", None),
            (b"<!DOCTYPE html><p>", None),
            (b"#!/bin/sh\necho", None),
            ("第一段\n第二段".as_bytes(), None),
            (b"\xC4\xE3\xBA\xC3", None),
            (b"", None),
        ] {
            assert_eq!(binary(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn formats_that_nobody_takes_apart_are_named() {
        for (head, complete, expected) in [
            ("<?xml version=\"1.0\"?>\n<rss version=\"2.0\"><channel>", false, Some("XML (`rss`)")),
            (
                "\u{feff}<?xml version='1.0'?><!-- a --><!DOCTYPE tei [<!ENTITY a 'b'>]><TEI.2>",
                false,
                Some("XML (`tei.2`)"),
            ),
            ("<!DOCTYPE svg><svg>", true, Some("XML (`svg`)")),
            ("<feed xmlns='a'><entry><id>1</id></entry></feed>\n", true, Some("XML (`feed`)")),
            (
                "<DOC>\n<DOCNO>1</DOCNO><TEXT>words</TEXT></DOC>\n<DOC>\n<DOCNO>2</DOCNO>",
                false,
                Some("XML (`doc`)"),
            ),
            ("<?xml version='1.0'?><html xmlns='a'>", false, None),
            ("<?xml version='1.0'?><!DOCTYPE html PUBLIC 'a'>", false, None),
            ("<ann> hello\n<bob> hi\n<ann> bye", true, None),
            ("<ann> hello\n<bob> hi <i>you</i>\n<ann> bye", false, None),
            ("<div><my-box>words</my-box></div>", true, None),
            ("<think>so</think> words", true, None),
            ("{\\rtf1\\ansi words}", true, Some("RTF")),
            ("%!PS-Adobe-3.0", true, Some("PostScript")),
            ("BEGIN:VCALENDAR\r\n", true, Some("a calendar (iCalendar)")),
            ("{rtf}", true, None),
            ("", true, None),
        ] {
            assert_eq!(format(head.as_bytes(), complete).as_deref(), expected, "{head}");
        }
        let wide: Vec<u8> = "<?xml version='1.0'?><rss>".bytes().flat_map(|byte| [byte, 0]).collect();
        assert_eq!(format(&wide, true).as_deref(), Some("XML (`rss`)"));
    }

    #[test]
    fn companions_are_told_by_name_and_bytes() {
        let head = b"\0\x05\x16\x07\0\x02\0\0Mac OS X";
        assert!(is_companion("__MACOSX/a/._b.html", head) && is_companion("._b", head));
        assert!(is_companion("a/.DS_Store", b"\0\0\0\x01Bud1\0"));
        assert!(is_companion("a/Thumbs.db", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"));
        assert!(is_companion(
            "a\\Desktop.ini",
            b"\xFF\xFE[\0.\0S\0h\0e\0l\0l\0C\0l\0a\0s\0s\0I\0n\0f\0o\0]\0"
        ));
        assert!(is_companion("desktop.ini", b"\r\n[.ShellClassInfo]\r\nIconFile=x.ico"));
        assert!(!is_companion("desktop.ini", b"[notes]\ntext=a") && !is_companion("thumbs.db", b"a text"));
        assert!(!is_companion("a/b.html", head) && !is_companion("._b.html", b"<p>a page"));
    }

    #[test]
    fn text_has_no_control_characters_to_speak_of() {
        assert!(may_be_text("报纸\tA\r\n\u{0C}".as_bytes()) && may_be_text(b"\x1B$B8l\x1B(B"));
        assert!(may_be_text(&[b"a page ".repeat(100).as_slice(), b"\x1A"].concat()));
        assert!(!may_be_text(b"ab\x01\x02\x03") && !may_be_text(b"a\0"));
    }
}
