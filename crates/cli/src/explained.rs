//! What became of one document, on a terminal.
//!
//! Marks stand beside colours (`-`, `+`, `~`), so that nothing is lost without them.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use tamis_document::Fate;
use tamis_report::explain::{Explanation, Field, Journey, Kind, Line, Measured, Piece, Size, Step, lines};

use crate::names::plural;
use crate::output::{BAD, BOLD, DIM, GOOD, NAME, styled};

/// So many lines that stayed are shown around what changed.
const CONTEXT: usize = 2;
/// So many lines are shown of what went or came in one piece, unless all is asked for.
const MOST_LINES: usize = 12;
/// So many characters are shown of a value, unless all is asked for.
const MOST_CHARS: usize = 200;

const REMOVED: Style = AnsiColor::Red.on_default();
const ADDED: Style = AnsiColor::Green.on_default();

/// All of it; `is_full` leaves nothing out that changed.
pub(crate) fn text(explanation: &Explanation, is_full: bool) -> String {
    let mut out = String::new();
    for note in &explanation.notes {
        out += &format!("{}\n", styled(DIM, note));
    }
    for document in &explanation.documents {
        if !out.is_empty() {
            out.push('\n');
        }
        journey(document, is_full, &mut out);
    }
    out
}

fn journey(document: &Journey, is_full: bool, out: &mut String) {
    let file = if document.file.is_empty() || document.id.starts_with(&document.file) {
        String::new()
    } else {
        format!(" in {}", document.file)
    };
    *out += &format!("{}  {}{file}\n", styled(BOLD, &document.id), document.size);
    if is_full {
        fields(&document.fields, is_full, out);
    }
    let width = document.steps.iter().map(|step| step.id.chars().count()).max().unwrap_or(0);
    for (number, step) in (1..).zip(&document.steps) {
        self::step((number, width), step, is_full, out);
    }
    let by = document.decided_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    *out += &match &document.fate {
        Fate::Kept => {
            format!("{} {}\n", styled(GOOD, "kept"), Size::Chars(document.text.chars().count()))
        }
        Fate::Dropped(reason) => format!("{}{by}: {reason}\n", styled(BAD, "dropped")),
        Fate::Failed(reason) => format!("{}{by}: {reason}\n", styled(BAD, "failed")),
    };
}

fn step((number, width): (usize, usize), step: &Step, is_full: bool, out: &mut String) {
    let pad = width.saturating_sub(step.id.chars().count());
    let what = if step.name == step.id { String::new() } else { format!(" ({})", step.name) };
    let _ = write!(out, "{number:>2} {}{what}{:pad$}  {:>7}", styled(NAME, &step.id), "", step.took());
    if let Some(change) = &step.change {
        let _ = write!(out, "  {}", change.sizes());
    }
    if step.is_quiet() {
        *out += &styled(DIM, "  nothing changed");
    }
    out.push('\n');
    if let Some(id) = &step.new_id {
        *out += &format!("     the id is now {id}\n");
    }
    if step.n_split > 0 {
        *out += &format!("     {} split off\n", plural(step.n_split as u64, "document", "documents"));
    }
    for remark in &step.remarks {
        *out += &format!("     {remark}\n");
    }
    measures(&step.measures, out);
    fields(&step.fields, is_full, out);
    if let Some(change) = &step.change {
        pieces(&change.pieces, is_full, out);
    }
    if let Fate::Dropped(reason) | Fate::Failed(reason) = &step.fate {
        *out += &format!("     {}\n", styled(BAD, reason));
    }
    if let Some((condition, values)) = &step.condition {
        *out += &format!("     {}\n", styled(BAD, condition));
        let values: Vec<String> = values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        *out += &format!("     where {}\n", values.join(", "));
    }
}

fn measures(measures: &[Measured], out: &mut String) {
    let values: Vec<(String, String)> = measures
        .iter()
        .map(|it| {
            let unit = if it.unit.is_empty() { String::new() } else { format!(" {}", it.unit) };
            (it.measure.name.to_string(), format!("{}{unit}", it.value()))
        })
        .collect();
    let most = |of: fn(&(String, String)) -> &String| {
        values.iter().map(|it| of(it).chars().count()).max().unwrap_or(0)
    };
    let (names, widest) = (most(|it| &it.0), most(|it| &it.1));
    for (measured, (name, value)) in measures.iter().zip(&values) {
        let line = format!("     {name:names$}  {value:>widest$}  {}", measured.limit());
        let line = line.trim_end();
        *out += &if measured.measure.holds() {
            format!("{line}\n")
        } else {
            format!("{}  {}\n", styled(BAD, line), styled(BAD, "✗"))
        };
    }
}

fn fields(fields: &[Field], is_full: bool, out: &mut String) {
    let width = fields.iter().map(|field| field.name.chars().count()).max().unwrap_or(0);
    let mut put = |mark: char, style: Style, name: &str, value: &str| {
        let mut value = value.replace('\n', "⏎");
        if !is_full && value.chars().count() > MOST_CHARS {
            value = value.chars().take(MOST_CHARS).chain(" …".chars()).collect();
        }
        *out += &format!("   {}\n", styled(style, format_args!("{mark} {name:width$}  {value}")));
    };
    for field in fields {
        if let Some(before) = &field.before {
            put('-', REMOVED, &field.name, before);
        }
        if let Some(after) = &field.after {
            put('+', ADDED, &field.name, after);
        }
    }
}

/// The lines of a difference, each with its mark.
pub(crate) fn pieces(pieces: &[Piece], is_full: bool, out: &mut String) {
    let most = if is_full { usize::MAX / 4 } else { MOST_LINES };
    for line in lines(pieces, CONTEXT, most) {
        match line {
            Line::Gap(kind, n) => {
                let what = match kind {
                    Kind::Same => "as before",
                    Kind::Removed => "removed",
                    Kind::Added => "added",
                };
                let more = if kind == Kind::Same || is_full { "" } else { " (all: --full)" };
                let text = format!("     ⋯ {} {what}{more}", plural(n as u64, "line", "lines"));
                *out += &format!("{}\n", styled(DIM, text));
            }
            Line::Text(pieces) => *out += &format!("   {}\n", one_line(&pieces)),
        }
    }
}

/// A line with its mark; inside a line what went stands in `[-…-]` and what came in `{+…+}`.
fn one_line(pieces: &[Piece]) -> String {
    match pieces {
        [Piece { kind: Kind::Same, text }] => format!("  {text}"),
        [Piece { kind: Kind::Removed, text }] => styled(REMOVED, format_args!("- {text}")),
        [Piece { kind: Kind::Added, text }] => styled(ADDED, format_args!("+ {text}")),
        pieces => {
            let piece = |it: &Piece| match it.kind {
                _ if it.text.is_empty() => String::new(),
                Kind::Same => it.text.clone(),
                Kind::Removed => styled(REMOVED, format_args!("[-{}-]", it.text)),
                Kind::Added => styled(ADDED, format_args!("{{+{}+}}", it.text)),
            };
            format!("~ {}", pieces.iter().map(piece).collect::<String>())
        }
    }
}
