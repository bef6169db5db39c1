//! The rule files of `config/sites`, which the program brings along: a pipeline that it writes needs them beside it.

macro_rules! sites {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../../config/sites/", $name, ".toml")))),*]
    };
}

/// Name and content, in the order of `config/flattened.toml`: the first whose `detect` holds wins.
pub(super) const SITES: &[(&str, &str)] = sites![
    "error-pages",
    "wechat-errors",
    "wechat",
    "weibo",
    "toutiao",
    "baijiahao",
    "sina",
    "sohu",
    "netease",
    "qq",
    "ifeng",
    "people",
    "xinhua",
    "thepaper",
    "china-com-cn",
    "youth-cn",
    "digital-newspaper",
    "document-library",
    "gov-cn",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rule_files_are_there_under_their_names() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/sites");
        let entries = std::fs::read_dir(folder).expect("the folder of the rule files");
        let mut found: Vec<String> = entries
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().replace(".toml", ""))
            .collect();
        found.sort();
        let mut known: Vec<&str> = SITES.iter().map(|(name, _)| *name).collect();
        known.sort_unstable();
        assert_eq!(found, known);
        for (name, content) in SITES {
            assert!(content.lines().any(|line| line.trim() == format!("name = \"{name}\"")), "{name}");
        }
    }
}
