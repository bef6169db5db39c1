//! `tamis schema`.

use crate::args::SchemaArgs;
use crate::context::Context;
use crate::{Exit, output};

pub(crate) fn schema(context: &Context, args: &SchemaArgs) -> anyhow::Result<Exit> {
    let registry = match &args.pipeline {
        Some(pipeline) => context.registry_of(pipeline)?,
        None => context.registry(),
    };
    let schema = serde_json::to_string_pretty(&tamis_config::schema(&registry))?;
    output::print_line(schema);
    Ok(Exit::Done)
}
