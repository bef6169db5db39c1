//! `line-judge`: drops lines that are bad by themselves.

mod options;
#[cfg(test)]
mod tests;

use tamis_measures::c4::{Fate, fate};
use tamis_plugin::{
    Better, Draft, Extractor, Failure, Form, Forms, Layout, Limit, MeasureInfo, SetupError, Verdict,
};

pub use options::{Between, LineJudgeOptions, LineRule};

/// Why a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// By a rule.
    Rule(LineRule),
    /// No good line stands next to it.
    Alone,
}

/// Drops bad lines; see [`LineJudgeOptions`].
#[derive(Debug)]
pub struct LineJudge {
    options: LineJudgeOptions,
}

impl Extractor for LineJudge {
    const NAME: &'static str = "line-judge";
    const MEASURES: &'static [MeasureInfo] = &[MeasureInfo::new(
        "dropped_line_ratio",
        "",
        "Share of the lines, empty ones aside, that were dropped.",
    )
    .better(Better::Lower)];
    type Options = LineJudgeOptions;

    fn open(options: LineJudgeOptions) -> Result<Self, SetupError> {
        if options.rules.contains(&LineRule::C4) && options.rules.contains(&LineRule::C4Loose) {
            let message = "`c4-loose` has no effect beside `c4`, which drops all lines that it drops";
            return Err(SetupError::in_option("rules", message));
        }
        Ok(Self { options })
    }

    fn counters(&self) -> Vec<String> {
        let alone = (self.options.between == Between::Runs).then(|| "lines:alone".to_owned());
        self.options.rules.iter().map(|rule| format!("lines:{}", rule.name())).chain(alone).collect()
    }

    fn forms(&self) -> Forms {
        Forms::new().taking([Form::Flattened, Form::Clean]).needing([Layout::Lines])
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let text = draft.original().text();
        let lines: Vec<&str> = text.split('\n').collect();
        let mut bad: Vec<Option<Why>> = lines.iter().map(|line| self.judge(line).map(Why::Rule)).collect();
        match self.options.between {
            Between::Drop => {}
            Between::Keep => keep_between(&lines, &mut bad, self.options.max_between),
            Between::Runs => keep_runs(&lines, &mut bad, self.options.max_between),
        }
        let n_filled = lines.iter().filter(|line| !line.trim().is_empty()).count();
        let n_bad = bad.iter().flatten().count();
        let ratio = n_bad as f64 / n_filled.max(1) as f64;
        draft.notes().measure("dropped_line_ratio", ratio, Limit::None);
        draft.notes().count("lines:kept", (n_filled - n_bad) as u64);
        for rule in &self.options.rules {
            let n_of_rule = bad.iter().flatten().filter(|bad| **bad == Why::Rule(*rule)).count();
            draft.notes().count(format!("lines:{}", rule.name()), n_of_rule as u64);
        }
        if self.options.between == Between::Runs {
            let n_alone = bad.iter().flatten().filter(|bad| **bad == Why::Alone).count();
            draft.notes().count("lines:alone", n_alone as u64);
        }
        if n_filled - n_bad < self.options.min_lines {
            return Ok(Verdict::Drop("few-lines".into()));
        }
        if n_bad > 0 {
            draft.set_text(kept(&lines, &bad));
        }
        Ok(Verdict::Keep)
    }
}

impl LineJudge {
    /// The first rule by which a line goes; an empty one goes by none.
    fn judge(&self, line: &str) -> Option<LineRule> {
        if line.trim().is_empty() {
            return None;
        }
        self.options.rules.iter().copied().find(|rule| match rule {
            LineRule::C4 => !matches!(fate(line, true), Fate::Stays(_)),
            LineRule::C4Loose => !matches!(fate(line, false), Fate::Stays(_)),
            LineRule::C4Zh => is_bad_chinese(line.trim()),
            LineRule::Symbols => !line.chars().any(char::is_alphanumeric),
            LineRule::Digits => {
                let visible = line.chars().filter(|c| !c.is_whitespace());
                let (n_visible, n_digits) = visible.fold((0, 0), |(n_visible, n_digits), c| {
                    (n_visible + 1, n_digits + usize::from(c.is_numeric()))
                });
                n_digits * 2 > n_visible
            }
        })
    }
}

/// What the recipe of C4 for Chinese takes out (c4-dataset-script, `filter_out_bad_lines.py`).
fn is_bad_chinese(line: &str) -> bool {
    let is_broken = |c: char| matches!(c, '□' | '■' | '\u{FFFD}' | '\u{E000}'..='\u{F8FF}');
    !line.ends_with(['。', '！', '？', '…', '”', '：', '，'])
        || line.chars().count() < 5
        || line.contains(is_broken)
}

/// Lets bad lines stay that stand between two good ones, few enough in a row.
fn keep_between(lines: &[&str], bad: &mut [Option<Why>], most: usize) {
    let mut last_good = None;
    let mut between: Vec<usize> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        if bad[at].is_some() {
            between.push(at);
            continue;
        }
        if last_good.is_some() && between.len() <= most {
            for kept in between.drain(..) {
                bad[kept] = None;
            }
        }
        between.clear();
        last_good = Some(at);
    }
}

/// Lets lines stay from two good ones in a row to the last two, with no more than `most` bad ones in a row between; others go,
/// good ones too.
fn keep_runs(lines: &[&str], bad: &mut [Option<Why>], most: usize) {
    let filled: Vec<usize> = (0..lines.len()).filter(|at| !lines[*at].trim().is_empty()).collect();
    let is_good: Vec<bool> = filled.iter().map(|at| bad[*at].is_none()).collect();
    let mut stays = vec![false; filled.len()];
    let mut from = 0;
    while from < filled.len() {
        // A stretch without too many bad lines in a row.
        let (mut to, mut n_bad) = (from, 0);
        while to < filled.len() && n_bad <= most {
            n_bad = if is_good[to] { 0 } else { n_bad + 1 };
            to += 1;
        }
        let is_pair = |at: &usize| is_good[*at] && is_good[*at + 1];
        let last = to.saturating_sub(1);
        let (first_pair, last_pair) = ((from..last).find(is_pair), (from..last).rfind(is_pair));
        if let (Some(first), Some(second)) = (first_pair, last_pair) {
            stays[first..second + 2].fill(true);
        }
        from = to;
    }
    for (at, stays) in filled.into_iter().zip(stays) {
        bad[at] = if stays { None } else { bad[at].or(Some(Why::Alone)) };
    }
}

/// The lines that stay, with at most one empty line in a row where lines went, and none at the ends.
fn kept(lines: &[&str], bad: &[Option<Why>]) -> String {
    let mut text = String::new();
    let mut is_open = false;
    for (line, bad) in lines.iter().zip(bad) {
        if bad.is_some() {
            continue;
        }
        if line.trim().is_empty() {
            is_open = !text.is_empty();
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        if std::mem::take(&mut is_open) {
            text.push('\n');
        }
        text.push_str(line);
    }
    text
}
