//! Faults of every kind at random moments: what the README promises holds.
//!
//! A scenario is a function of a seed: it builds its inputs, does something to a run of the program, and knows what
//! must come out. `cargo test` tries a few fixed seeds of each; `cargo xtask faults` tries new ones for as long as
//! it is given, and prints what it saw.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers are not marked as such")]

use std::io::Write as _;

mod archives;
mod damage;
mod disk;
mod formats;
mod inputs;
mod kill;
mod limits;
mod long;
mod server;
mod together;
mod trial;

use trial::{Outcome, Trial};

/// One way to harm a run.
struct Scenario {
    name: &'static str,
    /// One trial.
    run: fn(&mut Trial),
}

/// All of them, in the order of the table.
const SCENARIOS: &[Scenario] = &[
    Scenario { name: "kill", run: kill::run },
    Scenario { name: "full-disk", run: disk::run },
    Scenario { name: "descriptors", run: limits::descriptors },
    Scenario { name: "short-writes", run: limits::short_writes },
    Scenario { name: "damage", run: damage::run },
    Scenario { name: "together", run: together::run },
    Scenario { name: "server", run: server::run },
    Scenario { name: "archives", run: archives::run },
];

/// Tries fixed seeds of a scenario.
fn short(name: &str, seeds: impl IntoIterator<Item = u64>) {
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name).expect("a scenario of the list");
    let mut all = trial::Counts::default();
    for seed in seeds {
        match trial::attempt(scenario, seed, &mut all) {
            Outcome::Held => {}
            // Said loudly, because what nobody tried held nothing.
            Outcome::Skipped(why) => {
                // Not by a macro, whose output the harness keeps to itself where a test holds.
                let said = format!("SKIPPED {name}: {why}\n");
                return std::io::stderr().write_all(said.as_bytes()).unwrap();
            }
            Outcome::Broke(why) => panic!("{name} with seed {seed}: {why}"),
        }
    }
    assert!(all.hit > 0, "no fault of {name} has hit its run: {all:?}");
}

#[cfg(unix)]
#[test]
fn kills_leave_no_trace() {
    short("kill", 0..kill::N_CASES);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_gone_on_with() {
    short("full-disk", 0..disk::N_CASES);
}

#[cfg(unix)]
#[test]
fn a_run_without_descriptors_says_so_and_is_gone_on_with() {
    short("descriptors", 0..limits::N_CASES);
}

#[cfg(unix)]
#[test]
fn a_run_that_may_write_no_more_says_so_and_is_gone_on_with() {
    short("short-writes", 0..limits::N_CASES);
}

#[test]
fn damage_costs_what_is_damaged() {
    short("damage", 0..damage::N_CASES);
}

#[cfg(unix)]
#[test]
fn of_two_runs_at_once_one_ends_well() {
    short("together", 0..together::N_CASES);
}

#[test]
fn servers_that_lie_cost_what_they_serve() {
    // Without those that a client answers with patience alone, seconds of it.
    short("server", (0..server::N_CASES).filter(|seed| !server::is_patient(*seed)));
}

#[test]
fn archives_give_what_the_same_files_in_a_folder_give() {
    short("archives", 0..archives::N_CASES);
}
