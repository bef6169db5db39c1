//! Sizes in bytes: `"1 GiB"`, `"256 MiB"`, or a number of bytes.

use serde_json::Value;

use crate::node::{Data, Table};

/// Units, largest first. Powers of 1024 and of 1000 are told apart, as disks and memory are sold.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Reads a size such as `1 GiB`, `256MiB`, `1.5 GB` or `4096` as a number of bytes; `None` if it is none.
///
/// Upper and lower case do not matter; a number without unit counts bytes.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let number = number.replace('_', "");
    let unit = unit.trim();
    let factor =
        if unit.is_empty() { 1 } else { UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1 };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor);
    }
    let bytes = number.parse::<f64>().ok()? * factor as f64;
    // Beyond 2^53 a float no longer counts single bytes, and no machine has such a size.
    (bytes.fract() == 0.0 && (0.0..9e15).contains(&bytes)).then_some(bytes as u64)
}

/// Writes a number of bytes in the largest binary unit that divides it: `1 GiB`, `1536 MiB`, `1000 B`.
pub fn format_size(bytes: u64) -> String {
    let (name, factor) = UNITS
        .iter()
        .take(4)
        .find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor))
        .unwrap_or(&("B", 1));
    format!("{} {name}", bytes / factor)
}

/// The unit (`x-unit`) of an option that is a size.
pub(crate) const BYTES: &str = "bytes";

/// Whether the schema of an option is that of a whole number of bytes, which may be written as a size with its unit.
pub(crate) fn is_bytes(option: &Value) -> bool {
    option.get("x-unit").and_then(Value::as_str) == Some(BYTES)
        && option.get("type").and_then(Value::as_str) == Some("integer")
}

/// The options with sizes such as `"64 MiB"` as the bytes that they stand for, where the stage counts bytes. What cannot
/// be read as a size stays, for whoever checks types.
pub(crate) fn in_bytes(options: &Table, schema: &Value) -> Table {
    let mut options = options.clone();
    for entry in &mut options.entries {
        let option = schema.get("properties").and_then(|properties| properties.get(&entry.key));
        let Some(text) = entry.value.as_str().filter(|_| option.is_some_and(is_bytes)) else { continue };
        if let Some(bytes) = parse_size(text) {
            entry.value.data = Data::Integer(bytes.into());
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, bytes) in [
            ("1 GiB", Some(1 << 30)),
            ("256MiB", Some(256 << 20)),
            (" 64 kib ", Some(64 << 10)),
            ("1.5 GiB", Some(3 << 29)),
            ("2 GB", Some(2_000_000_000)),
            ("4_096", Some(4096)),
            ("0", Some(0)),
            ("1 G", None),
            ("GiB", None),
            ("-1 MiB", None),
            ("1 GiB or so", None),
            ("0.3 B", None),
            ("99999999999 TiB", None),
            ("", None),
        ] {
            assert_eq!(parse_size(text), bytes, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for bytes in [0, 1, 1000, 1024, 1 << 20, 3 << 29, (1 << 40) + 1] {
            assert_eq!(parse_size(&format_size(bytes)), Some(bytes));
        }
        assert_eq!(format_size(3 << 29), "1536 MiB");
    }
}
