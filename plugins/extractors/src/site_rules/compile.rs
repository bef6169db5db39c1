//! From rule files as written to rules that run: every pattern compiled, every contradiction found.

use std::path::Path;

use regex::Regex;
use toml::Spanned;

use super::detect::{Detection, Detector};
use super::file::{self, Pattern, RuleFile};

/// The rules of one family of pages.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    pub(super) heads: Vec<Head>,
    pub(super) tails: Vec<Tail>,
    pub(super) drops: Vec<Drop>,
    pub(super) cuts: Vec<Cut>,
}

/// Part of a page, counted in lines that are not blank.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    first: Option<usize>,
    last: Option<usize>,
}

impl Window {
    /// Whether line `rank` of `n_lines` is inside: among the first or among the last ones.
    pub(super) fn holds(self, rank: usize, n_lines: usize) -> bool {
        match (self.first, self.last) {
            (None, None) => true,
            (first, last) => {
                first.is_some_and(|first| rank < first)
                    || last.is_some_and(|last| rank >= n_lines.saturating_sub(last))
            }
        }
    }
}

/// A line: what it looks like, and what the line after it looks like.
#[derive(Debug)]
pub(super) struct LineMatcher {
    pub(super) line: Regex,
    pub(super) next: Option<Regex>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) from: FieldSource,
}

#[derive(Debug)]
pub(super) enum FieldSource {
    /// The line itself, the line after it (`offset` 1) or before it (-1).
    Line {
        line: Regex,
        offset: isize,
        value: Option<Regex>,
        unless: Option<Regex>,
        window: Window,
    },
    Constant(String),
    Copy(String),
}

#[derive(Debug)]
pub(super) struct Head {
    /// `<site>/head/<name>`, as it is counted.
    pub(super) id: String,
    pub(super) matcher: LineMatcher,
    pub(super) first: Option<usize>,
    pub(super) skip: usize,
    pub(super) inside: bool,
    pub(super) field: Option<String>,
}

#[derive(Debug)]
pub(super) struct Tail {
    pub(super) id: String,
    pub(super) matcher: LineMatcher,
    pub(super) window: Window,
    pub(super) inside: bool,
    pub(super) field: Option<String>,
}

#[derive(Debug)]
pub(super) struct Drop {
    pub(super) id: String,
    pub(super) lines: DropLines,
    pub(super) next: Option<Regex>,
    pub(super) until: Option<Regex>,
    pub(super) window: Window,
    pub(super) field: Option<String>,
}

#[derive(Debug)]
pub(super) enum DropLines {
    Matching(Regex),
    SameAs(String),
}

#[derive(Debug)]
pub(super) struct Cut {
    pub(super) id: String,
    pub(super) text: Regex,
    pub(super) window: Window,
    pub(super) field: Option<String>,
}

/// Compiles rule files and collects every mistake in them.
#[derive(Default)]
pub(super) struct Compiler {
    pub(super) sites: Vec<Site>,
    patterns: Vec<Regex>,
    detections: Vec<Detection>,
    pub(super) mistakes: Vec<String>,
}

impl Compiler {
    /// Reads and compiles one rule file.
    pub(super) fn add_file(&mut self, path: &Path) {
        match std::fs::read_to_string(path) {
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
        let mut checked = Context { path, content, mistakes: &mut self.mistakes };
        checked.check(&file, &self.sites);
        // With a pattern that does not compile the ranges are wrong, but then nothing is opened.
        let patterns: Vec<Regex> =
            file.detect.iter().chain(&file.unless).filter_map(|pattern| checked.regex(pattern)).collect();
        let detect = self.patterns.len()..self.patterns.len() + file.detect.len();
        let unless = detect.end..detect.end + file.unless.len();
        let need = *file.need.get_ref();
        self.patterns.extend(patterns);
        self.detections.push(Detection { detect, unless, need });
        if let Some(site) = checked.site(file) {
            self.sites.push(site);
        }
    }

    /// The sites with a detector over all of them.
    pub(super) fn finish(mut self) -> Result<(Vec<Site>, Detector), Vec<String>> {
        if self.mistakes.is_empty() {
            match Detector::new(self.patterns, self.detections) {
                Ok(detector) => return Ok((self.sites, detector)),
                Err(error) => self.mistakes.push(format!("the `detect` patterns are too many: {error}")),
            }
        }
        Err(self.mistakes)
    }
}

/// One file while it is compiled.
struct Context<'a> {
    path: &'a str,
    content: &'a str,
    mistakes: &'a mut Vec<String>,
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
    }

    fn site(&mut self, file: RuleFile) -> Option<Site> {
        let name = file.name.into_inner();
        let mistakes_before = self.mistakes.len();
        let id = |kind: &str, rule: &str| format!("{name}/{kind}/{rule}");
        let fields = file.field.into_iter().filter_map(|rule| self.field(rule)).collect();
        let heads = file.head.into_iter().filter_map(|rule| {
            Some(Head {
                id: id("head", &rule.name),
                matcher: self.matcher(&rule.line, rule.next.as_ref())?,
                first: rule.first,
                skip: rule.skip,
                inside: rule.inside,
                field: rule.field,
            })
        });
        let heads = heads.collect();
        let tails = file.tail.into_iter().filter_map(|rule| {
            Some(Tail {
                id: id("tail", &rule.name),
                matcher: self.matcher(&rule.line, rule.next.as_ref())?,
                window: Window { first: None, last: rule.last },
                inside: rule.inside,
                field: rule.field,
            })
        });
        let tails = tails.collect();
        let drops =
            file.drop.into_iter().filter_map(|rule| self.drop_rule(id("drop", rule.name.get_ref()), rule));
        let drops = drops.collect();
        let cuts = file.cut.into_iter().filter_map(|rule| {
            Some(Cut {
                id: id("cut", &rule.name),
                text: self.regex(&rule.text)?,
                window: Window { first: rule.first, last: rule.last },
                field: rule.field,
            })
        });
        let cuts = cuts.collect();
        (self.mistakes.len() == mistakes_before).then_some(Site { name, fields, heads, tails, drops, cuts })
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
            let line = self.regex(rule.line.or(rule.after).or(rule.before).as_ref()?)?;
            FieldSource::Line { line, offset, value, unless, window }
        };
        Some(Field { name: rule.name.into_inner(), from })
    }

    fn drop_rule(&mut self, id: String, rule: file::DropRule) -> Option<Drop> {
        let lines = match (&rule.line, rule.same_as) {
            (Some(line), None) => DropLines::Matching(self.regex(line)?),
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
            id,
            lines,
            next: self.optional(rule.next.as_ref()),
            until: self.optional(rule.until.as_ref()),
            window: Window { first: rule.first, last: rule.last },
            field: rule.field,
        })
    }

    fn matcher(&mut self, line: &Pattern, next: Option<&Pattern>) -> Option<LineMatcher> {
        let next = self.optional(next);
        Some(LineMatcher { line: self.regex(line)?, next })
    }

    fn optional(&mut self, pattern: Option<&Pattern>) -> Option<Regex> {
        pattern.and_then(|pattern| self.regex(pattern))
    }

    /// Compiles a pattern; one that does not compile is noted, with what is wrong in it.
    fn regex(&mut self, pattern: &Pattern) -> Option<Regex> {
        match Regex::new(pattern.get_ref()) {
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
