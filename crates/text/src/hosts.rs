//! The hosts of addresses of the web.

use crate::domain::readable;

/// The host of an address, as people read it ([`readable`]) and without user, port, the dot of the root and the brackets of IPv6; `None` if it
/// has no host.
///
/// An address begins with a scheme or with `//`; see [`host_or_bare`] for those that people write by hand.
///
/// ```
/// use tamis_text::hosts::host;
/// assert_eq!(host("https://me@Example.ORG:8080/a").as_deref(), Some("example.org"));
/// assert_eq!(host("example.org/a"), None);
/// ```
pub fn host(address: &str) -> Option<String> {
    let address = address.trim();
    match address.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => of_authority(rest),
        Some(_) => None,
        None => of_authority(address.strip_prefix("//")?),
    }
}

/// The same of an address of which the scheme may be left out, as in lists of domains: `example.org/a`.
pub fn host_or_bare(address: &str) -> Option<String> {
    host(address).or_else(|| if address.contains("://") { None } else { of_authority(address.trim()) })
}

/// A host without the `www.` that says nothing about whose it is.
pub fn without_www(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The host of what stands behind a scheme.
fn of_authority(rest: &str) -> Option<String> {
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // An address of IPv6 has colons of its own, in brackets.
    let host = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inner, _)) => inner,
        None => host.split_once(':').map_or(host, |(host, _)| host),
    };
    let host = readable(host.trim_end_matches('.')).into_owned();
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_addresses() {
        for (address, expected) in [
            ("https://Example.ORG/a?b=http://c", Some("example.org")),
            ("http://me:pw@a.b:8080", Some("a.b")),
            ("//cdn.example.org./x", Some("cdn.example.org")),
            ("http://[::1]:8/a", Some("::1")),
            ("http://新闻.cn/a", Some("新闻.cn")),
            ("http://xn--efvy88h.cn/a", Some("新闻.cn")),
            ("https://user@host@real/", Some("real")),
            ("https://example.org\\@other.example/", Some("example.org")),
            ("mailto:a@b", None),
            ("a/b.html", None),
            ("see http://a.b", None),
            ("http:///a", None),
            ("", None),
        ] {
            assert_eq!(host(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn a_scheme_may_be_left_out_where_hosts_are_expected() {
        for (address, expected) in [
            ("Example.org", Some("example.org")),
            ("example.org:80/a", Some("example.org")),
            ("http://example.org", Some("example.org")),
            ("://example.org", None),
            ("", None),
        ] {
            assert_eq!(host_or_bare(address).as_deref(), expected, "{address}");
        }
        assert_eq!(without_www("www.example.org"), "example.org");
    }
}
