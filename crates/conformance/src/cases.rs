//! Pages of cases: documentation that runs.
//!
//! A page is Markdown.
//! Prose says what a stage does and why; fenced blocks show it, and the test runs them:
//!
//! | block | meaning |
//! | --- | --- |
//! | `toml` | the options, until the next `toml` block; without one the defaults |
//! | `input` | the text of a document; every `input` begins a case |
//! | `input-metadata` | its metadata, as TOML or as a JSON object |
//! | `output` | the text that must come out |
//! | `metadata` | all metadata that must come out, as TOML or as a JSON object |
//! | `counts` | all counts that the stage must keep, as TOML |
//! | `reason` | the reason under which the document must be dropped; without one it must be kept |
//!
//! What is not said is not checked, but a case must say something, and a filter that is shown without a
//! reason must keep.
//! A block ends before its last line end.
//! After `escaped` (as in `input escaped`) the escapes `\n`, `\t`, `\r`, `\\` and `\u{a0}` stand for the
//! characters that a page cannot show; real line ends stay.
//! A fence of four or more backticks may hold one of three.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tamis_plugin::{BatchExtractor, Document, Draft, Edits, Filter, Metadata, Notes, Options, Verdict, View};

/// Runs every case of a page against an extractor.
///
/// # Panics
///
/// When the page cannot be read or a case does not come out as it says: the message names page and line and
/// shows both sides.
#[track_caller]
pub fn check_extractor<T: BatchExtractor>(page: &str, markdown: &str) {
    check(page, markdown, &|case: &Case| {
        let stage = T::open(options(case)?).map_err(|error| format!("the stage did not open: {error}"))?;
        let mut document = case.document();
        let mut draft = Draft::new(View::from(&document));
        let mut local = T::Local::default();
        let verdict = stage
            .extract_one(&mut local, &mut draft)
            .map_err(|failure| format!("the stage failed: {failure}"))?;
        let (edits, notes): (Edits, Notes) = draft.finish();
        edits.apply(&mut document);
        case.compare(&document, &verdict, &notes)
    });
}

/// Runs every case of a page against a filter.
///
/// # Panics
///
/// As [`check_extractor`]; also when a case has an `output`, because a filter changes nothing.
#[track_caller]
pub fn check_filter<T: Filter>(page: &str, markdown: &str) {
    check(page, markdown, &|case: &Case| {
        if case.output.is_some() {
            return Err("a filter has no output: take the block away".to_owned());
        }
        let stage = T::open(options(case)?).map_err(|error| format!("the stage did not open: {error}"))?;
        let document = case.document();
        let mut notes = Notes::default();
        let verdict = stage
            .filter(&View::from(&document), &mut notes)
            .map_err(|failure| format!("the stage failed: {failure}"))?;
        case.compare(&document, &verdict, &notes)
    });
}

#[track_caller]
fn check(page: &str, markdown: &str, run: &dyn Fn(&Case) -> Result<(), String>) {
    let cases = match parse(markdown) {
        Ok(cases) if cases.is_empty() => panic!("{page}: no `input` block, so nothing is tested"),
        Ok(cases) => cases,
        Err(message) => panic!("{page}: {message}"),
    };
    let mut report = String::new();
    for case in &cases {
        if let Err(message) = run(case) {
            let _ = writeln!(report, "{page}:{}: {message}", case.line);
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

/// One `input` and what must become of it.
#[derive(Debug, Default, Clone)]
struct Case {
    line: usize,
    options: String,
    input: String,
    input_metadata: Metadata,
    output: Option<String>,
    metadata: Option<Metadata>,
    counts: Option<BTreeMap<String, u64>>,
    reason: Option<String>,
}

impl Case {
    fn document(&self) -> Document {
        let mut document = Document::new(format!("case-{}", self.line), self.input.as_str());
        document.metadata = self.input_metadata.clone();
        document
    }

    /// Compares what came out with what was to come out; all differences in one message.
    fn compare(&self, document: &Document, verdict: &Verdict, notes: &Notes) -> Result<(), String> {
        let mut differences = String::new();
        let mut expect = |what: &str, expected: &str, actual: &str| {
            if expected != actual {
                let _ = write!(differences, "\n  {what}:\n{}", side_by_side(expected, actual));
            }
        };
        let verdict = match verdict {
            Verdict::Keep => "keep".to_owned(),
            Verdict::Drop(reason) => format!("drop: {reason}"),
        };
        let expected = self.reason.as_ref().map_or("keep".to_owned(), |reason| format!("drop: {reason}"));
        expect("verdict", &expected, &verdict);
        if let Some(output) = &self.output {
            expect("output", output, &document.text);
        }
        if let Some(metadata) = &self.metadata {
            expect("metadata", &pretty(metadata), &pretty(&document.metadata));
        }
        if let Some(counts) = &self.counts {
            let mut actual: BTreeMap<String, u64> = BTreeMap::new();
            for (name, n) in notes.counts() {
                *actual.entry(name.to_string()).or_default() += *n;
            }
            expect("counts", &pretty(counts), &pretty(&actual));
        }
        if differences.is_empty() { Ok(()) } else { Err(format!("not as the page says{differences}")) }
    }
}

/// The options of a case; what the page does not set takes its default.
fn options<T: Options>(case: &Case) -> Result<T, String> {
    toml::from_str(&case.options)
        .map_err(|error| format!("the `toml` block does not fit the stage:\n{error}"))
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("(not serialisable: {error})"))
}

/// Both texts, line by line, where they differ; invisible characters are shown as escapes.
fn side_by_side(expected: &str, actual: &str) -> String {
    let (expected, actual): (Vec<_>, Vec<_>) = (expected.split('\n').collect(), actual.split('\n').collect());
    let mut shown = String::new();
    for index in 0..expected.len().max(actual.len()) {
        match (expected.get(index), actual.get(index)) {
            (Some(same), Some(line)) if same == line => {
                let _ = writeln!(shown, "      {}", visible(line));
            }
            (wanted, found) => {
                if let Some(wanted) = wanted {
                    let _ = writeln!(shown, "    - {}", visible(wanted));
                }
                if let Some(found) = found {
                    let _ = writeln!(shown, "    + {}", visible(found));
                }
            }
        }
    }
    shown
}

fn visible(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for c in line.chars() {
        let hidden = c.is_control()
            || (c.is_whitespace() && c != ' ')
            || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}');
        if hidden {
            let _ = write!(shown, "{}", c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The cases of a page.
fn parse(markdown: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    let mut options = String::new();
    for block in blocks(markdown)? {
        let content = block.content()?;
        if block.kind == "toml" {
            options = content;
            continue;
        }
        if block.kind == "input" {
            let line = block.line;
            cases.push(Case { line, options: options.clone(), input: content, ..Case::default() });
            continue;
        }
        if !matches!(block.kind, "input-metadata" | "output" | "metadata" | "counts" | "reason") {
            continue;
        }
        let case = cases
            .last_mut()
            .ok_or_else(|| format!("line {}: `{}` stands before any `input`", block.line, block.kind))?;
        let at = |error: String| format!("line {}: {error}", block.line);
        match block.kind {
            "input-metadata" => case.input_metadata = parse_metadata(&content).map_err(at)?,
            "metadata" => case.metadata = Some(parse_metadata(&content).map_err(at)?),
            "counts" => {
                case.counts = Some(toml::from_str(&content).map_err(|error| at(error.to_string()))?);
            }
            "reason" => case.reason = Some(content.trim().to_owned()),
            _ => case.output = Some(content),
        }
    }
    Ok(cases)
}

fn parse_metadata(content: &str) -> Result<Metadata, String> {
    // Metadata takes its numbers from the raw JSON text, so TOML goes through JSON.
    let json = if content.trim_start().starts_with('{') {
        content.to_owned()
    } else {
        let table: toml::Table = toml::from_str(content).map_err(|error| error.to_string())?;
        serde_json::to_string(&table).map_err(|error| error.to_string())?
    };
    serde_json::from_str(&json).map_err(|error| error.to_string())
}

/// A fenced block.
struct Fenced<'a> {
    /// The line of its opening fence, from 1.
    line: usize,
    /// The first word after the fence.
    kind: &'a str,
    escaped: bool,
    lines: Vec<&'a str>,
}

impl Fenced<'_> {
    fn content(&self) -> Result<String, String> {
        let content = self.lines.join("\n");
        if self.escaped {
            unescape(&content).map_err(|error| format!("line {}: {error}", self.line))
        } else {
            Ok(content)
        }
    }
}

fn blocks(markdown: &str) -> Result<Vec<Fenced<'_>>, String> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, Fenced<'_>)> = None;
    for (index, line) in markdown.lines().enumerate() {
        let info = line.trim_start_matches('`');
        let n_backticks = line.len() - info.len();
        match &mut open {
            Some((n_opening, _)) if n_backticks >= *n_opening && info.trim().is_empty() => {
                blocks.extend(open.take().map(|(_, block)| block));
            }
            Some((_, block)) => block.lines.push(line),
            None if n_backticks >= 3 => {
                let mut words = info.split_whitespace();
                let kind = words.next().unwrap_or_default();
                let escaped = words.any(|word| word == "escaped");
                open = Some((n_backticks, Fenced { line: index + 1, kind, escaped, lines: Vec::new() }));
            }
            None => {}
        }
    }
    match open {
        Some((_, block)) => Err(format!("line {}: the block is not closed", block.line)),
        None => Ok(blocks),
    }
}

fn unescape(text: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut chars = after.chars();
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('\\') => plain.push('\\'),
            Some('u') => {
                let (code, behind) = after
                    .strip_prefix("u{")
                    .and_then(|code| code.split_once('}'))
                    .ok_or("`\\u` needs a code in braces, as in `\\u{a0}`")?;
                let c = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
                plain.push(c.ok_or_else(|| format!("`\\u{{{code}}}` is no character"))?);
                rest = behind;
                continue;
            }
            _ => return Err("`\\` begins no escape known here: write `\\\\` for a backslash".to_owned()),
        }
        rest = chars.as_str();
    }
    plain.push_str(rest);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use tamis_plugin::{Failure, NoOptions, SetupError};

    use tamis_plugin::Extractor;

    use super::*;

    /// Upper-cases texts, counts the letters it changed and drops the empty ones.
    struct Shout;

    impl Extractor for Shout {
        const NAME: &'static str = "shout";
        type Options = NoOptions;

        fn open(_options: NoOptions) -> Result<Self, SetupError> {
            Ok(Self)
        }

        fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
            if draft.text().is_empty() {
                return Ok(Verdict::Drop("empty".into()));
            }
            let text = draft.text().to_uppercase();
            let n_changed = text.chars().zip(draft.text().chars()).filter(|(new, old)| new != old).count();
            draft.set_text(text);
            draft.set_metadata("loud", true);
            draft.notes().count("letters", n_changed as u64);
            Ok(Verdict::Keep)
        }
    }

    const PAGE: &str = "A page.\n\n```input escaped\na\\u{a0}b\nc\\n\n```\n\n```output escaped\nA\\u{a0}B\nC\n\n```\n\
        ```metadata\nloud = true\nsize = 3\n```\n```input-metadata\n{\"size\": 3}\n```\n\
        ```counts\nletters = 3\n```\n````input\n````\n```reason\nempty\n```\n```sh\nignored\n```\n";

    #[test]
    fn a_page_that_tells_the_truth_passes() {
        check_extractor::<Shout>("page", PAGE);
    }

    #[test]
    fn every_lie_is_found() {
        for (truth, lie) in [
            ("A\\u{a0}B", "A B"),
            ("size = 3", "size = 4"),
            ("letters = 3", "letters = 2"),
            ("reason\nempty", "reason\nfull"),
            ("```reason\nempty\n```\n", ""),
        ] {
            let page = PAGE.replace(truth, lie);
            assert_ne!(page, PAGE, "{truth}");
            let outcome = std::panic::catch_unwind(|| check_extractor::<Shout>("page", &page));
            assert!(outcome.is_err(), "{lie}");
        }
    }

    #[test]
    fn broken_pages_are_told_apart_from_failing_ones() {
        for (page, message) in [
            ("```input\nopen", "line 1: the block is not closed"),
            ("```output\na\n```", "line 1: `output` stands before any `input`"),
            ("```input escaped\n\\x\n```", "line 1: `\\` begins no escape known here"),
            ("```input escaped\n\\u{110000}\n```", "line 1: `\\u{110000}` is no character"),
        ] {
            let error = parse(page).expect_err(page);
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn a_longer_fence_holds_a_shorter_one() {
        let cases = parse("````input\n```\na\n```\n````\n").expect("a valid page");
        assert_eq!(cases[0].input, "```\na\n```");
    }
}
