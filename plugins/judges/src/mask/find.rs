//! Where private things stand in a text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::checks::{is_bank_card, is_id_card, is_mobile, is_public_ip, is_social_credit};
use super::landline::landline;
use super::options::Kind;

/// Something that was found: its kind and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

/// Finds what is of `kinds`, in the order of the text; nothing overlaps, and of two that would the first and then the
/// longer stays.
pub(super) fn find(text: &str, kinds: &[Kind]) -> Vec<Found> {
    let Some((folded, places)) = folded(text) else { return find_as_it_is(text, kinds) };
    let mut found = find_as_it_is(&folded, kinds);
    for it in &mut found {
        let place = |at: usize| places.get(at).map_or(text.len(), |place| *place as usize);
        it.range = place(it.range.start)..place(it.range.end);
    }
    found
}

/// A text with digits and letters in their full width, as Chinese and Japanese input methods type them, in ASCII, and where each of
/// its bytes comes from; `None` for a text that has none.
fn folded(text: &str) -> Option<(String, Vec<u32>)> {
    let is_wide =
        |c: char| matches!(c, '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '＋' | '－' | '．' | '＠' | '＿');
    if !text.chars().any(|c| matches!(c, '０'..='９' | '＠')) {
        return None;
    }
    let mut folded = String::with_capacity(text.len());
    let mut places = Vec::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let to = if is_wide(c) { char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c) } else { c };
        folded.push(to);
        places.extend((0..to.len_utf8()).map(|byte| (at + byte) as u32));
    }
    Some((folded, places))
}

fn find_as_it_is(text: &str, kinds: &[Kind]) -> Vec<Found> {
    let mut found = Vec::new();
    let wants = |kind: Kind| kinds.contains(&kind);
    let has = |needle: &str| text.contains(needle);
    if wants(Kind::Credentials) && (has("://") || has("=")) {
        credentials(text, &mut found);
    }
    if wants(Kind::Email) && has("@") {
        emails(text, &mut found);
    }
    if wants(Kind::Account) {
        accounts(text, &mut found);
    }
    if wants(Kind::CnPlate) {
        let plates = PLATE.find_iter(text).filter(|plate| !joins_word(text, &plate.range()));
        found.extend(plates.map(|plate| Found { kind: Kind::CnPlate, range: plate.range() }));
    }
    let numeric =
        [Kind::Ip, Kind::CnIdCard, Kind::CnMobile, Kind::Phone, Kind::BankCard, Kind::CnSocialCredit];
    if numeric.into_iter().any(wants) {
        numbers(text, kinds, &mut found);
    }
    found.sort_by_key(|it| (it.range.start, std::cmp::Reverse(it.range.end)));
    let mut end = 0;
    found.retain(|it| {
        let stays = it.range.start >= end;
        end = if stays { it.range.end } else { end };
        stays
    });
    found
}

fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern that a test compiles")
}

/// An address in the form that nearly all have (RFC 5322 allows more): no dot at either end of the name.
static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"[A-Za-z0-9_%+-]+(?:\.[A-Za-z0-9_%+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}",
    )
});

/// `user:password@` behind a scheme, and values of parameters that are keys.
static USER: LazyLock<Regex> =
    LazyLock::new(|| compiled(r"[a-z][a-z0-9+.-]{1,15}://([^\s/@:{}$<>]{1,64}:[^\s/@{}$<>]{1,128})@"));
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r#"(?i)[?&;](?:password|passwd|pwd|api_?key|access_?key|secret|client_secret|token|access_token|auth_token|sig|signature)=([^\s&#;"'<>{}$`*%()]{6,})(?:[\s&#;"'<>`]|$)"#,
    )
});

/// A label and an account of WeChat or QQ behind it. WeChat's begin with a letter, QQ's are numbers; in `加微信` and `QQ` alone
/// the colon is what tells a label from a mention.
static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"(?i)(?:(?:微信号|微信號|微信|wechat(?: id)?|weixin|vx)\s*(?:号|號)?\s*[:：]\s*([a-z][-_a-z0-9]{5,19})|(?:微信号|微信號|加微信|加v)\s*([a-z][-_a-z0-9]{5,19})|(?:qq群|qq号|qq號|qq|扣扣)\s*(?:号|號)?\s*[:：]\s*([1-9]\d{4,10}))",
    )
});

static PLATE: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·• ]?(?:[DF][A-HJ-NP-Z0-9]\d{4}|\d{5}[DF]|[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳])",
    )
});

/// What stands before a social credit code: without it 18 letters and digits may be a key of anything.
static CREDIT_LABEL: LazyLock<Regex> =
    LazyLock::new(|| compiled(r"(?:信用代码|信用代碼|税号|稅號|纳税人识别号)(?:证号)?\s*[:：]?\s*$"));

fn credentials(text: &str, found: &mut Vec<Found>) {
    for pattern in [&USER, &KEY] {
        let groups = pattern.captures_iter(text).filter_map(|captures| captures.get(1));
        // What documentation writes in their place.
        let groups = groups
            .filter(|group| !matches!(group.as_str(), "user:pass" | "user:password" | "username:password"));
        found.extend(groups.map(|group| Found { kind: Kind::Credentials, range: group.range() }));
    }
}

fn emails(text: &str, found: &mut Vec<Found>) {
    for email in EMAIL.find_iter(text) {
        // `logo@2x.png` is a file, and what a slash follows or stands before is a path.
        let name = email.as_str().rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let is_file = matches!(name.as_str(), "png" | "jpg" | "jpeg" | "gif" | "webp" | "svg" | "js" | "css");
        let before = text.get(..email.start()).and_then(|before| before.chars().next_back());
        let from = text.floor_char_boundary(email.start().saturating_sub(80));
        let token = text.get(from..email.start()).unwrap_or_default().rsplit(char::is_whitespace).next();
        let is_in_address = token.is_some_and(|token| token.contains("//"));
        let is_part = is_in_address || matches!(before, Some('/' | '@')) || joins_word(text, &email.range());
        if !is_file && !is_part {
            found.push(Found { kind: Kind::Email, range: email.range() });
        }
    }
}

fn accounts(text: &str, found: &mut Vec<Found>) {
    for captures in ACCOUNT.captures_iter(text) {
        let group = captures.iter().skip(1).flatten().next();
        // An account that is a number as well as the next digits is a longer number.
        if let Some(group) = group.filter(|group| !joins_word(text, &group.range())) {
            found.push(Found { kind: Kind::Account, range: group.range() });
        }
    }
}

/// Whether letters or digits of ASCII stand right before or behind a range.
fn joins_word(text: &str, range: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let is_of_word =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let before = range.start.checked_sub(1).and_then(|at| bytes.get(at));
    is_of_word(before) || is_of_word(bytes.get(range.end))
}

/// Goes from number to number: runs of digits with what may stand between their groups.
fn numbers(text: &str, kinds: &[Kind], found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(step) = bytes.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_digit)) {
        let start = at + step;
        let mut end = start;
        while let Some(byte) = bytes.get(end) {
            let joins =
                matches!(byte, b' ' | b'-' | b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
            if !byte.is_ascii_digit() && !joins {
                break;
            }
            end += 1;
        }
        // Far fewer runs are long enough than there are numbers.
        if end - start >= 7 {
            number(text, start..end, kinds, found);
        }
        at = end;
    }
}

/// What a run of digits and separators is, if it is anything.
fn number(text: &str, range: Range<usize>, kinds: &[Kind], found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let written = text.get(range.clone()).unwrap_or_default();
    let before = range.start.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    let behind = bytes.get(range.end).copied().unwrap_or(b' ');
    let mut push = |kind: Kind, range: Range<usize>| {
        if kinds.contains(&kind) {
            found.push(Found { kind, range });
        }
    };
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    let is_plain = digits.len() == written.len();
    // Letters, paths and identifiers around it: a part of something else.
    let is_part = before.is_ascii_alphabetic()
        || matches!(before, b'_' | b'/' | b'=' | b'#' | b'$' | b'.' | b'-' | b'%');
    let is_open = behind.is_ascii_alphabetic() || matches!(behind, b'_' | b'%' | b'/' | b'=');
    if is_plain && digits.len() == 17 && matches!(behind, b'x' | b'X') && !is_part {
        let whole = range.start..range.end + 1;
        if text.get(whole.clone()).is_some_and(is_id_card) && !joins_word(text, &whole) {
            push(Kind::CnIdCard, whole);
        }
        return;
    }
    if is_plain && (2..18).contains(&digits.len()) && !is_part {
        credit_code(text, range.start, &mut push);
    }
    if is_open || is_part {
        return;
    }
    if let Some(parts) = ip(written) {
        // A version has a word before it.
        let may_be_version = || looks_like_version(parts) && !is_called_address(text, range.start);
        if is_public_ip(parts) && !may_be_version() && !is_version(text, range.start) {
            push(Kind::Ip, range);
        }
        return;
    }
    // A sum is written with something before the sign.
    let before_plus = range.start.checked_sub(2).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    let has_plus =
        before == b'+' && !before_plus.is_ascii_alphanumeric() && !matches!(before_plus, b')' | b']');
    if before == b'+' && !has_plus {
        return;
    }
    if is_plain && is_id_card(&digits) {
        push(Kind::CnIdCard, range);
        return;
    }
    if is_plain && digits.len() == 18 && is_labelled(text, range.start) && is_social_credit(&digits) {
        push(Kind::CnSocialCredit, range);
        return;
    }
    // Telephones and cards are told by their digits, and sums and orders have as many.
    if is_amount(text, &range) {
        return;
    }
    if !has_plus && let Some(line) = landline(text, &range) {
        push(Kind::Phone, line);
    } else if is_phone_form(written, &digits, has_plus) {
        push(Kind::CnMobile, if has_plus { range.start - 1..range.end } else { range });
    } else if !has_plus && is_card_form(written) && is_bank_card(&digits) {
        push(Kind::BankCard, range);
    } else if has_plus
        && (8..=15).contains(&digits.len())
        && !written.contains('.')
        && !digits.starts_with('0')
    {
        push(Kind::Phone, range.start - 1..range.end);
    }
}

/// What a number that is counted has behind it. Words that a sentence may go on with, 点 or 人, are not among them.
const UNITS: [&str; 16] = [
    "元",
    "美元",
    "欧元",
    "日元",
    "港元",
    "港币",
    "人民币",
    "万",
    "亿",
    "人次",
    "平方",
    "吨",
    "股",
    "户",
    "件",
    "％",
];

/// What stands before the number of a thing.
const THINGS: [&str; 14] =
    ["￥", "¥", "$", "€", "£", "单号", "订单", "编号", "序列号", "流水号", "总价", "金额", "售价", "价格"];

/// Whether a number is a sum, an amount or that of an order, by the words around it.
fn is_amount(text: &str, range: &Range<usize>) -> bool {
    let behind = text.get(range.end..).unwrap_or_default();
    let behind = behind.strip_prefix(' ').unwrap_or(behind);
    let before = text.get(..range.start).unwrap_or_default().trim_end_matches([' ', ':', '：', '+', '为']);
    UNITS.iter().any(|unit| behind.starts_with(unit)) || THINGS.iter().any(|thing| before.ends_with(thing))
}

/// A mobile number, with 86 before it or not: in one, or in groups of 3, 4 and 4.
fn is_phone_form(written: &str, digits: &str, has_plus: bool) -> bool {
    let local = match digits.strip_prefix("86") {
        Some(local) if local.len() == 11 => local,
        _ if has_plus => return false,
        _ => digits,
    };
    let groups: Vec<usize> = written.split([' ', '-']).map(str::len).collect();
    let fits = matches!(groups.as_slice(), [11 | 13] | [3, 4, 4] | [2, 11] | [2, 3, 4, 4]);
    fits && !written.contains('.') && is_mobile(local)
}

/// A card in one, or in groups of four.
fn is_card_form(written: &str) -> bool {
    let groups: Vec<usize> = written.split([' ', '-']).map(str::len).collect();
    match groups.as_slice() {
        [_] => !written.contains('.'),
        [4, 6, 5] => true,
        [four @ .., last] => four.iter().all(|length| *length == 4) && (1..=4).contains(last),
        [] => false,
    }
}

fn ip(written: &str) -> Option<[u8; 4]> {
    let parts: Vec<u8> = written
        .split('.')
        .map(|part| if part.len() > 1 && part.starts_with('0') { None } else { part.parse().ok() })
        .collect::<Option<_>>()?;
    parts.try_into().ok()
}

/// Whether four numbers are more probably a version than an address: all of them are small. Of random addresses one in
/// forty is taken for one; of what looked like an address on 3,700 pages nine in ten were versions.
fn looks_like_version(parts: [u8; 4]) -> bool {
    parts.iter().all(|part| *part < 100)
}

/// Whether what stands before says that four numbers are an address: `IP 81.2.69.1`, `client_ip=…`, `IP地址：…`.
fn is_called_address(text: &str, start: usize) -> bool {
    let between = |c: char| {
        c.is_whitespace() || matches!(c, ':' | '：' | '=' | '"' | '\'' | '(' | '（' | '[' | '为' | '是')
    };
    let before = text.get(..start).unwrap_or_default().trim_end_matches(between);
    let word: Vec<char> =
        before.chars().rev().take(20).take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let word = word.iter().rev().collect::<String>().to_lowercase();
    let last = word.rsplit('_').next().unwrap_or_default();
    let last = last.trim_end_matches("地址");
    matches!(last, "ip" | "ipv4" | "addr" | "address" | "addresses") || is_behind_letters_of_others(last)
}

/// Whether a word ends in `ip` behind letters that are none of ASCII: `登录ip`, but not `chip`.
fn is_behind_letters_of_others(word: &str) -> bool {
    let before = word.strip_suffix("ipv4").or_else(|| word.strip_suffix("ip"));
    before.and_then(|before| before.chars().next_back()).is_some_and(|c| !c.is_ascii())
}

/// Whether what stands before says that a number with points is a version.
fn is_version(text: &str, start: usize) -> bool {
    let before = text.get(..start).unwrap_or_default().trim_end();
    let word: String =
        before.chars().rev().take(20).take_while(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let word: String = word.chars().rev().collect();
    matches!(
        word.as_str(),
        "version" | "ver" | "v" | "versions" | "release" | "firmware" | "build" | "section"
    ) || word.ends_with('版')
        || word.ends_with("版本")
        || word.ends_with("版本号")
}

/// A social credit code that begins with digits and has letters in it.
fn credit_code(text: &str, start: usize, push: &mut impl FnMut(Kind, Range<usize>)) {
    let code: String = text
        .get(start..)
        .unwrap_or_default()
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .take(19)
        .collect();
    if code.len() == 18 && is_labelled(text, start) && is_social_credit(&code) {
        push(Kind::CnSocialCredit, start..start + 18);
    }
}

fn is_labelled(text: &str, start: usize) -> bool {
    let from = text.floor_char_boundary(start.saturating_sub(60));
    text.get(from..start).is_some_and(|before| CREDIT_LABEL.is_match(before))
}
