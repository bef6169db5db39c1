//! The normal form of an address: what is the same page, whoever links to it.
//!
//! After RFC 3986, section 6, and what browsers and campaigns add.

use tamis_text::domain::readable;
use unicode_normalization::UnicodeNormalization;

/// Parameters that say where a visitor came from, and nothing of the page. What could choose a page somewhere, such as
/// `ref` and `from`, is not among them.
const TRACKING: [&str; 33] = [
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "_openstat",
    "dclid",
    "fbclid",
    "gad_source",
    "gbraid",
    "gclid",
    "gclsrc",
    "hsctatracking",
    "igsh",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "oly_anon_id",
    "oly_enc_id",
    "scm",
    "share_source",
    "spm",
    "spm_id_from",
    "ttclid",
    "twclid",
    "vd_source",
    "vero_id",
    "wbraid",
    "wickedid",
    "yclid",
    "zanpid",
];

/// The prefix of the parameters of campaigns.
const CAMPAIGN: [&str; 3] = ["utm_", "pk_", "mtm_"];

/// An address in its normal form; what is none is only without white space around it.
pub(super) fn normal(address: &str) -> String {
    let address = address.trim();
    let Some((scheme, rest)) = address.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) else {
        return address.to_owned();
    };
    let scheme = scheme.to_ascii_lowercase();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    // Nobody serves another page over the other one.
    let shown = if scheme == "https" { "http" } else { &scheme };
    let mut normal = format!("{shown}://{}{}", host(authority, &scheme), trimmed_path(path));
    let query = wanted(query);
    if !query.is_empty() {
        normal = normal + "?" + &query;
    }
    // A fragment names a place in a page, but for those by which scripts choose one.
    if fragment.starts_with(['!', '/']) {
        normal = normal + "#" + fragment;
    }
    normal
}

fn is_scheme(scheme: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_inner)
}

/// The authority with its host in lower case, without the port that the scheme has anyway.
fn host(authority: &str, scheme: &str) -> String {
    let (user, place) = authority.rsplit_once('@').map_or(("", authority), |(user, place)| (user, place));
    // Both ports of the web, whichever of its schemes is written: they are taken for one.
    let ports: &[&str] = match scheme {
        "http" | "https" => &[":80", ":443", ":", "."],
        "ftp" => &[":21", ":", "."],
        _ => &[":", "."],
    };
    let mut place = place;
    while let Some(shorter) = ports.iter().find_map(|port| place.strip_suffix(port)) {
        place = shorter;
    }
    let place: String = readable(place).nfc().collect();
    if user.is_empty() { place } else { format!("{user}@{place}") }
}

/// A path without `.` and `..`, and without `/` at its end.
fn trimmed_path(path: &str) -> String {
    let mut segments: Vec<String> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(unescaped(segment)),
        }
    }
    while segments.last().is_some_and(String::is_empty) {
        segments.pop();
    }
    segments.into_iter().fold(String::new(), |path, segment| path + "/" + &segment)
}

/// The parameters that may choose a page, in an order of their own; those of one name stay in theirs.
fn wanted(query: &str) -> String {
    let is_tracking = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default().to_ascii_lowercase();
        TRACKING.contains(&name.as_str()) || CAMPAIGN.iter().any(|prefix| name.starts_with(prefix))
    };
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty() && !is_tracking(parameter));
    let mut parameters: Vec<String> = parameters.map(unescaped).collect();
    parameters.sort_by(|one, other| one.split('=').next().cmp(&other.split('=').next()));
    parameters.join("&")
}

/// A part of a path or query in one form (RFC 3987, section 5.3.2): escapes of what need not be escaped as what they
/// stand for, the others in capitals, and escaped what browsers escape: blanks and what is not ASCII.
fn unescaped(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    let mut rest = part;
    while let Some((before, behind)) = rest.split_once('%') {
        push_escaped(before, &mut out);
        let digits = behind.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') => {
                out.push(char::from(byte));
            }
            Some(byte) => push_escape(byte, &mut out),
            None => out.push('%'),
        }
        rest = if code.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    push_escaped(rest, &mut out);
    out
}

fn push_escaped(part: &str, out: &mut String) {
    for byte in part.bytes() {
        if byte.is_ascii_graphic() {
            out.push(char::from(byte));
        } else {
            push_escape(byte, out);
        }
    }
}

fn push_escape(byte: u8, out: &mut String) {
    out.push_str(&format!("%{byte:02X}"));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn links_to_one_page_are_the_same() {
        let page = "http://example.org/a/b";
        for other in [
            "https://example.org/a/b",
            "HTTP://Example.ORG/a/b",
            "http://example.org:80/a/b",
            "https://example.org:443/a/b/",
            "http://example.org./a/./c/../b",
            "http://example.org/a/b#top",
            "http://example.org/a/b?",
            "http://example.org/a/b?utm_source=x&gclid=1&UTM_medium=y",
            " http://example.org/%61/b\n",
        ] {
            assert_eq!(normal(other), page, "{other}");
        }
        assert_eq!(normal("https://example.org"), normal("http://EXAMPLE.org/"));
        assert_eq!(normal("http://a/p?b=2&a=1&fbclid=z"), normal("http://a/p?a=1&b=2"));
        assert_eq!(normal("http://a/%e6%b2%b3"), normal("http://a/%E6%B2%B3"));
        assert_eq!(normal("http://a/河?q=河 岸"), normal("http://a/%E6%B2%B3?q=%e6%b2%b3%20%E5%B2%B8"));
        assert_eq!(normal("http://xn--fiq228c.XN--fiqs8s/"), normal("https://中文。中国"));
        assert_eq!(normal("http://bu\u{308}cher.example"), normal("http://xn--bcher-kva.example/"));
        assert_eq!(normal("http://a/%7Eb%2fc"), normal("http://a/~b%2Fc"));
    }

    #[test]
    fn what_may_be_another_page_stays_another() {
        let page = normal("http://example.org/a?x=1");
        for other in [
            "http://www.example.org/a?x=1",
            "http://example.org:8080/a?x=1",
            "http://example.org/A?x=1",
            "http://example.org/a?x=2",
            "http://example.org/a?X=1",
            "http://example.org/a?x=1&ref=b",
            "http://example.org/a?x=1#!/b",
            "ftp://example.org/a?x=1",
            "example.org/a?x=1",
        ] {
            assert_ne!(normal(other), page, "{other}");
        }
        assert_ne!(normal("http://a/p?x=1&x=2"), normal("http://a/p?x=2&x=1"));
        assert_ne!(normal("http://a/%2F"), normal("http://a//"));
        assert_ne!(normal("http://a/%252F"), normal("http://a/%2F"));
        assert_ne!(normal("http://a/?q=1+1"), normal("http://a/?q=1%2B1"));
        assert_eq!(normal("  no address "), "no address");
    }

    proptest! {
        #[test]
        fn a_normal_form_is_its_own(address in "(https?://[a-zA-Z0-9-]{1,8}(:[0-9]{1,3})?)?(/([/?#&=.a-zA-Z0-9河]|%[0-9a-fA-F]{2}){0,20})?") {
            let once = normal(&address);
            prop_assert_eq!(normal(&once), once);
        }
    }
}
