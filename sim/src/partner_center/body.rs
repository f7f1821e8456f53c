//! Reading JSON that a caller sent: an object is an object, and what is wrong is said with its place and in plain words.
//!
//! It knows no resource. Left alone, serde takes a list for a struct, field by field, and its errors name Rust's types.

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_path_to_error::Segment;

use super::error::Problem;

/// Reads a body; `part` is what errors call it as a whole.
pub(super) fn read<T: DeserializeOwned>(part: &str, body: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = T::deserialize(Strict(&mut reader));
    read.and_then(|read| reader.end().map(|()| read)).map_err(|error| {
        // Only now is it worth its cost to know where.
        let mut reader = serde_json::Deserializer::from_slice(body);
        let place = match serde_path_to_error::deserialize::<_, T>(Strict(&mut reader)) {
            Ok(_) => String::new(),
            Err(error) => slashes(error.path()),
        };
        problem(part, &place, &error.to_string())
    })
}

/// Reads a value that has been read as JSON before.
pub(super) fn read_value<T: DeserializeOwned>(part: &str, value: &Value) -> Result<T, Problem> {
    T::deserialize(Strict(value)).map_err(|error| {
        let place = match serde_path_to_error::deserialize::<_, T>(Strict(value)) {
            Ok(_) => String::new(),
            Err(error) => slashes(error.path()),
        };
        problem(part, &place, &error.to_string())
    })
}

fn slashes(path: &serde_path_to_error::Path) -> String {
    let segments: Vec<String> = path
        .iter()
        .filter(|segment| !matches!(segment, Segment::Unknown))
        .map(|segment| segment.to_string().trim_matches(['[', ']']).to_owned())
        .collect();
    segments.join("/")
}

/// An unknown field is refused as not simulated, everything else is a 400 about its place.
///
/// Assumed: the words; no document shows what the service says about a malformed body.
fn problem(part: &str, place: &str, message: &str) -> Problem {
    let unknown = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split('`').next());
    if let Some(field) = unknown {
        return Problem::NotSimulated(format!("body field `{field}` in {part}"));
    }
    let target = match (part.strip_prefix('/'), place) {
        (_, "") => part.to_owned(),
        (Some(pointer), place) => format!("/{pointer}/{place}"),
        (None, place) => place.to_owned(),
    };
    Problem::invalid(&target, format!("The request body is not valid: {}.", plain(message)))
}

/// serde's message without Rust's types.
fn plain(message: &str) -> String {
    let mut words = Vec::new();
    let mut given = message.split(' ').peekable();
    while let Some(word) = given.next() {
        let (bare, comma) = word.strip_suffix(',').map_or((word, ""), |bare| (bare, ","));
        let said = match bare {
            // `struct Draft`, `struct Draft with 17 elements`, `enum Status`
            "struct" | "enum" => {
                let name = given.next().unwrap_or_default();
                if given.peek() == Some(&"with") {
                    given.by_ref().take(3).for_each(drop);
                }
                let comma = if name.ends_with(',') { "," } else { "" };
                let kind = if bare == "struct" { "an object" } else { "a word" };
                words.push(format!("{kind}{comma}"));
                continue;
            }
            "f64" | "f32" | "u64" | "i64" | "u32" | "i32" | "usize" => "a number",
            "map" => "object",
            "sequence" => "list",
            bare => bare,
        };
        words.push(format!("{said}{comma}"));
    }
    words.join(" ")
}

/// A deserializer that takes nothing but objects for structs, all the way down.
struct Strict<D>(D);

/// Hands on what it is given, so that what stands inside is strict, too.
struct Within<T>(T);

macro_rules! forwarded {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method(Within(visitor))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    forwarded! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_option deserialize_unit deserialize_seq deserialize_map deserialize_identifier
        deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, Within(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Within(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(length, Within(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, length, Within(visitor))
    }

    /// The point of it all.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Within(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, Within(visitor))
    }
}

macro_rules! visited {
    ($($method:ident($kind:ty))*) => {
        $(fn $method<E: serde::de::Error>(self, value: $kind) -> Result<V::Value, E> {
            self.0.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Within<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.expecting(formatter)
    }

    visited! {
        visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str) visit_string(String)
        visit_borrowed_str(&'de str)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Strict(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Strict(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Within(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Within(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(access)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Within<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_element_seed(Within(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Within<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(Within(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Within<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(deserializer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Outer {
        known: bool,
        inner: Option<Inner>,
        list: Vec<Inner>,
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Inner {
        number: f64,
    }

    #[test]
    fn a_list_is_no_object_and_the_place_is_named_in_plain_words() {
        for (body, target, message) in [
            (
                "[]",
                "deal",
                "invalid type: list, expected an object at line 1 column 0",
            ),
            (
                r#"{"inner":[5]}"#,
                "inner",
                "invalid type: list, expected an object at line 1 column 9",
            ),
            (
                r#"{"list":[{},[]]}"#,
                "list/1",
                "invalid type: list, expected an object at line 1 column 12",
            ),
            (
                r#"{"list":[{"number":"x"}]}"#,
                "list/0/number",
                "invalid type: string \"x\", expected a number at line 1 column 22",
            ),
            (
                r#"{"known":{}}"#,
                "known",
                "invalid type: object, expected a boolean at line 1 column 9",
            ),
            ("{} {}", "deal", "trailing characters at line 1 column 4"),
            ("{", "deal", "EOF while parsing an object at line 1 column 1"),
        ] {
            let expected = Problem::invalid(target, format!("The request body is not valid: {message}."));
            assert_eq!(read::<Outer>("deal", body.as_bytes()), Err(expected), "{body}");
        }
        let value = serde_json::json!({"inner": [1]});
        let expected = Problem::invalid(
            "/x/inner",
            "The request body is not valid: invalid type: list, expected an object.",
        );
        assert_eq!(read_value::<Outer>("/x", &value), Err(expected));
    }

    #[test]
    fn an_unknown_field_is_not_simulated() {
        let unknown = read::<Outer>("deal", br#"{"inner":{"colour":1}}"#);
        assert_eq!(
            unknown,
            Err(Problem::NotSimulated("body field `colour` in deal".to_owned()))
        );
        let read = read::<Outer>("deal", br#"{"inner":{"number":1.5},"known":true}"#).unwrap();
        assert_eq!(
            (read.known, read.inner.unwrap().number.to_string()),
            (true, "1.5".to_owned())
        );
    }
}
