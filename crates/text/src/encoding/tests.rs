//! Tests of the encodings.

use proptest::prelude::*;

use super::*;

const ARTICLE: &str = "本报讯（记者 张晓明）昨天上午，市图书馆新馆正式向读者开放，首日接待读者三千余人。";

fn encoded(text: &str, label: &str) -> Vec<u8> {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("a label");
    if encoding == UTF_16LE {
        return text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    }
    if encoding == UTF_16BE {
        return text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    }
    let (bytes, _, had_errors) = encoding.encode(text);
    assert!(!had_errors, "{text} has no form in {label}");
    bytes.into_owned()
}

fn found(bytes: &[u8], hints: &Hints<'_>) -> (String, &'static str, Source, u64) {
    let Decoded { text, encoding, source, n_undecodable, .. } = decode(bytes, hints);
    (text.into_owned(), encoding.name(), source, n_undecodable)
}

fn labelled(label: &str) -> Hints<'_> {
    Hints { label: Some(label), ..Hints::default() }
}

const MARKUP: Hints<'_> =
    Hints { chosen: None, fallback: None, label: None, markup: true, top_level_domain: None };

#[test]
fn undeclared_text_is_recognised() {
    let traditional = "市立圖書館新館昨日正式啟用，首日共接待讀者三千餘人，館方表示將延長開放時間。";
    let japanese = "市立図書館の新館がきのう開館し、初日は三千人を超える来館者でにぎわいました。";
    let korean = "시립 도서관 새 건물이 어제 문을 열었으며 첫날 삼천 명이 넘는 시민이 찾았습니다.";
    let russian = "Вчера в городе открылось новое здание библиотеки, которое посетили тысячи читателей.";
    let cases = [
        (ARTICLE, "gbk", "GBK"),
        (traditional, "big5", "Big5"),
        (japanese, "shift_jis", "Shift_JIS"),
        (japanese, "euc-jp", "EUC-JP"),
        (japanese, "iso-2022-jp", "ISO-2022-JP"),
        (korean, "euc-kr", "EUC-KR"),
        (russian, "windows-1251", "windows-1251"),
        (russian, "koi8-r", "KOI8-U"),
        (
            "Der Käse wäre schöner, müßte er nicht täglich über die Straße geführt werden.",
            "latin1",
            "windows-1252",
        ),
        ("plain ASCII text, nothing else", "utf-16le", "UTF-16LE"),
        ("plain ASCII text, nothing else", "utf-16be", "UTF-16BE"),
    ];
    for (text, label, name) in cases {
        let bytes = encoded(text, label);
        assert_eq!(found(&bytes, &Hints::default()), (text.to_owned(), name, Source::Guess, 0), "{label}");
        // With the label it is no guess; labels that the bytes bear out decide.
        let (decoded, _, source, wrong) = found(&bytes, &labelled(label));
        assert_eq!((decoded.as_str(), source, wrong), (text, Source::Label, 0), "{label}");
    }
}

#[test]
fn characters_of_gb18030_and_of_hong_kong_are_decoded() {
    let bytes = encoded("㐀𠀀龦€", "gb18030");
    assert_eq!(found(&bytes, &labelled("gb18030")).0, "㐀𠀀龦€");
    // Two bytes, two characters, says the standard.
    assert_eq!(found(b"\x88\x62", &labelled("big5-hkscs")).0, "\u{CA}\u{304}");
}

#[test]
fn a_byte_order_mark_outranks_everything() {
    for (mark, label, name) in [
        (&b"\xEF\xBB\xBF"[..], "utf-8", "UTF-8"),
        (b"\xFF\xFE", "utf-16le", "UTF-16LE"),
        (b"\xFE\xFF", "utf-16be", "UTF-16BE"),
    ] {
        let bytes = [mark, &encoded(ARTICLE, label)].concat();
        let hints = Hints { chosen: Encoding::for_label("big5"), label: Some("gbk"), ..MARKUP };
        let expected = (ARTICLE.to_owned(), name, Source::ByteOrderMark, 0);
        assert_eq!(found(&bytes, &hints), expected);
    }
}

#[test]
fn declarations_are_believed_as_far_as_the_bytes_bear_them_out() {
    let gbk = encoded(ARTICLE, "gbk");
    let ambiguous = encoded("一些", "gbk");
    let damaged = [ARTICLE.as_bytes(), b"\xB4\xFF", ARTICLE.as_bytes()].concat();
    let cut_off = &ARTICLE.as_bytes()[..5];
    let cases: &[(&[u8], &str, &str, Source, u64)] = &[
        // Pages that lie.
        (ARTICLE.as_bytes(), "gb2312", "UTF-8", Source::Utf8, 0),
        (ARTICLE.as_bytes(), "latin1", "UTF-8", Source::Utf8, 0),
        ("é".as_bytes(), "latin1", "UTF-8", Source::Utf8, 0),
        (&gbk, "utf-8", "GBK", Source::Guess, 0),
        (&gbk, "no-such-label", "GBK", Source::Guess, 0),
        (&gbk, "hz-gb-2312", "GBK", Source::Guess, 0),
        // Two characters that are UTF-8 as well.
        (&ambiguous, "gbk", "GBK", Source::Label, 0),
        (&ambiguous, "utf-8", "UTF-8", Source::Label, 0),
        (b"plain", "gbk", "UTF-8", Source::Utf8, 0),
        (b"plain", "utf-16le", "UTF-8", Source::Utf8, 0),
        // Damage.
        (&damaged, "utf-8", "UTF-8", Source::Label, 2),
        (&damaged, "", "UTF-8", Source::Utf8, 2),
        (cut_off, "", "UTF-8", Source::Utf8, 2),
    ];
    for (bytes, label, name, source, wrong) in cases {
        let (_, found_name, found_source, found_wrong) = found(bytes, &labelled(label));
        assert_eq!((found_name, found_source, found_wrong), (*name, *source, *wrong), "{label} {bytes:?}");
    }
}

#[test]
fn the_users_choice_is_not_questioned() {
    let hints = Hints { chosen: Encoding::for_label("gbk"), ..Hints::default() };
    let (text, name, source, wrong) = found(b"a\xFFb", &hints);
    assert_eq!((text.as_str(), name, source, wrong), ("a\u{FFFD}b", "GBK", Source::Chosen, 1));
}

#[test]
fn the_declaration_of_a_page_is_found_as_browsers_find_it() {
    let cases = [
        ("<meta charset=gbk>", Some("GBK")),
        ("<META CHARSET = 'GB2312' />", Some("GBK")),
        ("<meta/charset=\"big5\">", Some("Big5")),
        ("<meta http-equiv=Content-Type content='text/html; charset=gb18030'>", Some("gb18030")),
        ("<meta content='text/html; charset=\"euc-kr\"' http-equiv='content-type'>", Some("EUC-KR")),
        ("<meta content='text/html; charset=gbk'>", None),
        ("<meta http-equiv=refresh content='0; charset=gbk'>", None),
        ("<!-- <meta charset=gbk> --><meta charset=big5>", Some("Big5")),
        ("<!--><meta charset=big5>", Some("Big5")),
        ("<a title='<meta charset=gbk>'><meta charset=big5>", Some("Big5")),
        ("</p title='<meta charset=gbk>'><meta charset=big5>", Some("Big5")),
        ("<!doctype html><? x ><meta charset=big5>", Some("Big5")),
        ("<meta charset=utf-16>", Some("UTF-8")),
        ("<meta charset=x-user-defined>", Some("windows-1252")),
        ("<meta charset=nothing><meta charset=gbk>", Some("GBK")),
        ("<meta charset=gbk charset=big5>", Some("GBK")),
        ("<metacharset=gbk>", None),
        ("<meta name=x content='y'", None),
        ("<?xml version=\"1.0\" encoding=\"gb2312\"?>", Some("GBK")),
        ("<?xml version='1.0' encoding = 'Shift_JIS'?><html>", Some("Shift_JIS")),
        ("<?xml version='1.0'?>", None),
        ("<\0?\0x\0m\0", Some("UTF-16LE")),
        ("", None),
        ("<", None),
        ("<meta", None),
        ("<meta =gbk", None),
    ];
    for (page, name) in cases {
        assert_eq!(declared_in_markup(page.as_bytes()).map(Encoding::name), name, "{page}");
    }
    let late = format!("{}<meta charset=gbk>", " ".repeat(PRESCAN_END));
    assert_eq!(declared_in_markup(late.as_bytes()), None);
    let page = encoded(&format!("<meta charset=gb2312><p>{ARTICLE}"), "gbk");
    assert_eq!(found(&page, &MARKUP).1, "GBK");
    assert_eq!(found(&page, &MARKUP).2, Source::Markup);
}

/// Behind the bytes in which a declaration counts.
const PRESCAN_END: usize = 1024;

#[test]
fn the_domain_is_the_last_label_of_the_host() {
    let cases = [
        ("http://news.example.cn/a.html", Some("cn")),
        ("https://user@example.co.JP:8080?x", Some("JP")),
        ("http://127.0.0.1/", None),
        ("http://localhost/", None),
        ("example.cn", None),
        ("http://示例.中国/", None),
        ("http://example.cn./", Some("cn")),
    ];
    for (url, domain) in cases {
        assert_eq!(top_level_domain(url), domain, "{url}");
    }
}

proptest! {
    #[test]
    fn any_bytes_have_a_text(
        bytes: Vec<u8>,
        label in "(gbk|utf-8|utf-16|iso-2022-jp|big5|latin1|x)?",
        domain in "(cn|CN|.|é|com|)",
        markup: bool,
    ) {
        let hints = Hints { label: Some(&label), markup, top_level_domain: Some(&domain), ..Hints::default() };
        let decoded = decode(&bytes, &hints);
        prop_assert!(decoded.n_undecodable <= bytes.len() as u64);
        prop_assert!(decoded.text.len() <= bytes.len() * 3 + 3);
    }

    #[test]
    fn utf8_is_borrowed(text in "\\PC{0,40}") {
        let decoded = decode(text.as_bytes(), &Hints::default());
        prop_assert_eq!(&decoded.text, &text);
        prop_assert!(matches!(decoded.text, Cow::Borrowed(_)));
    }

    #[test]
    fn any_markup_is_scanned(page in "(<|>|meta|charset|=|\"|'|gbk| |/|!--|-->|\\?xml|encoding|content|http-equiv){0,30}") {
        declared_in_markup(page.as_bytes());
    }
}

#[test]
fn a_page_cut_inside_a_character_keeps_its_encoding() {
    for (text, label, name) in [
        (ARTICLE, "gb18030", "GBK"),
        ("市立圖書館新館昨日正式啟用，首日共接待讀者三千餘人。", "big5", "Big5"),
    ] {
        let whole = encoded(&text.repeat(5), label);
        let (text, found, _, n_undecodable) = found(&whole[..whole.len() - 3], &Hints::default());
        assert_eq!((found, n_undecodable), (name, 1), "{text}");
        assert!(text.starts_with(if label == "big5" { "市立圖書館" } else { "本报讯" }), "{text}");
    }
}

#[test]
fn a_damaged_character_does_not_make_a_page_latin() {
    for (text, label, name) in [
        (ARTICLE, "gbk", "GBK"),
        ("市立圖書館新館昨日正式啟用，首日共接待讀者三千餘人。", "big5", "Big5"),
        ("市立図書館の新館がきのう開館し、初日は三千人を超える来館者でにぎわいました。", "euc-jp", "EUC-JP"),
        (
            "시립 도서관 새 건물이 어제 문을 열었으며 첫날 삼천 명이 넘는 시민이 찾았습니다.",
            "euc-kr",
            "EUC-KR",
        ),
    ] {
        let mut bytes = encoded(&format!("{text}\n").repeat(60), label);
        let middle = bytes.iter().skip(bytes.len() / 2).position(|byte| *byte == b'\n').expect("lines");
        bytes.insert(bytes.len() / 2 + middle, 0xFF);
        let (text_found, found, source, n_undecodable) = found(&bytes, &Hints::default());
        assert_eq!((found, source), (name, Source::Guess), "{label}");
        assert!(n_undecodable <= 2 && text_found.starts_with(text), "{label}: {n_undecodable}");
    }
}

/// Text in an encoding that only this crate knows: each character is the byte that stands for it.
fn in_code_page(text: &str, label: &str) -> Vec<u8> {
    let encoding = Encoding::for_label(label).expect("a label");
    let byte_of = |character: char| {
        let found = (0..=u8::MAX).find(|byte| encoding.decode(&[*byte]).0.chars().eq([character]));
        found.unwrap_or_else(|| panic!("{character} has no form in {label}"))
    };
    text.chars().map(byte_of).collect()
}

const RUSSIAN: &str = "Вчера в центре города открылось новое здание библиотеки. Первые посетители пришли рано утром, \
    и в очереди стояли целые семьи. Я ждала этого три года, сказала учительница Анна Петрова. Мэр обещал, что зал будет \
    работать и по воскресеньям.";

#[test]
fn encodings_that_the_detector_does_not_know_are_found() {
    let korean = "시립 도서관 새 건물이 어제 문을 열었으며 첫날 삼천 명이 넘는 시민이 찾았습니다";
    let shifted = |text: &str| {
        let coded: Vec<u8> = encoded(text, "euc-kr").iter().map(|byte| byte & 0x7F).collect();
        [&b"\x0E"[..], &coded, b"\x0F"].concat()
    };
    let korean: Vec<Vec<u8>> = korean.split(' ').map(shifted).collect();
    let korean = [&b"\x1B$)C\n"[..], &korean.join(&b" "[..])].concat();
    for (bytes, name) in [
        (in_code_page(RUSSIAN, "ibm855"), "IBM855"),
        (in_code_page(RUSSIAN, "x-mac-cyrillic"), "x-mac-cyrillic"),
        (encoded(&format!("{ARTICLE}\n{ARTICLE}"), "utf-16le"), "UTF-16LE"),
        (encoded(&format!("{ARTICLE}\n{ARTICLE}"), "utf-16be"), "UTF-16BE"),
        (RUSSIAN.chars().flat_map(|character| u32::from(character).to_be_bytes()).collect(), "UTF-32BE"),
        (RUSSIAN.chars().flat_map(|character| u32::from(character).to_le_bytes()).collect(), "UTF-32LE"),
        (korean, "ISO-2022-KR"),
        (encoded("The larger one costs £825, the other one £410.", "latin1"), "windows-1252"),
    ] {
        let decoded = decode(&bytes, &Hints::default());
        let found = (decoded.encoding.name(), decoded.source, decoded.n_undecodable, decoded.is_plausible);
        assert_eq!(found, (name, Source::Guess, 0, true), "{}", decoded.text);
    }
    let hz = Encoding::for_label("hz-gb-2312").expect("a label");
    assert_eq!(hz.decode(b"a ~{<:Ky2;S{~} b~~"), ("a 己所不欲 b~".into(), 0));
    assert_eq!(hz.decode(b"a\x80").1, 1);
}

#[test]
fn text_in_an_unknown_encoding_is_told() {
    // EUC-TW and Johab, for which there is no table here.
    let taiwan =
        b"\xC6\xCB\xC7\xA1\xE8\xB5\xDA\xE9\xF3\xAC\xF2\xA5\xF3\xAC\xD1\xD4\xC5\xCA\xC6\xDF\xC8\xA2\xDB\xF9";
    let johab = b"\xAF\xA1\x9F\xB3\x20\x95\xA1\xAC\xE1\x89\xC5\x20\xAC\x20\x88\xE5\xA2\x89\xB7\xA1\x20\xB4\xE1\xB9\x41";
    for bytes in [taiwan.repeat(8), johab.repeat(8)] {
        let decoded = decode(&bytes, &Hints::default());
        assert!(!decoded.is_plausible, "{}: {}", decoded.encoding.name(), decoded.text);
    }
    for (text, label) in [
        (ARTICLE, "gbk"),
        ("张伟 王芳 李娜 刘洋 陈静 杨勇 赵磊 黄敏 周杰 吴涛 徐丽 孙超", "gbk"),
        ("ROCK ’N’ ROLL – CAFÉ €5 ½ ±3 §4 à la McÉwan", "windows-1252"),
    ] {
        let bytes = encoded(&text.repeat(4), label);
        let decoded = decode(&bytes, &Hints::default());
        assert_eq!((decoded.text.as_ref(), decoded.is_plausible), (text.repeat(4).as_str(), true));
    }
}

#[test]
fn a_few_words_of_any_script_are_no_chinese() {
    for (text, label) in [
        ("Записка для сторожа: лодка стоит у моста.", "koi8-r"),
        ("Добрый день, это короткая записка.", "windows-1251"),
        ("هذا نص قصير باللغة العربية كتب بترميز قديم.", "windows-1256"),
        ("זהו טקסט קצר בעברית בקידוד ישן.", "windows-1255"),
        ("Αυτό είναι ένα σύντομο κείμενο.", "windows-1253"),
        ("นี่คือข้อความสั้นภาษาไทยที่เขียนด้วยรหัสเก่า", "windows-874"),
        ("เรือจอดอยู่ที่สะพาน", "windows-874"),
        ("关于召开年度总结会议的通知", "gbk"),
        ("饕餮纹青铜鼎，彝铭漶漫", "gbk"),
        ("说明：本文件为纯文本。", "gbk"),
        ("各位讀者，本報自下月起改為週刊。", "big5"),
    ] {
        assert_eq!(found(&encoded(text, label), &Hints::default()).0, text, "{label}");
    }
}
