//! When a page was published or changed: which of its dates to believe.

use tamis_dates::{Moment, Reading, read_in};

use super::address;
use super::options::Field;
use super::statement::{Statement, Statements, believed};

/// Kinds of places that show the time of the place where the page was written, without its zone.
const LOCAL: &[&str] = &["date-line", "date-class", "date-labelled", "time-text", "address"];

/// Names by which a head dates the page and does not say what happened then. Systems fill them with the day on which the
/// page was created, or with the last change, and write the same under several of them: together they say no more than
/// one.
const VAGUE: &[&str] = &["date", "dc.date", "dc:date", "dcterms.date"];

/// The language that the page is tagged with.
pub(super) fn language(statements: &Statements) -> Option<String> {
    statements.about(Field::Language).next().map(|said| said.value.clone())
}

/// The moment in ISO 8601, if it is certain.
pub(super) fn written(shown: &str, language: Option<&str>) -> Option<String> {
    certain(shown, language).map(|moment| moment.to_string())
}

fn certain(shown: &str, language: Option<&str>) -> Option<Moment> {
    match read_in(shown, language) {
        // What systems write that know of no date.
        Reading::Certain(moment) if moment.date == jiff::civil::date(1970, 1, 1) => None,
        Reading::Certain(moment) => Some(moment),
        _ => None,
    }
}

/// The date to believe.
pub(super) fn choose(field: Field, statements: &Statements, url: Option<&str>) -> Option<Statement> {
    let language = language(statements);
    let mut said: Vec<Statement> = statements.about(field).cloned().collect();
    if field == Field::Published {
        said.extend(in_address(statements, url));
    }
    // Numbers that readers see are in the order of their language, those for machines in that of any system.
    let is_certain = |said: &Statement| {
        let language = language.as_deref().filter(|_| LOCAL.contains(&said.rule));
        certain(&said.value, language).is_some()
    };
    let read = |value: &str| certain(value, language.as_deref());
    let is_vague = |said: &Statement| VAGUE.contains(&said.rule);
    let vague = said.iter().find(|said| is_vague(said) && is_certain(said)).map(|said| said.rule);
    said.retain(|said| is_certain(said) && (!is_vague(said) || Some(said.rule) == vague));
    let certain = said;
    let same_day = |one: &str, other: &str| read(one).map(|it| it.date) == read(other).map(|it| it.date);
    let best = believed(&certain, same_day)?;
    let best =
        if field == Field::Published { before_change(best, &certain, statements, &read) } else { best };
    // In UTC the day is another one for readers in the morning of China or in the evening of America.
    let utc = read(&best.value).filter(Moment::is_utc);
    let Some(utc) = utc else { return Some(best) };
    let local = || certain.iter().filter(|said| LOCAL.contains(&said.rule));
    // An address keeps the day on which somebody began to write.
    if local().any(|said| said.rule != "address" && same_day(&said.value, &best.value)) {
        return Some(best);
    }
    let local = local()
        .find(|said| read(&said.value).is_some_and(|local| !local.has_zone() && utc.may_be_shown_as(&local)));
    match local.filter(|local| !same_day(&local.value, &best.value)) {
        Some(local) => Some(Statement { confidence: best.confidence.max(local.confidence), ..local.clone() }),
        None => Some(best),
    }
}

/// Some systems give the last change for the publication, too: where another place is as sure of an earlier day, that is
/// the one.
fn before_change(
    best: Statement,
    published: &[Statement],
    statements: &Statements,
    read: &impl Fn(&str) -> Option<Moment>,
) -> Statement {
    let day = |said: &Statement| read(&said.value).map(|moment| moment.date);
    let is_change =
        statements.about(Field::Modified).any(|said| day(said).is_some() && day(said) == day(&best));
    let same = published.iter().filter(|said| day(said) == day(&best));
    let sure = same.map(|said| said.confidence).fold(0.0, f64::max);
    let earlier = published.iter().filter(|said| said.confidence >= sure && day(said) < day(&best));
    match earlier.max_by(|one, other| one.confidence.total_cmp(&other.confidence)) {
        Some(earlier) if is_change => earlier.clone(),
        _ => best,
    }
}

/// The day in the address that the page wants to be known by, or in that under which it was found.
fn in_address(statements: &Statements, url: Option<&str>) -> Option<Statement> {
    let canonical =
        statements.about(Field::CanonicalUrl).map(|said| (said.value.as_str(), said.span.clone()));
    let mut addresses = canonical.chain(url.map(|url| (url, 0..0)));
    addresses.find_map(|(address, span)| {
        let value = address::iso(address::day(address)?)?;
        Some(Statement { field: Field::Published, value, rule: "address", span, confidence: 0.55 })
    })
}
