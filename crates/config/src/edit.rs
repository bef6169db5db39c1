//! Changing values of a pipeline file where they stand.

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use crate::overrides::Setting;

/// The text of a pipeline file with some values changed; all else of it, comments and layout included, is as it was.
///
/// A value that is not there yet stands last in its table. A stage of a pipeline that the file extends gets a table of its
/// own at the end. Keys are those of [`Setting`], without positions: `run.threads`, `stage.length.min_chars`.
///
/// ```
/// use tamis_config::{Setting, SettingOrigin, edited};
///
/// let text = "[[stage]]\nuse = \"length\"\nmin_chars = 100    # read 40 of them\n";
/// let setting =
///     Setting { key: "stage.length.min_chars".into(), value: "80".into(), origin: SettingOrigin::Flag };
/// let after = edited(text, &[setting]).expect("there is such a stage");
/// assert_eq!(after, "[[stage]]\nuse = \"length\"\nmin_chars = 80    # read 40 of them\n");
/// ```
///
/// # Errors
///
/// When the text is no TOML, or a key leads nowhere; a message.
pub fn edited(text: &str, settings: &[Setting]) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error| format!("it is no TOML: {error}"))?;
    for setting in settings {
        let value: Value = setting.value.parse().unwrap_or_else(|_| Value::from(setting.value.as_str()));
        let parts: Vec<&str> = setting.key.split('.').collect();
        let is_set = match parts.as_slice() {
            [list @ ("source" | "stage" | "export"), id, path @ ..] if !path.is_empty() => {
                set_in_list(document.as_table_mut(), list, id, path, value)
            }
            path => set(document.as_table_mut(), path, value, false),
        };
        is_set.ok_or_else(|| format!("there is no place for `{}` in it", setting.key))?;
    }
    Ok(document.to_string())
}

/// Sets a value in the table of a list that has this id.
fn set_in_list(root: &mut Table, list: &str, id: &str, path: &[&str], value: Value) -> Option<()> {
    let extends = root.contains_key("extends");
    match root.get_mut(list) {
        Some(Item::ArrayOfTables(tables)) => {
            if let Some(table) = tables.iter_mut().find(|table| is_called(*table, id)) {
                return set(table, path, value, false);
            }
        }
        Some(Item::Value(Value::Array(tables))) => {
            let mut tables = tables.iter_mut().filter_map(Value::as_inline_table_mut);
            return set(tables.find(|table| is_called(*table, id))?, path, value, true);
        }
        Some(_) => return None,
        None => {}
    }
    // The tables of a list merge by id with those of the file that this one extends, if they are stages.
    if list != "stage" || !extends {
        return None;
    }
    let mut table = Table::new();
    table.insert("id", Item::Value(id.into()));
    set(&mut table, path, value, false)?;
    let tables = root.entry(list).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    tables.as_array_of_tables_mut()?.push(table);
    Some(())
}

fn is_called(table: &dyn TableLike, id: &str) -> bool {
    table.get("id").or_else(|| table.get("use")).and_then(Item::as_str) == Some(id)
}

/// A table in one that stands in a line, or that has lines of its own (`limits.min_words = 40`).
fn new_table(is_inline: bool) -> Item {
    if is_inline {
        return Item::Value(InlineTable::new().into());
    }
    let mut table = Table::new();
    table.set_dotted(true);
    Item::Table(table)
}

/// Sets the value at `path`; tables on the way there are made.
fn set(table: &mut dyn TableLike, path: &[&str], value: Value, is_inline: bool) -> Option<()> {
    match path {
        [] => None,
        [key] => {
            match table.get_mut(key) {
                Some(Item::Value(old)) => {
                    // What stands around a value, such as the comment behind it, is part of it.
                    let around = old.decor().clone();
                    *old = value;
                    *old.decor_mut() = around;
                }
                Some(_) => return None,
                None => drop(table.insert(key, Item::Value(value))),
            }
            Some(())
        }
        [key, rest @ ..] => {
            if !table.contains_key(key) {
                table.insert(key, new_table(is_inline));
            }
            let inner = table.get_mut(key)?;
            let is_inline = inner.is_inline_table();
            set(inner.as_table_like_mut()?, rest, value, is_inline)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overrides::SettingOrigin;

    fn changed(text: &str, settings: &[(&str, &str)]) -> Result<String, String> {
        let setting = |(key, value): &(&str, &str)| Setting {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            origin: SettingOrigin::Flag,
        };
        edited(text, &settings.iter().map(setting).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_not_changed_stays_as_it_was_written() {
        let text = "# Ours.\n[[stage]]\nid='a'  # the first\nuse = \"judge\"\nlimits = { chars = 3, \"x\" = 1 } # both\n\n\
                    [[stage]]\nuse = \"length\"\n\n[run]\nthreads   = 2\n";
        let after = changed(
            text,
            &[("stage.a.limits.chars", "0.5"), ("stage.length.max_chars", "9"), ("run.threads", "4")],
        );
        let expected = text
            .replace("chars = 3", "chars = 0.5")
            .replace("use = \"length\"\n", "use = \"length\"\nmax_chars = 9\n")
            .replace("= 2", "= 4");
        assert_eq!(after, Ok(expected));
        assert_eq!(changed(text, &[]), Ok(text.to_owned()));
    }

    #[test]
    fn tables_on_the_way_are_made_and_inline_lists_are_read() {
        let text = "stage = [{ use = \"judge\" }]\n";
        let after = changed(text, &[("stage.judge.limits.zh.chars", "7")]);
        assert_eq!(after, Ok("stage = [{ use = \"judge\" , limits = { zh = { chars = 7 } } }]\n".to_owned()));
    }

    #[test]
    fn limits_in_a_table_have_lines_of_their_own() {
        let text = "[[stage]]\nuse = \"judge\"\n\n[run]\nthreads = 2\n";
        let after =
            changed(text, &[("stage.judge.limits.min_words", "7"), ("stage.judge.limits.zh.min_words", "9")]);
        let expected =
            text.replace("\"judge\"\n", "\"judge\"\nlimits.min_words = 7\nlimits.zh.min_words = 9\n");
        assert_eq!(after, Ok(expected));
    }

    #[test]
    fn a_stage_of_the_file_that_is_extended_gets_a_table() {
        let text = "extends = \"base.toml\"\n";
        let after = changed(text, &[("stage.length.min_chars", "7"), ("stage.length.max_chars", "70")]);
        let expected =
            "extends = \"base.toml\"\n\n[[stage]]\nid = \"length\"\nmin_chars = 7\nmax_chars = 70\n";
        assert_eq!(after, Ok(expected.to_owned()));
    }

    #[test]
    fn what_has_no_place_is_said() {
        for (text, key) in [
            ("[[stage]]\nuse = \"length\"\n", "stage.other.min_chars"),
            ("run = 7\n", "run.threads"),
            ("[[stage]]\nuse = \"length\"\nmin_chars = { a = 1 }\n", "stage.length.min_chars.b.c.d"),
            ("[run]\n", "run"),
        ] {
            let result = changed(text, &[(key, "1")]);
            let is_fine = key.ends_with("b.c.d");
            assert_eq!(result.is_ok(), is_fine, "{text} {key}: {result:?}");
        }
        assert!(changed("a =", &[]).unwrap_err().contains("no TOML"));
    }
}
