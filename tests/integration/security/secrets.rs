//! Whatever happens, no user and no password is told.

use std::fmt::Write as _;

use memlens::config::{Config, Credentials};
use memlens::{Client, Expiry, TracedClient};
use memlens_tests::telemetry::{Recorder, attributes_of};
use memlens_tests::{Log, Memcached};

use super::config;

const USER: &str = "canary-user-5150";
const PASSWORD: &str = "canary-password-5150";

/// Uses a client, and returns all that it says of itself and its failures.
async fn talk(config: Config, recorder: &Recorder) -> String {
    let mut text = format!("{config} {config:?}");
    let telemetry = recorder.telemetry();
    let client = TracedClient::builder().telemetry(telemetry);
    let client = client.with_config(config).await.unwrap();
    for _ in 0..3 {
        let error = client.set("key", "value", Expiry::Never).await.err();
        write!(text, "{error:?}").unwrap();
        if let Some(error) = error {
            write!(text, "{error} {:?}", error.server_message()).unwrap();
        }
    }
    write!(text, "{client:?} {:?}", client.statistics()).unwrap();
    for span in recorder.take_spans() {
        write!(text, "{span:?} {:?}", attributes_of(&span)).unwrap();
    }
    write!(text, "{:?}", recorder.all_metrics()).unwrap();
    text
}

#[tokio::test]
async fn no_user_and_no_password_is_ever_told() {
    let log = Log::catch();
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    std::fs::write(&users, format!("{USER}:{PASSWORD}\n")).unwrap();
    let server = Memcached::with_arguments(&["-Y", users.to_str().unwrap()]);
    let recorder = Recorder::new();
    let mut right = config("memcache", &[&server]);
    right.credentials = Some(Credentials::new(USER, PASSWORD).unwrap());
    let mut from_file = config("memcache", &[&server]);
    from_file.credentials = Some(Credentials::from_file(&users));
    let mut wrong = config("memcache", &[&server]);
    wrong.credentials = Some(Credentials::new(USER, format!("{PASSWORD}!")).unwrap());
    let mut text = String::new();
    for config in [right, from_file, wrong] {
        text += &talk(config, &recorder).await;
    }
    for url in [
        format!("memcache://{USER}:{PASSWORD}@"),
        format!("memcache://{USER}:{PASSWORD}@host name:x"),
        format!("memcache://{USER} {PASSWORD}@host"),
        format!("memcache://{USER}:{PASSWORD}@host?{PASSWORD}"),
        format!("memcache://{USER}:{PASSWORD}@host?timeout={PASSWORD}"),
        format!("memcache://host,{USER}:{PASSWORD}@host"),
        format!("{USER}:{PASSWORD}@host"),
        format!("memcache://{USER}:{PASSWORD}#@host"),
        format!("memcache://{USER}:{PASSWORD}?@host"),
        format!("memcache://{USER}:{PASSWORD}/@host/x"),
    ] {
        let error = Client::connect(&url).await.unwrap_err();
        write!(text, "{error} {error:?}").unwrap();
    }
    text += &log.text();
    assert!(text.contains("memlens"), "the log was written");
    for canary in [USER, PASSWORD] {
        let at = text.find(canary);
        assert_eq!(at, None, "{}", &text[at.unwrap_or(0).saturating_sub(200)..]);
    }
}
