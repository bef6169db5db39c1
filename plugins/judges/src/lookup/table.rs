//! Reads a table.

use std::collections::HashMap;

use tamis_plugin::Value;

/// Values by key, in the order of the columns that were asked for.
pub(super) type Table = HashMap<Box<str>, Vec<Option<Value>>>;

/// Reads the table at `path`; `spelled` says how keys are looked up.
pub(super) fn read(
    path: &str,
    key: &str,
    columns: &[String],
    spelled: &dyn Fn(&str) -> String,
) -> Result<Table, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let is_json = std::path::Path::new(path).extension().is_some_and(|ending| ending == "jsonl");
    let mut table = Table::new();
    let mut add = |line: usize, key: String, values: Vec<Option<Value>>| match table
        .insert(key.clone().into_boxed_str(), values)
    {
        None => Ok(()),
        Some(_) => Err(format!("{path}:{line}: `{key}` stands in the table twice")),
    };
    if is_json {
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line_number = at + 1;
            let row: serde_json::Value =
                serde_json::from_str(line).map_err(|error| format!("{path}:{line_number}: {error}"))?;
            let Some(key) = row.get(key).and_then(serde_json::Value::as_str) else {
                return Err(format!("{path}:{line_number}: no string `{key}`"));
            };
            let values = columns.iter().map(|column| row.get(column).cloned().map(Value::from)).collect();
            add(line_number, spelled(key), values)?;
        }
        return Ok(table);
    }
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let place = |name: &str| {
        let missing = || format!("{path}: no column `{name}`; there are {}", head.join(", "));
        head.iter().position(|column| *column == name).ok_or_else(missing)
    };
    let key = place(key)?;
    let places: Vec<usize> = columns.iter().map(|column| place(column)).collect::<Result<_, _>>()?;
    for (at, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells.len() != head.len() {
            return Err(format!("{path}:{}: {} cells, but {} columns", at + 2, cells.len(), head.len()));
        }
        let cell =
            |place: &usize| cells.get(*place).filter(|cell| !cell.is_empty()).map(|cell| Value::from(*cell));
        let values = places.iter().map(cell).collect();
        add(at + 2, spelled(cells.get(key).copied().unwrap_or_default()), values)?;
    }
    Ok(table)
}
