//! The front matter of Markdown files: what stands between two lines of `---` at their beginning.
//!
//! It is YAML, of which the few forms are read that front matter mostly has: a string, number or list behind a name. What
//! has anything else stays in the text as it is, because half of it read is worse than none.

use serde_json::{Map, Value};

/// What front matter says, and the text behind it; none if there is none, or none that is understood.
pub(super) fn split(text: &str) -> Option<(Map<String, Value>, &str)> {
    let inner = text.strip_prefix("---")?;
    let inner = inner.strip_prefix("\r\n").or_else(|| inner.strip_prefix('\n'))?;
    let mut lines = Vec::new();
    let mut rest = inner;
    loop {
        let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
        let line = line.trim_end();
        if line == "---" || line == "..." {
            let behind = behind.trim_start_matches(['\r', '\n']);
            return Some((read(&lines)?, behind)).filter(|(fields, _)| !fields.is_empty());
        }
        if behind.is_empty() {
            return None;
        }
        lines.push(line);
        rest = behind;
    }
}

fn read(lines: &[&str]) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    let mut lines = lines.iter().filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
    while let Some(line) = lines.next() {
        let (name, value) = line.split_once(':')?;
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if name.is_empty() || !name.chars().all(is_name) || !(value.is_empty() || value.starts_with(' ')) {
            return None;
        }
        let mut items = Vec::new();
        while let Some(item) =
            lines.next_if(|line| value.trim().is_empty() && line.trim_start().starts_with("- "))
        {
            items.push(scalar(item.trim_start().strip_prefix("- ")?.trim())?);
        }
        let value = if items.is_empty() { self::value(value.trim())? } else { Value::Array(items) };
        fields.insert(name.to_owned(), value);
    }
    Some(fields)
}

fn value(written: &str) -> Option<Value> {
    match written.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
        Some(list) if list.contains(['"', '\'', '[', '{']) => {
            // As JSON has it; a list of strings of the other sort is left alone.
            serde_json::from_str(written).ok()
        }
        Some(list) => {
            let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
            items.map(scalar).collect::<Option<_>>().map(Value::Array)
        }
        None => scalar(written),
    }
}

/// One value; none of what YAML reads in a way of its own.
fn scalar(written: &str) -> Option<Value> {
    let quoted = |quote: char| written.strip_prefix(quote)?.strip_suffix(quote).filter(|_| written.len() > 1);
    if written.starts_with('"') {
        return serde_json::from_str::<String>(written).ok().map(Value::String);
    }
    if written.starts_with('\'') {
        let inner = quoted('\'')?.replace("''", "\u{0}");
        return (!inner.contains('\'')).then(|| Value::String(inner.replace('\u{0}', "'")));
    }
    let is_special = written.starts_with(['|', '>', '&', '*', '!', '%', '@', '`', '{', '[', ',', '?'])
        || written.starts_with("- ")
        || written.contains(": ")
        || written.ends_with(':')
        || written.contains(" #");
    if is_special {
        return None;
    }
    Some(match written {
        "" | "null" | "~" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        // `007` and `1_000` are no numbers everywhere.
        _ => match serde_json::from_str::<Value>(written) {
            Ok(number @ Value::Number(_)) => number,
            _ => Value::String(written.to_owned()),
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_understood_is_taken_and_the_rest_stays() {
        let text = "---\ntitle: 'Anna''s mill'\ndate: 2020-01-02\n# a comment\ntags:\n  - river\n  - \"a: b\"\nweight: 7\n\
                    draft: false\nlist: [a, b]\nnone:\n---\n\nThe text.\n";
        let (fields, rest) = split(text).expect("front matter");
        let expected = json!({ "title": "Anna's mill", "date": "2020-01-02", "tags": ["river", "a: b"], "weight": 7,
            "draft": false, "list": ["a", "b"], "none": null });
        assert_eq!((Value::Object(fields), rest), (expected, "The text.\n"));
        assert_eq!(split("---\r\ntitle: a\r\n---\r\nb\r\n").map(|(_, rest)| rest), Some("b\r\n"));
        for text in [
            "The text.",
            "--- a rule\n---\n",
            // A rule, and a text with another one.
            "---\nThe text.\n\n---\n\nMore.\n",
            "---\ntitle: a\n",
            "---\n---\nThe text.",
            "---\ndescription: |\n  more\n  lines\n---\nThe text.",
            "---\nmore:\n  deep: 1\n---\nThe text.",
            "---\ntitle: a: b\n---\nThe text.",
        ] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
