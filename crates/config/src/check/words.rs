//! How values, types and limits are put into words.

use crate::node::{Data, Node};
use crate::text::TextKind;

/// The name of a type of JSON Schema, with its article.
pub(super) fn type_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "string" => "a string",
        "integer" => "an integer",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a table",
        _ => return None,
    })
}

/// How to write a value of another type so that it fits.
pub(super) fn type_label(node: &Node, types: &[&str]) -> String {
    let wants = |name: &str| types.contains(&name);
    match &node.data {
        Data::String(text) if node.place.text.kind == TextKind::File => {
            let is_number = wants("number") && text.parse::<f64>().is_ok_and(f64::is_finite);
            let is_integer = wants("integer") && text.parse::<i64>().is_ok();
            let is_bool = wants("boolean") && matches!(text.as_str(), "true" | "false");
            if wants("boolean") && matches!(text.to_lowercase().as_str(), "yes" | "on" | "no" | "off") {
                return format!("write `{}`", matches!(text.to_lowercase().as_str(), "yes" | "on"));
            }
            if is_number || is_integer || is_bool {
                return format!("write `{text}`, without quotes");
            }
            let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
            if let Some(percent) = percent.filter(|_| wants("number")) {
                return format!("write `{}`", percent / 100.0);
            }
            if wants("boolean")
                && let Some(meant) = meant_bool(text)
            {
                return format!("write `{meant}`");
            }
            if wants("array") { format!("write `[{}]`", shown_bare(node)) } else { String::new() }
        }
        Data::Integer(bit @ (0 | 1)) if wants("boolean") => format!("write `{}`", *bit == 1),
        Data::Integer(_) | Data::Float(_) | Data::Bool(_) if wants("string") => {
            format!("write `\"{}\"`", shown_bare(node))
        }
        Data::String(_) | Data::Integer(_) | Data::Float(_) if wants("array") => {
            format!("write `[{}]`", shown_bare(node))
        }
        Data::Float(float) if wants("integer") && float.fract() == 0.0 && float.abs() < 1e15 => {
            format!("write `{float:.0}`")
        }
        _ => String::new(),
    }
}

/// What words that are no TOML mean by it.
fn meant_bool(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "yes" | "y" | "on" | "true" | "1" => Some(true),
        "no" | "n" | "off" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// A value in backticks, cut short if it is long.
pub(super) fn shown(node: &Node) -> String {
    match &node.data {
        Data::String(text) => format!("`{}`", cut(text)),
        _ => format!("`{}`", shown_bare(node)),
    }
}

/// A value as TOML writes it, cut short if it is long.
pub(super) fn shown_bare(node: &Node) -> String {
    match &node.data {
        Data::Integer(_) => cut(node.written()),
        _ => cut(&node.to_json().to_string()),
    }
}

fn cut(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// A number with its unit, the unit in the singular for one.
pub(super) fn quantity(number: f64, unit: &str) -> String {
    with_unit(&number.to_string(), unit)
}

pub(super) fn with_unit(written: &str, unit: &str) -> String {
    match unit {
        "" => written.to_owned(),
        unit if written == "1" => format!("{written} {}", unit.strip_suffix('s').unwrap_or(unit)),
        unit => format!("{written} {unit}"),
    }
}

/// The first sentence of a description, to go on with after a colon: lower case, no final stop.
pub(super) fn first_sentence(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let sentence = paragraph.split_once(". ").map_or(paragraph.as_str(), |(first, _)| first);
    let sentence = sentence.trim_end_matches('.');
    let mut chars = sentence.chars();
    match (chars.next(), chars.next()) {
        // An abbreviation (`URL`) keeps its capitals.
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain([second]).chain(chars).collect()
        }
        _ => sentence.to_owned(),
    }
}
