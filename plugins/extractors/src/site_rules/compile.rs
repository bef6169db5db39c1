//! From rule files as written to rules that run: every pattern compiled, every contradiction found.

use std::collections::BTreeSet;
use std::path::Path;

use super::lazy::LazyRegex;
use tamis_plugin::read_text;
use toml::Spanned;

use super::detect::{Detection, Detector};
use super::file::{self, Pattern, RuleFile};
use super::literals::Literals;
use super::site::{
    Cut, Drop, DropLines, Field, FieldSource, Head, LineMatcher, Probe, Reject, Site, Tail, Window,
};

/// Far more than the rules of any family of sites; they are all held while the stage runs.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// Compiles rule files and collects every mistake in them.
#[derive(Default)]
pub(super) struct Compiler {
    pub(super) sites: Vec<Site>,
    patterns: Vec<LazyRegex>,
    detections: Vec<Detection>,
    pub(super) mistakes: Vec<String>,
}

impl Compiler {
    /// Reads and compiles one rule file.
    pub(super) fn add_file(&mut self, path: &Path) {
        match read_text(path, MAX_FILE_BYTES) {
            Ok(content) => self.add(&path.display().to_string(), &content),
            Err(error) => self.mistakes.push(format!("cannot read rule file `{}`: {error}", path.display())),
        }
    }

    /// Compiles one rule file; `path` is for messages.
    pub(super) fn add(&mut self, path: &str, content: &str) {
        let file = match file::parse(content) {
            Ok(file) => file,
            Err(message) => return self.mistakes.push(format!("{path}:{message}")),
        };
        let mut checked = Context { path, content, mistakes: &mut self.mistakes, probes: Vec::new() };
        checked.check(&file, &self.sites);
        // With a pattern that does not compile the ranges are wrong, but then nothing is opened.
        let patterns: Vec<LazyRegex> =
            file.detect.iter().chain(&file.unless).filter_map(|pattern| checked.regex(pattern)).collect();
        let detect = self.patterns.len()..self.patterns.len() + file.detect.len();
        let unless = detect.end..detect.end + file.unless.len();
        let need = *file.need.get_ref();
        self.patterns.extend(patterns);
        self.detections.push(Detection::new(detect, unless, need));
        if let Some(site) = checked.site(file) {
            self.sites.push(site);
        }
    }

    /// The sites with a detector over all of them.
    pub(super) fn finish(self) -> Result<(Vec<Site>, Detector), Vec<String>> {
        if !self.mistakes.is_empty() {
            return Err(self.mistakes);
        }
        Ok((self.sites, Detector::new(self.patterns, self.detections)))
    }
}

/// One file while it is compiled.
struct Context<'a> {
    path: &'a str,
    content: &'a str,
    mistakes: &'a mut Vec<String>,
    /// What the patterns of all probes so far demand.
    probes: Vec<Vec<Vec<u8>>>,
}

impl Context<'_> {
    fn mistake<T>(&mut self, at: &Spanned<T>, message: &str) {
        let position = file::position(self.content, at.span().start);
        self.mistakes.push(format!("{}:{position}: {message}", self.path));
    }

    /// What the types of the file cannot say.
    fn check(&mut self, file: &RuleFile, sites: &[Site]) {
        if sites.iter().any(|site| site.name == *file.name.get_ref()) {
            self.mistake(
                &file.name,
                &format!("`{}` is also the name of an earlier file", file.name.get_ref()),
            );
        }
        let (need, n_detect) = (*file.need.get_ref(), file.detect.len());
        if need == 0 || need > n_detect {
            self.mistake(
                &file.need,
                &format!(
                    "`need` is {need}, but must be from 1 to {n_detect}, the number of `detect` patterns"
                ),
            );
        }
        self.check_names("reject", file.reject.iter().map(|rule| &rule.name));
        self.check_names("head", file.head.iter().map(|rule| &rule.name));
        self.check_names("tail", file.tail.iter().map(|rule| &rule.name));
        self.check_names("drop", file.drop.iter().map(|rule| &rule.name));
        self.check_names("cut", file.cut.iter().map(|rule| &rule.name));
    }

    fn check_names<'r>(&mut self, kind: &str, names: impl Iterator<Item = &'r Spanned<String>>) {
        let mut seen = BTreeSet::new();
        for name in names.filter(|name| !seen.insert(name.get_ref())) {
            let what = name.get_ref();
            self.mistake(name, &format!("two `[[{kind}]]` are called `{what}`, and would be counted as one"));
        }
    }

    fn site(&mut self, file: RuleFile) -> Option<Site> {
        let name = file.name.into_inner();
        let mistakes_before = self.mistakes.len();
        let rejects: Vec<_> = file.reject.into_iter().filter_map(|rule| self.reject(&name, rule)).collect();
        let fields: Vec<_> = file.field.into_iter().filter_map(|rule| self.field(rule)).collect();
        let heads: Vec<_> = file.head.into_iter().filter_map(|rule| self.head(&name, rule)).collect();
        let tails: Vec<_> = file.tail.into_iter().filter_map(|rule| self.tail(&name, rule)).collect();
        let drops: Vec<_> = file.drop.into_iter().filter_map(|rule| self.drop_rule(&name, rule)).collect();
        let cuts: Vec<_> = file.cut.into_iter().filter_map(|rule| self.cut(&name, rule)).collect();
        if self.mistakes.len() > mistakes_before {
            return None;
        }
        let n_probes = self.probes.len();
        let literals = Literals::new(self.probes.iter().map(Vec::as_slice).enumerate());
        Some(Site { name, rejects, fields, heads, tails, drops, cuts, literals, n_probes })
    }

    fn reject(&mut self, site: &str, rule: file::RejectRule) -> Option<Reject> {
        let reason = rule.reason.get_ref();
        if reason.is_empty() || !reason.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric()) {
            self.mistake(&rule.reason, "`reason` must be in kebab case, such as `deleted-page`");
        }
        Some(Reject {
            id: id(site, "reject", rule.name.get_ref()),
            matcher: self.matcher(&rule.line, rule.next.as_ref())?,
            window: Window { first: rule.first, last: rule.last },
            max_chars: rule.max_chars,
            reason: rule.reason.into_inner(),
        })
    }

    fn head(&mut self, site: &str, rule: file::HeadRule) -> Option<Head> {
        Some(Head {
            id: id(site, "head", rule.name.get_ref()),
            matcher: self.matcher(&rule.line, rule.next.as_ref())?,
            window: Window { first: rule.first, last: None },
            skip: rule.skip,
            inside: rule.inside,
            exact: rule.exact,
            field: rule.field,
        })
    }

    fn tail(&mut self, site: &str, rule: file::TailRule) -> Option<Tail> {
        Some(Tail {
            id: id(site, "tail", rule.name.get_ref()),
            matcher: self.matcher(&rule.line, rule.next.as_ref())?,
            window: Window { first: None, last: rule.last },
            inside: rule.inside,
            exact: rule.exact,
            field: rule.field,
        })
    }

    fn cut(&mut self, site: &str, rule: file::CutRule) -> Option<Cut> {
        Some(Cut {
            id: id(site, "cut", rule.name.get_ref()),
            text: self.probe(&rule.text)?,
            window: Window { first: rule.first, last: rule.last },
            field: rule.field,
        })
    }

    fn field(&mut self, rule: file::FieldRule) -> Option<Field> {
        let sources = [
            rule.line.is_some(),
            rule.after.is_some(),
            rule.before.is_some(),
            rule.constant.is_some(),
            rule.copy.is_some(),
        ];
        if sources.iter().filter(|given| **given).count() != 1 {
            self.mistake(
                &rule.name,
                &format!(
                    "field `{}` needs exactly one of `line`, `after`, `before`, `constant` and `copy`",
                    rule.name.get_ref()
                ),
            );
            return None;
        }
        if rule.value.is_some() && rule.after.is_none() && rule.before.is_none() {
            self.mistake(
                &rule.name,
                &format!(
                    "field `{}` has a `value`, which goes with `after` or `before` only",
                    rule.name.get_ref()
                ),
            );
        }
        let value = self.optional(rule.value.as_ref());
        let unless = self.optional(rule.unless.as_ref());
        let window = Window { first: rule.first, last: rule.last };
        let from = if let Some(constant) = rule.constant {
            FieldSource::Constant(constant)
        } else if let Some(name) = rule.copy {
            FieldSource::Copy(name)
        } else {
            let offset = isize::from(rule.after.is_some()) - isize::from(rule.before.is_some());
            let line = self.probe(rule.line.or(rule.after).or(rule.before).as_ref()?)?;
            FieldSource::Line { line, offset, value, unless, window }
        };
        Some(Field { name: rule.name.into_inner(), from })
    }

    fn drop_rule(&mut self, site: &str, rule: file::DropRule) -> Option<Drop> {
        let lines = match (&rule.line, rule.same_as) {
            (Some(line), None) => DropLines::Matching(self.probe(line)?),
            (None, Some(field)) => DropLines::SameAs(field),
            _ => {
                self.mistake(
                    &rule.name,
                    &format!("drop `{}` needs exactly one of `line` and `same_as`", rule.name.get_ref()),
                );
                return None;
            }
        };
        Some(Drop {
            id: id(site, "drop", rule.name.get_ref()),
            lines,
            next: self.optional(rule.next.as_ref()),
            until: self.optional(rule.until.as_ref()),
            window: Window { first: rule.first, last: rule.last },
            field: rule.field,
        })
    }

    fn matcher(&mut self, line: &Pattern, next: Option<&Pattern>) -> Option<LineMatcher> {
        let next = self.optional(next);
        Some(LineMatcher { line: self.probe(line)?, next })
    }

    /// Compiles a pattern that is looked for in pages.
    fn probe(&mut self, pattern: &Pattern) -> Option<Probe> {
        let regex = self.regex(pattern)?;
        let has_literal = regex.demanded().is_some();
        self.probes.push(regex.demanded().unwrap_or_default().to_vec());
        Some(Probe { regex, index: self.probes.len() - 1, has_literal })
    }

    fn optional(&mut self, pattern: Option<&Pattern>) -> Option<LazyRegex> {
        pattern.and_then(|pattern| self.regex(pattern))
    }

    /// Compiles a pattern; one that does not compile is noted, with what is wrong in it.
    fn regex(&mut self, pattern: &Pattern) -> Option<LazyRegex> {
        match LazyRegex::new(pattern.get_ref()) {
            Ok(regex) => Some(regex),
            Err(error) => {
                // The error shows the pattern over several lines and says what is wrong in the last one.
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.mistake(pattern, &format!("pattern `{}` does not compile: {reason}", pattern.get_ref()));
                None
            }
        }
    }
}

/// The name under which a rule is counted.
fn id(site: &str, kind: &str, rule: &str) -> String {
    format!("{site}/{kind}/{rule}")
}
