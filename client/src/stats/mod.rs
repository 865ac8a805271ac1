//! From the name/value pairs of a `stats` answer to typed snapshots.
//!
//! Every parser takes an iterator of `(&str, &str)` and never fails: a field that the server does
//! not report stays `None`, and a field that nobody here knows, or whose text is not what it should
//! be, is kept word for word in [`OtherFields`]. So servers older and newer than the ones this was
//! written against lose nothing.
//!
//! Field names are memcached's own, as `doc/protocol.txt` spells them.

mod conns;
mod general;
mod items;
mod settings;
mod sizes;
mod slabs;
#[cfg(test)]
mod versions;

pub use conns::{Connection, Connections};
pub use general::General;
pub use items::{ItemClass, Items};
pub use settings::Settings;
pub use sizes::Sizes;
pub use slabs::{SlabClass, Slabs};

/// Fields without a typed place, in the server's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtherFields(Vec<(Box<str>, Box<str>)>);

impl OtherFields {
    /// The value of the field `name`, when the server reported it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(candidate, _)| *candidate == name)
            .map(|(_, value)| value)
    }

    /// All fields, in the server's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Whether every field found a typed place.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn keep(&mut self, name: &str, value: &str) {
        self.0.push((name.into(), value.into()));
    }
}

/// A type that the value of a statistic can have.
pub(super) trait StatValue: Sized {
    /// Reads the value, or `None` when the text is something else.
    fn read(text: &str) -> Option<Self>;

    /// The value as text.
    fn write(&self) -> String;
}

impl StatValue for u64 {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl StatValue for f64 {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|value: &f64| value.is_finite())
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl StatValue for bool {
    fn read(text: &str) -> Option<Self> {
        match text {
            "yes" | "on" | "1" => Some(true),
            "no" | "off" | "0" => Some(false),
            _ => None,
        }
    }

    fn write(&self) -> String {
        (if *self { "yes" } else { "no" }).to_owned()
    }
}

impl StatValue for Box<str> {
    fn read(text: &str) -> Option<Self> {
        Some(text.into())
    }

    fn write(&self) -> String {
        self.as_ref().to_owned()
    }
}

/// Declares a struct of optional statistics named as the server names them.
macro_rules! statistics {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$meaning:meta])* $field:ident: $kind:ty,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name {
            $($(#[$meaning])* pub $field: Option<$kind>,)+
            /// What has no typed place above.
            pub other: $crate::stats::OtherFields,
        }

        impl $name {
            /// Every field that the server reported, as name and text: those with a typed place
            /// first, switches as `yes` or `no`; then the others, word for word.
            #[must_use]
            pub fn fields(&self) -> Vec<(&str, String)> {
                let typed = [
                    $((
                        stringify!($field),
                        self.$field.as_ref().map($crate::stats::StatValue::write),
                    ),)+
                ];
                let typed = typed.into_iter().filter_map(|(name, value)| Some((name, value?)));
                let others = self.other.iter().map(|(name, value)| (name, value.to_owned()));
                typed.chain(others).collect()
            }

            /// Puts one field into its place.
            pub(super) fn record(&mut self, name: &str, value: &str) {
                let placed = match name {
                    $(stringify!($field) => {
                        let read = <$kind as $crate::stats::StatValue>::read(value);
                        let known = read.is_some();
                        if known {
                            self.$field = read;
                        }
                        known
                    })+
                    _ => false,
                };
                if !placed {
                    self.other.keep(name, value);
                }
            }
        }
    };
}
pub(crate) use statistics;

/// Splits `12:chunk_size` into the number before the colon and the field after it.
fn split_number(name: &str) -> Option<(u32, &str)> {
    let (number, field) = name.split_once(':')?;
    Some((number.parse().ok()?, field))
}

#[cfg(test)]
mod tests {
    use super::{General, Items, Settings, Slabs};

    #[test]
    fn a_field_of_an_unexpected_shape_is_kept_as_text() {
        let general = General::parse([("pid", "12"), ("uptime", "soon"), ("new_in_1_9", "x y")]);
        assert_eq!(general.pid, Some(12));
        assert_eq!(general.uptime, None);
        assert_eq!(general.other.get("uptime"), Some("soon"));
        assert_eq!(general.other.get("new_in_1_9"), Some("x y"));
        assert_eq!(general.other.iter().count(), 2);
    }

    #[test]
    fn fields_are_listed_as_text_typed_ones_first() {
        let settings = Settings::parse([
            ("inter", "NULL"),
            ("evictions", "on"),
            ("growth_factor", "1.08"),
            ("maxbytes", "64"),
        ]);
        let expected = [
            ("maxbytes", "64".to_owned()),
            ("evictions", "yes".to_owned()),
            ("growth_factor", "1.08".to_owned()),
            ("inter", "NULL".to_owned()),
        ];
        assert_eq!(settings.fields(), expected);
    }

    #[test]
    fn infinite_and_negative_numbers_are_not_counters() {
        let general = General::parse([("rusage_user", "inf"), ("curr_connections", "-1")]);
        assert_eq!(general.rusage_user, None);
        assert_eq!(general.curr_connections, None);
        assert_eq!(general.other.iter().count(), 2);
    }

    #[test]
    fn class_numbers_that_are_not_numbers_are_kept() {
        let items = Items::parse([("items:x:number", "1"), ("items:3", "1"), ("loose", "1")]);
        assert!(items.classes.is_empty());
        assert_eq!(items.other.iter().count(), 3);
        let slabs = Slabs::parse([("99999999999:chunk_size", "96"), ("4:new_field", "7")]);
        assert_eq!(slabs.other.get("99999999999:chunk_size"), Some("96"));
        assert_eq!(slabs.classes[&4].other.get("new_field"), Some("7"));
    }

    #[test]
    fn switches_read_in_all_spellings() {
        let settings = Settings::parse([
            ("evictions", "on"),
            ("flush_enabled", "no"),
            ("track_sizes", "yes"),
            ("dump_enabled", "perhaps"),
        ]);
        assert_eq!(settings.evictions, Some(true));
        assert_eq!(settings.flush_enabled, Some(false));
        assert_eq!(settings.track_sizes, Some(true));
        assert_eq!(settings.dump_enabled, None);
        assert_eq!(settings.other.get("dump_enabled"), Some("perhaps"));
    }
}
