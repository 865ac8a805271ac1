//! What the fuzz targets of `tests/fuzz` call: parsers and the pipeline, on any bytes.
//!
//! Each function checks what must hold for every input, and panics if it doesn't. The inputs that fuzzing
//! has kept are fed to them by the unit tests as well.

mod choices;
mod pipeline;
mod reply;

pub use pipeline::pipeline;
pub use reply::reply;

use crate::config::{Config, Credentials};

/// A server list or URL: what is read, written back and read again is the same, but for a user and
/// password, which are not written.
pub fn url(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(mut config) = text.parse::<Config>() else {
        return;
    };
    let mut written = config.to_string();
    let is_given = |credentials: &Credentials| credentials.file().is_none();
    if config.credentials.as_ref().is_some_and(is_given) {
        assert!(written.parse::<Config>().is_err(), "{text:?} lost a login");
        config.credentials = None;
        written = written.replacen("***@", "", 1);
    }
    let again = written.parse::<Config>();
    assert_eq!(
        again.ok(),
        Some(config),
        "{text:?} was written as {written:?}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(target: &str, run: fn(&[u8])) {
        let folder = format!(
            "{}/../tests/fuzz/corpus/{target}",
            env!("CARGO_MANIFEST_DIR")
        );
        let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
        let mut count = 0;
        for file in files {
            run(&std::fs::read(file.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "{folder} is empty");
    }

    #[test]
    fn what_fuzzing_has_kept_of_replies() {
        replay("decode_reply", reply);
    }

    #[test]
    fn what_fuzzing_has_kept_of_pipelines() {
        replay("pipeline", pipeline);
    }

    #[test]
    fn what_fuzzing_has_kept_of_urls() {
        replay("url", url);
    }
}
