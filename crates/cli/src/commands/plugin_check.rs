//! `tamis plugin check`.

use tamis_conformance::library::{self, Outcome};
use tamis_stage::Registry;

use crate::Exit;
use crate::args::PluginCheckArgs;
use crate::context::{Context, loader, logged_run, request};
use crate::output::{BAD, BOLD, DIM, GOOD, print_line, styled};

pub(crate) fn check(_context: &Context, args: &PluginCheckArgs) -> anyhow::Result<Exit> {
    let mut registry = Registry::new();
    loader().register(&request(&args.library), None, &mut registry)?;
    let registry = registry.in_context(&logged_run());
    let mut failed = 0;
    for factory in registry.iter() {
        print_line(styled(BOLD, &factory.info().name));
        for result in library::check(factory.as_ref()) {
            let mark = match &result.outcome {
                Outcome::Pass => styled(GOOD, "pass"),
                Outcome::Skip(_) => styled(DIM, "skip"),
                Outcome::Fail(_) => styled(BAD, "FAIL"),
            };
            print_line(format_args!("  {mark} {}", result.name));
            match result.outcome {
                Outcome::Pass => {}
                Outcome::Skip(why) => print_line(format_args!("       {why}")),
                Outcome::Fail(why) => {
                    failed += 1;
                    print_line(format_args!("       {}", why.replace('\n', "\n       ")));
                }
            }
        }
    }
    if failed == 0 {
        print_line(format_args!("{} the library keeps the plugin contract", styled(GOOD, "ok:")));
        return Ok(Exit::Done);
    }
    print_line(format_args!("{} {failed} checks failed", styled(BAD, "not ok:")));
    Ok(Exit::Failed)
}
