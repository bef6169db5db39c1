//! Numbers, sizes and strings: ranges, lengths, patterns.

use serde_json::{Map, Value};

use super::words::{quantity, shown, with_unit};
use super::{At, Checker, HOW_TO_WRITE_SIZES};
use crate::node::{Data, Node};
use crate::size::{format_size, parse_size};

impl Checker<'_> {
    pub(super) fn number(&mut self, node: &Node, keywords: &Map<String, Value>, at: &At) {
        if let Some(smallest) = keywords.get("x-size").and_then(Value::as_u64) {
            return self.size(node, smallest, at);
        }
        let Some(number) = node.as_f64() else { return };
        let unit = keywords.get("x-unit").and_then(Value::as_str).unwrap_or_default();
        let limit = |key: &str| keywords.get(key).and_then(Value::as_f64);
        let (format_min, format_max) = match node.data {
            Data::Integer(_) => integer_range(keywords.get("format").and_then(Value::as_str)),
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        };
        let problem = if let Some(min) = limit("minimum").filter(|min| number < *min) {
            format!("at least {}", quantity(min, unit))
        } else if let Some(min) = limit("exclusiveMinimum").filter(|min| number <= *min) {
            format!("more than {}", quantity(min, unit))
        } else if let Some(max) = limit("maximum").filter(|max| number > *max) {
            let is_percent =
                (max - 1.0).abs() < f64::EPSILON && (2.0..=100.0).contains(&number) && unit.is_empty();
            let percent =
                if is_percent { format!("; {number} % is `{}`", number / 100.0) } else { String::new() };
            format!("at most {}{percent}", quantity(max, unit))
        } else if let Some(max) = limit("exclusiveMaximum").filter(|max| number >= *max) {
            format!("less than {}", quantity(max, unit))
        } else if number < format_min {
            format!("at least {}", quantity(format_min, unit))
        } else if number > format_max {
            format!("at most {}", quantity(format_max, unit))
        } else if let Some(step) = limit("multipleOf").filter(|step| *step > 0.0 && number % step != 0.0) {
            format!("a multiple of {}", quantity(step, unit))
        } else {
            return;
        };
        self.error(
            &node.place,
            format!("{} is {}, out of range", at.subject, with_unit(node.written(), unit)),
            format!("must be {problem}"),
        );
    }

    /// A size in bytes (`x-size` holds the smallest allowed).
    fn size(&mut self, node: &Node, smallest: u64, at: &At) {
        match size_of(node) {
            None => self.error(&node.place, format!("{} is no size", at.subject), HOW_TO_WRITE_SIZES),
            Some(bytes) if bytes < smallest => self.error(
                &node.place,
                format!("{} is {}, too small", at.subject, format_size(bytes)),
                format!("must be at least {}", format_size(smallest)),
            ),
            Some(_) => {}
        }
    }

    pub(super) fn string(&mut self, node: &Node, text: &str, keywords: &Map<String, Value>, at: &At) {
        if let Some(smallest) = keywords.get("x-size").and_then(Value::as_u64) {
            return self.size(node, smallest, at);
        }
        let count = text.chars().count() as u64;
        let limit = |key: &str| keywords.get(key).and_then(Value::as_u64);
        if let Some(min) = limit("minLength").filter(|min| count < *min) {
            if count == 0 {
                return self.error(&node.place, format!("{} is empty", at.subject), "");
            }
            return self.length(node, at, count, "at least", min, "character");
        }
        if let Some(max) = limit("maxLength").filter(|max| count > *max) {
            return self.length(node, at, count, "at most", max, "character");
        }
        let Some(pattern) = keywords.get("pattern").and_then(Value::as_str) else { return };
        // A pattern in a dialect that we do not have is left to the stage.
        if regex::Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text)) {
            let label = match keywords.get("x-expects").and_then(Value::as_str) {
                Some(expects) => format!("must be {expects}"),
                None => format!("must match `{pattern}`"),
            };
            self.error(&node.place, format!("{} cannot be {}", at.subject, shown(node)), label);
        }
    }

    pub(super) fn length(&mut self, node: &Node, at: &At, count: u64, bound: &str, limit: u64, unit: &str) {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        self.error(
            &node.place,
            format!("{} has {count} {unit}{}, out of range", at.subject, plural(count)),
            format!("must have {bound} {limit} {unit}{}", plural(limit)),
        );
    }
}

/// The size that a value stands for, in bytes.
pub(crate) fn size_of(node: &Node) -> Option<u64> {
    match &node.data {
        Data::Integer(bytes) => u64::try_from(*bytes).ok(),
        Data::String(text) => parse_size(text),
        _ => None,
    }
}

/// The range of the integer types that `schemars` names in `format`.
fn integer_range(format: Option<&str>) -> (f64, f64) {
    match format {
        Some("int8") => (f64::from(i8::MIN), f64::from(i8::MAX)),
        Some("int16") => (f64::from(i16::MIN), f64::from(i16::MAX)),
        Some("int32") => (f64::from(i32::MIN), f64::from(i32::MAX)),
        Some("uint8") => (0.0, f64::from(u8::MAX)),
        Some("uint16") => (0.0, f64::from(u16::MAX)),
        Some("uint32") => (0.0, f64::from(u32::MAX)),
        // One below, so that the float comparison cannot let the first number that is too large through.
        Some("uint64" | "uint") => (0.0, 18_446_744_073_709_549_568.0),
        _ => (-9_223_372_036_854_775_808.0, 9_223_372_036_854_774_784.0),
    }
}
