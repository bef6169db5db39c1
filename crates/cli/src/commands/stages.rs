//! `tamis stages`.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};
use tamis_host::Request;
use tamis_stage::{Kind, OptionInfo, PluginOrigin, Registry, StageInfo};

use crate::Exit;
use crate::args::StagesArgs;
use crate::context::{Context, loader};
use crate::output::{BOLD, DIM, NAME, print, print_line, styled};

pub(crate) fn stages(context: &Context, args: &StagesArgs) -> anyhow::Result<Exit> {
    let mut registry = match &args.pipeline {
        Some(pipeline) => context.registry_of(pipeline)?,
        None => context.registry(),
    };
    let mut loader = loader();
    for library in &args.plugin {
        loader.register(&Request::Path(library.clone()), None, &mut registry)?;
    }
    if let (Some(name), Some(preset)) = (&args.name, &args.preset) {
        return show_preset(name, preset);
    }
    if let Some(name) = &args.name {
        return show(&registry, name, args.json);
    }
    list(&registry, args.json);
    Ok(Exit::Done)
}

fn show(registry: &Registry, name: &str, as_json: bool) -> anyhow::Result<Exit> {
    let infos: Vec<&StageInfo> = registry.named(name).map(|factory| factory.info()).collect();
    if infos.is_empty() && name == "auto" {
        print(format_args!(
            "{} · reader in [[source]]\n\n{}\n",
            styled(NAME, name),
            tamis_config::AUTO_DOCS.trim()
        ));
        return Ok(Exit::Done);
    }
    if infos.is_empty() && TABLES.contains(&name) {
        let keys = tamis_config::common_keys(name);
        print(format_args!("{}\n{}", styled(BOLD, format_args!("keys of {}", title(name))), options(keys)));
        return Ok(Exit::Done);
    }
    if infos.is_empty() {
        anyhow::bail!(
            "unknown stage `{name}`{}: `tamis stages` lists all; those of a plugin are known with \
             `--plugin FILE` or `--pipeline FILE`",
            suggestion(registry, name)
        );
    }
    if as_json {
        let infos: Vec<Value> = infos.into_iter().map(to_json).collect();
        print_line(serde_json::to_string_pretty(&infos)?);
    } else {
        let pages =
            registry.named(name).map(|factory| page(factory.info(), &tamis_config::forms(factory.as_ref())));
        print(pages.collect::<Vec<_>>().join("\n"));
    }
    Ok(Exit::Done)
}

/// A set of rules that a stage has, as a file that can be copied and changed.
#[cfg(feature = "bundled")]
fn show_preset(stage: &str, name: &str) -> anyhow::Result<Exit> {
    if stage != "judge" {
        anyhow::bail!("`{stage}` has no presets that are files; `judge` has");
    }
    let Some(text) = tamis_judges::preset(name) else {
        let all: Vec<&str> = tamis_judges::presets().collect();
        anyhow::bail!("`judge` has no preset `{name}`; there are {}", all.join(", "));
    };
    print(text);
    Ok(Exit::Done)
}

#[cfg(not(feature = "bundled"))]
fn show_preset(_: &str, _: &str) -> anyhow::Result<Exit> {
    anyhow::bail!("this build has no stages of its own, and so no presets")
}

/// The tables whose common keys have a page of their own.
const TABLES: [&str; 7] = ["pipeline", "source", "stage", "export", "plugin", "run", "test"];

fn title(table: &str) -> String {
    match table {
        "pipeline" => "a pipeline file, above all tables".to_owned(),
        "run" => "[run]".to_owned(),
        list => format!("every [[{list}]]"),
    }
}

fn suggestion(registry: &Registry, name: &str) -> String {
    let names = registry.iter().map(|factory| factory.info().name.as_str());
    let close = names.map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
    match close {
        Some((distance, known)) if distance <= 2 => format!(", did you mean `{known}`?"),
        _ => {
            let infos = registry.iter().map(|factory| factory.info());
            let described: Vec<_> = infos.map(|info| (info.name.as_str(), info.summary.as_str())).collect();
            let akin: Vec<String> =
                tamis_config::akin(name, &described).iter().map(|known| format!("`{known}`")).collect();
            if akin.is_empty() { String::new() } else { format!(", perhaps {}", akin.join(" or ")) }
        }
    }
}

fn list(registry: &Registry, as_json: bool) {
    if as_json {
        let all: Vec<Value> = registry.iter().map(|factory| to_json(factory.info())).collect();
        print_line(Value::Array(all));
        return;
    }
    for kind in [Kind::Reader, Kind::Extractor, Kind::Filter, Kind::Corpus, Kind::Exporter] {
        let infos: Vec<&StageInfo> =
            registry.iter().map(|factory| factory.info()).filter(|info| info.kind == kind).collect();
        if infos.is_empty() {
            continue;
        }
        print_line(styled(BOLD, format_args!("{kind}s, in [[{}]]", kind.table())));
        let mut table = table();
        if kind == Kind::Reader {
            table.add_row(["auto", tamis_config::AUTO_SUMMARY, ""]);
        }
        for info in infos {
            // Where a bundled stage comes from is of no interest, and the line is long enough.
            let origin = if info.plugin.origin == PluginOrigin::Bundled { "" } else { &info.plugin.name };
            table.add_row([&info.name, &info.summary, origin]);
        }
        print_line(table.trim_fmt());
        print_line("");
    }
    print_line(format_args!("{} shows the page of a stage;", styled(NAME, "tamis stages NAME")));
    print_line(format_args!(
        "{} show what every table knows.",
        styled(NAME, "tamis stages source|stage|export|run|…")
    ));
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// The page of a stage.
fn page(info: &StageInfo, forms: &[(&str, String)]) -> String {
    let mut page = format!(
        "{} · {} in [[{}]] · plugin {} {}\n\n{}\n",
        styled(NAME, &info.name),
        info.kind,
        info.kind.table(),
        info.plugin.name,
        info.plugin.version,
        info.docs.trim()
    );
    let fields =
        |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if !info.reads.is_empty() {
        page += &format!("\n{} {}", styled(BOLD, "reads"), fields(&info.reads));
    }
    if !info.writes.is_empty() {
        page += &format!("\n{} {}", styled(BOLD, "writes"), fields(&info.writes));
    }
    for (verb, what) in forms {
        page += &format!("\n{} {what}", styled(BOLD, verb));
    }
    page += &measures(info);
    let own = info.options();
    if own.is_empty() {
        return page
            + &format!("\n\nThere are no options beside the keys of every [[{}]].\n", info.kind.table());
    }
    let common = format!("(`tamis stages {}` shows the keys of every [[{0}]])", info.kind.table());
    page + &format!("\n\n{} {}\n{}", styled(BOLD, "options"), styled(DIM, common), options(own))
}

/// What a stage measures, with units and limits.
fn measures(info: &StageInfo) -> String {
    let mut text = String::new();
    for (index, measure) in info.measures.iter().enumerate() {
        let head = if index == 0 { format!("\n\n{}", styled(BOLD, "measures")) } else { String::new() };
        let unit = (!measure.unit.is_empty()).then(|| format!("in {}", measure.unit));
        let notes = [unit.unwrap_or_default(), measure.limits()];
        let notes: Vec<_> = notes.into_iter().filter(|note| !note.is_empty()).collect();
        let notes = if notes.is_empty() { String::new() } else { format!("  {}", notes.join(", ")) };
        let name = styled(NAME, &measure.name);
        text += &format!("{head}\n  {name}{}\n      {}", styled(DIM, notes), measure.summary);
    }
    text
}

/// A list of options with their help.
fn options(options: Vec<OptionInfo>) -> String {
    let mut text = String::new();
    for option in options {
        let default = option.default.map_or(String::new(), |default| format!(" = {default}"));
        let unit = option.unit.map_or(String::new(), |unit| format!(", in {unit}"));
        let kind = styled(DIM, format!("{}{unit}", option.kind));
        text += &format!("\n  {}{default}  {kind}\n", styled(NAME, option.name));
        for line in option.help.lines() {
            text += format!("      {line}").trim_end();
            text.push('\n');
        }
    }
    text
}

fn to_json(info: &StageInfo) -> Value {
    let mut value = serde_json::to_value(info).unwrap_or(Value::Null);
    if let Some(object) = value.as_object_mut() {
        object.insert("plugin".to_owned(), json!(*info.plugin));
    }
    value
}
