//! What memcacheds of different times really answer: nothing is lost, and what one does not report is not
//! made up.

use super::{Connections, General, Items, OtherFields, Settings, Sizes, Slabs};

struct Answers {
    version: &'static str,
    text: &'static str,
}

/// The same requests were sent to each before: 40 items stored, one of them deleted, two found, one missed.
const ALL: [Answers; 4] = [
    Answers {
        version: "1.4.39",
        text: include_str!("../../tests/data/stats/1.4.39.txt"),
    },
    Answers {
        version: "1.5.22",
        text: include_str!("../../tests/data/stats/1.5.22.txt"),
    },
    Answers {
        version: "1.6.18",
        text: include_str!("../../tests/data/stats/1.6.18.txt"),
    },
    Answers {
        version: "1.6.45",
        text: include_str!("../../tests/data/stats/1.6.45.txt"),
    },
];

impl Answers {
    /// The names and values that this command was answered with.
    fn to(&self, command: &str) -> Vec<(&str, &str)> {
        let lines = self.text.lines();
        let mut lines = lines.skip_while(|line| line.strip_prefix("> ") != Some(command));
        lines.next().expect("it was asked");
        let pairs = lines.map_while(|line| line.strip_prefix("STAT "));
        let pairs = pairs.map(|pair| pair.split_once(' ').expect("a name and a value"));
        pairs.collect()
    }
}

fn count(other: &OtherFields) -> usize {
    other.iter().count()
}

#[test]
fn every_field_of_every_version_is_kept() {
    for answers in &ALL {
        let version = answers.version;
        let asked = answers.to("stats");
        assert_eq!(
            General::parse(asked.clone()).fields().len(),
            asked.len(),
            "{version}"
        );

        let asked = answers.to("stats settings");
        assert_eq!(
            Settings::parse(asked.clone()).fields().len(),
            asked.len(),
            "{version}"
        );

        let asked = answers.to("stats items");
        let items = Items::parse(asked.clone());
        let kept: usize = items
            .classes
            .values()
            .map(|class| class.fields().len())
            .sum();
        assert_eq!(kept + count(&items.other), asked.len(), "{version}");

        let asked = answers.to("stats slabs");
        let slabs = Slabs::parse(asked.clone());
        let kept: usize = slabs
            .classes
            .values()
            .map(|class| class.fields().len())
            .sum();
        let totals = [slabs.active_slabs, slabs.total_malloced]
            .into_iter()
            .flatten()
            .count();
        assert_eq!(
            kept + totals + count(&slabs.other),
            asked.len(),
            "{version}"
        );

        let asked = answers.to("stats conns");
        let connections = Connections::parse(asked.clone());
        let each = connections.by_descriptor.values();
        let kept: usize = each.map(|connection| connection.fields().len()).sum();
        assert_eq!(kept + count(&connections.other), asked.len(), "{version}");
    }
}

#[test]
fn what_all_versions_say_is_understood() {
    for answers in &ALL {
        let version = answers.version;
        let general = General::parse(answers.to("stats"));
        assert_eq!(general.version.as_deref(), Some(version));
        assert!(general.pid.is_some() && general.uptime.is_some() && general.rusage_user.is_some());
        assert_eq!(
            (general.curr_items, general.cmd_set),
            (Some(39), Some(40)),
            "{version}"
        );
        let found = (general.get_hits, general.get_misses, general.delete_hits);
        assert_eq!(found, (Some(2), Some(1), Some(1)), "{version}");

        let settings = Settings::parse(answers.to("stats settings"));
        let limits = (settings.maxconns, settings.maxbytes);
        assert_eq!(limits, (Some(1024), Some(64 << 20)), "{version}");
        assert_eq!(settings.evictions, Some(true), "{version}");

        let items = Items::parse(answers.to("stats items"));
        let stored: u64 = items
            .classes
            .values()
            .filter_map(|class| class.number)
            .sum();
        assert_eq!(stored, 39, "{version}");
        let slabs = Slabs::parse(answers.to("stats slabs"));
        assert!(slabs.classes.keys().eq(items.classes.keys()), "{version}");

        let sizes = Sizes::parse(answers.to("stats sizes"));
        assert!(!sizes.enabled && sizes.histogram.is_empty(), "{version}");
    }
}

#[test]
fn what_a_version_does_not_say_is_missing_and_not_nought() {
    let [oldest, .., latest] = &ALL;
    let meta = |answers: &Answers| General::parse(answers.to("stats")).cmd_meta;
    assert_eq!((meta(oldest), meta(latest)), (None, Some(0)));

    // It moved from one answer to the other with 1.5.17.
    for answers in &ALL {
        let is_old = answers.version == "1.4.39";
        let items = Items::parse(answers.to("stats items"));
        let slabs = Slabs::parse(answers.to("stats slabs"));
        let of_items = items
            .classes
            .values()
            .all(|class| class.mem_requested.is_some());
        let of_slabs = slabs
            .classes
            .values()
            .all(|class| class.mem_requested.is_some());
        assert_eq!(
            (of_items, of_slabs),
            (!is_old, is_old),
            "{}",
            answers.version
        );
    }
}
