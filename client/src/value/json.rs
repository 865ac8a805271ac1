//! Values of any serde type, as JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::datum::Datum;
use super::payload::Payload;
use super::read::{FromValue, mismatch};
use super::write::ToValue;
use super::{Codec, Value};
use crate::error::{Error, Result};

/// Stores and reads a serde type as JSON.
///
/// In the plain profile, the stored bytes are the JSON document and nothing else.
///
/// ```
/// use memlens::{Json, Value};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Deserialize, PartialEq, Serialize)]
/// struct User {
///     name: String,
///     visits: u32,
/// }
///
/// let stored = Value::new(r#"{"name":"ada","visits":3}"#, 0);
/// let Json(user) = stored.decode::<Json<User>>()?;
/// assert_eq!(user.visits, 3);
/// # Ok::<(), memlens::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Json<T>(
    /// The value.
    pub T,
);

impl<T: Serialize> ToValue for Json<T> {
    fn to_value(&self) -> Result<Datum<'_>> {
        let document = serde_json::to_vec(&self.0)
            .map_err(|error| Error::invalid_input(format!("not JSON: {}", reason(&error))))?;
        Ok(Datum::Json(Payload::from(document)))
    }
}

impl<T: DeserializeOwned> FromValue for Json<T> {
    fn from_value(value: Value, codec: &Codec) -> Result<Self> {
        let datum = codec.decode(value)?;
        let document = match datum {
            Datum::Null => bytes::Bytes::from_static(b"null"),
            other => other
                .into_text()
                .map_err(|datum| mismatch::<Self>(&datum))?,
        };
        serde_json::from_slice(&document)
            .map(Json)
            .map_err(|error| {
                Error::decode(format!(
                    "a document of {} bytes cannot be read as {}: {}",
                    document.len(),
                    std::any::type_name::<Self>(),
                    reason(&error)
                ))
            })
    }
}

/// serde_json's own messages quote the document.
fn reason(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Io => "it cannot be written",
        Category::Syntax => "no JSON",
        Category::Data => "other JSON than expected",
        Category::Eof => "the end is missing",
    };
    match error.line() {
        0 => what.to_owned(),
        line => format!("{what}, line {line}, column {}", error.column()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::value::ValueProfile;

    #[test]
    fn documents_come_back_in_every_profile() {
        let map = BTreeMap::from([("a".to_owned(), vec![1, 2]), ("ü".to_owned(), vec![])]);
        for profile in ValueProfile::all() {
            let codec = Codec::new(*profile);
            let value = Json(&map);
            let stored = codec.encode(value.to_value().unwrap()).unwrap();
            let stored = Value::new(stored.payload.into_bytes(), stored.flags);
            let Json(read) = Json::<BTreeMap<String, Vec<u8>>>::from_value(stored, &codec).unwrap();
            assert_eq!(read, map, "{profile}");
        }
    }

    #[test]
    fn scalars_are_documents_too() {
        let codec = Codec::new(ValueProfile::NPM_MEMCACHED);
        let read = |data: &'static str, flags| {
            Json::<Option<bool>>::from_value(Value::new(data, flags), &codec).map(|json| json.0)
        };
        assert_eq!(read("true", 2).unwrap(), Some(true));
        assert_eq!(read("null", 2).unwrap(), None);
        assert!(read("42", 8).is_err());
    }

    #[test]
    fn errors_show_no_part_of_the_document() {
        for document in [
            r#"{"hunter2": 1}"#,
            r#""hunter2""#,
            "hunter2",
            r#"["hunter2"#,
        ] {
            let error = Value::new(document, 0).decode::<Json<u64>>().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(shown.contains("u64"), "{shown}");
        }
    }
}
