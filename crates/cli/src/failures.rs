//! What went wrong in a run, for people: what was not read, why records failed, what smells.

use std::collections::BTreeSet;

use indicatif::{HumanBytes, HumanCount};
use tamis_config::Plan;
use tamis_runner::{Example, Finish, Reason, Report, StageTally};
use tamis_stage::handle::WRONG_FORM;

use crate::names::{keys, plural};
use crate::output::{BAD, styled};

/// So many reasons are shown; the manifest has more.
const MAX_REASONS: usize = 5;
/// How much of a message is shown, in characters.
const MAX_MESSAGE_CHARS: usize = 300;
/// Of fewer records nothing is said: that one document was dropped, or had no markup, means nothing.
const MIN_RECORDS: u64 = 2;

/// The files that were not read, or not to the end, each with its reason: always shown, because a file may hold any
/// number of records, of which nobody will ever hear.
pub(crate) fn unread(report: &Report) -> String {
    let (input, unread) = (&report.tally.input, &report.tally.unread);
    let n = unread.n.max(input.files_failed);
    if n == 0 {
        return String::new();
    }
    let missing = match input.bytes_failed {
        0 => String::new(),
        bytes => format!(": {} of them are missing", HumanBytes(bytes)),
    };
    let line = format!("{} not read, or not to the end{missing}", plural(n, "file", "files"));
    let mut lines = format!("  {}\n", styled(BAD, line));
    for example in &unread.first {
        lines += &format!("    {}: {}\n", one_line(&example.file), one_line(&example.message));
    }
    match n - unread.first.len() as u64 {
        0 => {}
        more => lines += &format!("    and {} more\n", HumanCount(more)),
    }
    lines
}

/// The most frequent reasons of failures, with the first record of each.
pub(crate) fn reasons(plan: &Plan, report: &Report) -> String {
    let mut reasons = Vec::new();
    for (key, name) in keys(plan) {
        let Some(tally) = report.tally.stages.get(&key) else { continue };
        reasons.extend(tally.reasons.list().into_iter().map(|reason| (name.clone(), reason)));
    }
    // Stable: those of equal number stay in the order of the pipeline.
    reasons.sort_by_key(|(_, reason)| std::cmp::Reverse(reason.n));
    let is_shown = |reason: &Reason| reason.n == 1 && report.tally.unread.first.contains(&reason.example);
    let named: u64 = reasons.iter().filter(|(_, reason)| is_shown(reason)).map(|(_, reason)| reason.n).sum();
    reasons.retain(|(_, reason)| !is_shown(reason));
    let mut n_left = report.tally.failed - named.min(report.tally.failed);
    let mut lines = String::new();
    for (name, reason) in reasons.into_iter().take(MAX_REASONS) {
        n_left = n_left.saturating_sub(reason.n);
        let (n, example) = (HumanCount(reason.n), &reason.example);
        let first = if reason.n == 1 { "" } else { "first " };
        lines += &format!(
            "  {n} failed in `{name}`: {} ({first}{})\n",
            one_line(&example.message),
            place(example)
        );
    }
    if n_left > 0 && report.tally.failed > 0 {
        let manifest = if report.finish == Finish::Dry { "" } else { ": see the manifest" };
        lines += &format!("  {} failed for other reasons{manifest}\n", HumanCount(n_left));
    }
    lines
}

/// Where a record stands, as its id says unless that is the user's own.
fn place(example: &Example) -> String {
    let (id, file) = (one_line(&example.id), one_line(&example.file));
    if file.is_empty() || id.starts_with(&file) { id } else { format!("{id} in {file}") }
}

/// What stands in a message that may hold bytes of anybody's documents, as one line that a terminal only shows.
fn one_line(message: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut line: String = message.chars().take(MAX_MESSAGE_CHARS).map(plain).collect();
    if message.chars().nth(MAX_MESSAGE_CHARS).is_some() {
        line.push('…');
    }
    line
}

/// What is probably not meant, as far as counts say so for certain: a line for each.
pub(crate) fn smells(plan: &Plan, report: &Report) -> Vec<String> {
    let stages: Vec<(String, String, &StageTally)> = keys(plan)
        .into_iter()
        .filter_map(|(key, name)| report.tally.stages.get(&key).map(|tally| (key, name, tally)))
        .collect();
    let mut smells = Vec::new();
    let mut wrong_forms = BTreeSet::new();
    for (index, (key, name, tally)) in stages.iter().enumerate() {
        let absent = absent(key, name, tally, plan);
        // A stage without its only field has done nothing, which is said by then.
        if absent.is_empty() || tally.n_dropped() == tally.seen {
            smells.extend(smell(name, tally));
        }
        // What comes to a stage in a wrong form comes to those behind it, too: one is told, and names the others.
        if let Some((form, n)) = wrong_form(tally).filter(|(form, _)| wrong_forms.insert(form.clone())) {
            let behind = stages.iter().skip(index + 1);
            let same = behind.filter(|(_, _, tally)| wrong_form(tally).is_some_and(|(it, _)| it == form));
            let others: Vec<&str> = same.map(|(_, name, _)| name.as_str()).collect();
            smells.push(in_wrong_form(name, &form, n, &others));
        }
        smells.extend(absent);
    }
    smells
}

/// The fields that a stage names and that no document had, a line for each.
fn absent(key: &str, name: &str, tally: &StageTally, plan: &Plan) -> Vec<String> {
    let sources = plan.sources.iter().map(|it| (format!("source.{}", it.id), &it.named_fields));
    let stages = plan.stages.iter().map(|it| (format!("stage.{}", it.id), &it.named_fields));
    let exports = plan.exports.iter().map(|it| (format!("export.{}", it.id), &it.named_fields));
    let named = sources.chain(stages).chain(exports).find(|(of, _)| of == key).map(|(_, named)| named);
    let by = |field: &String| {
        let named = named.into_iter().flatten().find(|it| it.name == *field);
        named.map(|it| it.by.clone()).unwrap_or_default()
    };
    let line =
        |field: &String| format!("no document had the field `{field}`, which {}`{name}` names", by(field));
    tally.absent.iter().map(line).collect()
}

/// What smells at one stage. The counters are known by their names, whatever stage has them.
fn smell(name: &str, tally: &StageTally) -> Option<String> {
    if let Some(n) = tally.counts.get("not_compared_with_all") {
        let n = HumanCount(*n);
        return Some(format!(
            "`{name}` has kept {n} documents whose groups took more memory than `max_state_bytes` allows, so that each may \
             be like one that it was not compared with: give it more, or take out of texts what makes so many alike"
        ));
    }
    let n_worked = tally.seen.saturating_sub(tally.failed);
    if n_worked < MIN_RECORDS {
        return None;
    }
    let is_all = |counter: &str| tally.counts.get(counter).is_some_and(|n| *n == n_worked);
    let n = HumanCount(n_worked);
    // Rules for a language judge what has none, and drop what they were not written for.
    if is_all("no_language") {
        return Some(format!(
            "none of the {n} documents that came to `{name}` has a language, by which its rules and limits are chosen: \
             put a stage that tells it before, such as `language`"
        ));
    }
    if tally.n_dropped() == tally.seen {
        let reasons: Vec<String> = tally.dropped.keys().map(|reason| format!("`{reason}`")).collect();
        return Some(format!("`{name}` dropped all {n} records that came to it ({})", reasons.join(", ")));
    }
    if is_all("no_markup") {
        return Some(format!(
            "none of the {n} documents that came to `{name}` is a page with markup: it works on the source of HTML \
             pages, so stages that flatten them come behind it"
        ));
    }
    if is_all("no_id_field") {
        return Some(format!(
            "none of the {n} records of `{name}` has the field that `fields` names for the id, so ids are those of places"
        ));
    }
    if is_all("no_spread_field") {
        return Some(format!("none of the {n} records of `{name}` has the field that `spread` names"));
    }
    if is_all("no_field") {
        return Some(format!(
            "none of the {n} documents that came to `{name}` has the field that its options name, so it did nothing"
        ));
    }
    None
}

/// In which form that it does not work on documents came to a stage, and how many.
///
/// Markup is always told, because stages for flattened text take its tags for words. Text on which a stage for pages
/// finds nothing passes as it is, and comes with every mixed collection.
fn wrong_form(tally: &StageTally) -> Option<(String, u64)> {
    let n_worked = tally.seen.saturating_sub(tally.failed);
    if n_worked < MIN_RECORDS || tally.counts.get("no_markup") == Some(&n_worked) {
        return None;
    }
    let of = |(counter, n): (&String, &u64)| Some((counter.strip_prefix(WRONG_FORM)?.to_owned(), *n));
    let told = |(form, n): &(String, u64)| form == "markup" || *n == n_worked;
    tally.counts.iter().filter_map(of).filter(told).max_by_key(|(_, n)| *n)
}

/// What is said of a stage to which documents came in a form that it does not work on, as they did to others behind it.
fn in_wrong_form(name: &str, form: &str, n: u64, others: &[&str]) -> String {
    let what = match form {
        "markup" => {
            "the source of pages, which it takes for text: put a stage that extracts the text before it"
        }
        "flattened" => "text that was flattened already: it works on the source of pages",
        _ => "clean text already: put it before the stage that cleans",
    };
    let others: Vec<String> = others.iter().map(|name| format!("`{name}`")).collect();
    let too = if others.is_empty() {
        String::new()
    } else {
        format!(" (such came to {} behind it as well)", others.join(", "))
    };
    format!("{} that came to `{name}` are {what}{too}", plural(n, "document", "documents"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(seen: u64, failed: u64, counts: &[(&str, u64)], dropped: u64) -> StageTally {
        StageTally {
            seen,
            failed,
            counts: counts.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect(),
            dropped: (dropped > 0).then(|| ("too-short".to_owned(), dropped)).into_iter().collect(),
            ..StageTally::default()
        }
    }

    #[test]
    fn only_what_counts_say_for_certain_smells() {
        for (tally, expected) in [
            (tally(3, 0, &[], 3), Some("dropped all 3 records that came to it (`too-short`)")),
            (tally(3, 0, &[], 2), None),
            (tally(1, 0, &[], 1), None),
            (tally(0, 0, &[], 0), None),
            (tally(3, 1, &[], 2), None),
            (tally(4, 1, &[("no_markup", 3)], 0), Some("is a page with markup")),
            (tally(4, 0, &[("no_markup", 3)], 0), None),
            (tally(2, 2, &[], 0), None),
            (tally(200, 0, &[("no_field", 200)], 0), Some("has the field that its options name")),
            (tally(9, 0, &[("no_language", 9)], 0), Some("has a language, by which")),
            (tally(9, 0, &[("no_language", 8)], 0), None),
            (tally(9, 2, &[("no_id_field", 7)], 0), Some("`fields` names for the id")),
            (tally(9, 0, &[("no_spread_field", 9)], 0), Some("`spread` names")),
        ] {
            let said = smell("length", &tally);
            assert_eq!(said.is_some(), expected.is_some(), "{said:?} of {tally:?}");
            assert!(said.unwrap_or_default().contains(expected.unwrap_or_default()), "{tally:?}");
        }
    }

    #[test]
    fn a_wrong_form_is_told_of_markup_and_of_all_that_came() {
        for (tally, expected) in [
            (tally(9, 0, &[("wrong_form:clean", 3)], 0), None),
            (
                tally(9, 0, &[("wrong_form:clean", 9)], 0),
                Some(
                    "9 documents that came to `length` are clean text already: put it before the stage that cleans",
                ),
            ),
            (tally(9, 0, &[("wrong_form:flattened", 9), ("no_markup", 9)], 0), None),
            (
                tally(9, 0, &[("wrong_form:markup", 3)], 0),
                Some(
                    "3 documents that came to `length` are the source of pages, which it takes for text: put a stage that \
                     extracts the text before it",
                ),
            ),
        ] {
            let told = wrong_form(&tally).map(|(form, n)| in_wrong_form("length", &form, n, &[]));
            assert_eq!(told.as_deref(), expected, "{tally:?}");
        }
        assert!(
            in_wrong_form("a", "markup", 3, &["b", "c"])
                .ends_with("it (such came to `b`, `c` behind it as well)")
        );
    }

    #[test]
    fn a_message_is_one_line_without_codes_for_the_terminal() {
        assert_eq!(one_line("a\n\u{1b}[31mb"), "a  [31mb");
        assert_eq!(one_line(&"字".repeat(400)).chars().count(), MAX_MESSAGE_CHARS + 1);
    }
}
