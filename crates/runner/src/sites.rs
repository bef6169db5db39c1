//! What became of the records of each site, in bounded memory.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tamis_document::{Record, Value, ValueRef};
use tamis_text::hosts;

use crate::fate_counts::FateCounts;

/// What became of the records of each site: of each host that their field `url` names, or, without one, of each value of
/// their field `site`. Those that have neither are left out.
///
/// There may be more sites than anybody wants to hold or to look at. Once there are too many, the smallest half of them
/// is counted together, and one of them that comes again begins anew. So the counts of a site that is among the largest
/// are all but exact, those of others may be too small, and the sum of all is right. Blocks are added in the order of the
/// corpus, so a run counts the same each time, whatever its threads do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sites {
    /// By site.
    pub named: BTreeMap<String, FateCounts>,
    /// Those of sites that are no longer told apart.
    #[serde(skip_serializing_if = "is_nothing", default)]
    pub others: FateCounts,
}

/// So many sites are told apart at most, and half as many once there are more. Twice as many as a page shows, many times
/// over: what it shows is then far from where counts are lost.
const MOST: usize = 1000;
/// A name that is longer is none of a site, in bytes.
const MAX_NAME_BYTES: usize = 200;

impl Sites {
    /// Whether there was no record with a site.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && is_nothing(&self.others)
    }

    /// Counts a record that goes no further.
    pub(crate) fn note(&mut self, record: &Record) {
        let Some(site) = site(record) else { return };
        // The name is only made for the first record of a site.
        if let Some(of_site) = self.named.get_mut(&*site) {
            return of_site.note(&record.fate);
        }
        self.named.entry(site.into_owned()).or_default().note(&record.fate);
        self.bound();
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (site, counts) in other.named {
            self.named.entry(site).or_default().add(counts);
        }
        self.others.add(other.others);
        self.bound();
    }

    fn bound(&mut self) {
        if self.named.len() <= MOST {
            return;
        }
        let mut largest: Vec<(String, FateCounts)> = std::mem::take(&mut self.named).into_iter().collect();
        // Of the same size the first by name stay, so that nothing depends on who came first.
        largest.sort_by(|(a_name, a), (b_name, b)| b.n().cmp(&a.n()).then_with(|| a_name.cmp(b_name)));
        for (_, counts) in largest.split_off(MOST / 2) {
            self.others.add(counts);
        }
        self.named = largest.into_iter().collect();
    }
}

fn is_nothing(counts: &FateCounts) -> bool {
    counts.n() == 0
}

fn site(record: &Record) -> Option<Cow<'_, str>> {
    let field = |name| match record.document.metadata.get(name).map(Value::as_ref) {
        Some(ValueRef::String(value)) if !value.is_empty() => Some(value),
        _ => None,
    };
    let host = field("url").and_then(hosts::host);
    let host = host.map(|host| Cow::Owned(hosts::without_www(&host).to_owned()));
    host.or_else(|| field("site").map(Cow::Borrowed)).filter(|site| site.len() <= MAX_NAME_BYTES)
}

#[cfg(test)]
mod tests {
    use tamis_document::{Document, Fate};

    use super::*;

    fn record(field: &str, value: &str, fate: Fate) -> Record {
        let mut document = Document::new("a", "");
        document.metadata.insert(field, value);
        Record { fate, ..Record::from(document) }
    }

    #[test]
    fn records_are_counted_by_the_host_of_their_address_or_by_what_names_their_site() {
        let mut sites = Sites::default();
        sites.note(&record("url", "https://Harbour.example:8443/a?b", Fate::Kept));
        sites.note(&record("url", "https://harbour.example/c", Fate::Dropped("short".into())));
        sites.note(&record("site", "The Harbour", Fate::Failed("no".into())));
        sites.note(&record("title", "none", Fate::Kept));
        sites.note(&record("site", &"x".repeat(201), Fate::Kept));
        let counts = |kept, dropped, failed| FateCounts { kept, dropped, failed };
        let expected = [("The Harbour", counts(0, 0, 1)), ("harbour.example", counts(1, 1, 0))];
        assert_eq!(sites.named, expected.map(|(name, counts)| (name.to_owned(), counts)).into());
        assert_eq!(serde_json::from_value::<Sites>(serde_json::to_value(&sites).unwrap()).unwrap(), sites);
    }

    /// Large sites between many small ones are counted to the last record, and nothing is lost.
    #[test]
    fn too_many_sites_are_counted_together_and_the_largest_are_not() {
        let mut sites = Sites::default();
        let mut most = 0;
        for n in 0..20_000 {
            let name = if n % 10 == 0 { format!("large{}", n / 10 % 20) } else { format!("small{n}") };
            let mut block = Sites::default();
            block.note(&record("site", &name, Fate::Kept));
            sites.add(block);
            most = most.max(sites.named.len());
        }
        assert!(most <= MOST);
        for n in 0..20 {
            assert_eq!(sites.named[&format!("large{n}")].kept, 100);
        }
        let all = sites.named.values().map(FateCounts::n).sum::<u64>() + sites.others.n();
        assert_eq!(all, 20_000);
    }
}
