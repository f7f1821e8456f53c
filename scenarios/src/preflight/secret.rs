//! Where secrets come from: an environment variable, a file, or a command. Never from the profile itself, unless somebody
//! insists, and never into an error or a report.

use std::fmt;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

/// The variable of the environment that lets secrets stand in the profile itself.
pub const ALLOW_INLINE: &str = "COSELL_ALLOW_INLINE_SECRETS";

/// A secret as a profile names it: exactly one of the keys.
#[derive(Clone, Default)]
pub struct Secret {
    env: Option<String>,
    file: Option<PathBuf>,
    command: Option<String>,
    insecure_value: Option<String>,
}

const KEYS: [&str; 4] = ["env", "file", "command", "insecure-value"];

/// Reads a place, and takes a secret that is written out for what it is: the refusal must not repeat it.
struct Places;

impl<'de> Visitor<'de> for Places {
    type Value = Secret;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("one of { env = \"NAME\" }, { file = \"path\" }, { command = \"…\" }")
    }

    fn visit_str<E>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret {
            insecure_value: Some(text.to_owned()),
            ..Secret::default()
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Secret, A::Error> {
        let mut secret = Secret::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "env" => secret.env = Some(map.next_value()?),
                "file" => secret.file = Some(map.next_value()?),
                "command" => secret.command = Some(map.next_value()?),
                "insecure-value" => secret.insecure_value = Some(map.next_value()?),
                other => return Err(A::Error::unknown_field(other, &KEYS)),
            }
        }
        Ok(secret)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Places)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.place())
    }
}

impl Secret {
    /// Where it comes from, in words.
    pub fn place(&self) -> String {
        match self {
            Self { env: Some(name), .. } => format!("the environment variable {name}"),
            Self { file: Some(path), .. } => format!("the file {}", path.display()),
            Self { command: Some(_), .. } => "the command of the profile".to_owned(),
            Self { .. } => "the profile itself".to_owned(),
        }
    }

    /// Whether it names exactly one place.
    pub fn is_one(&self) -> bool {
        let named = [
            self.env.is_some(),
            self.file.is_some(),
            self.command.is_some(),
            self.insecure_value.is_some(),
        ];
        named.into_iter().filter(|named| *named).count() == 1
    }

    /// Whether the profile itself holds it.
    pub fn is_inline(&self) -> bool {
        self.insecure_value.is_some()
    }

    /// The secret, without blanks around it.
    ///
    /// # Errors
    /// A sentence that names the place and never the secret.
    pub fn read(&self) -> Result<String, String> {
        let place = self.place();
        let text = match self {
            Self { env: Some(name), .. } => std::env::var(name).map_err(|_| format!("{place} is not set"))?,
            Self { file: Some(path), .. } => {
                std::fs::read_to_string(path).map_err(|error| format!("{place} cannot be read: {error}"))?
            }
            Self {
                command: Some(command), ..
            } => run(command)?,
            Self { insecure_value, .. } => insecure_value.clone().unwrap_or_default(),
        };
        let text = text.trim().to_owned();
        if text.is_empty() && self.command.is_some() {
            Err(format!("{place} printed nothing"))
        } else if text.is_empty() {
            Err(format!("{place} is empty"))
        } else {
            Ok(text)
        }
    }
}

/// The longest that a command may take: some ask a person for a passphrase.
const PATIENCE: Duration = Duration::from_mins(2);

/// What it complains of goes where this program's own complaints go, and into no report.
fn run(command: &str) -> Result<String, String> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the command of the profile cannot be started: {error}"))?;
    let (told, heard) = mpsc::channel();
    if let Some(mut output) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = output.read_to_end(&mut bytes);
            // Nobody listens any more when the time is over.
            drop(told.send(read.map(|_| bytes)));
        });
    }
    let Ok(output) = heard.recv_timeout(PATIENCE) else {
        drop(child.kill());
        drop(child.wait());
        let seconds = PATIENCE.as_secs();
        return Err(format!(
            "the command of the profile did not end within {seconds} seconds"
        ));
    };
    let status = child
        .wait()
        .map_err(|error| format!("the command of the profile cannot be waited for: {error}"))?;
    if !status.success() {
        return Err(format!("the command of the profile ended with {status}"));
    }
    let output = output.map_err(|error| format!("the command of the profile cannot be heard: {error}"))?;
    String::from_utf8(output).map_err(|_| "the command of the profile printed no text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        toml::from_str(text).expect("a secret")
    }

    #[test]
    fn a_secret_is_read_from_its_place_and_never_shown() {
        assert_eq!(secret("command = 'echo hush'").read(), Ok("hush".to_owned()));
        let inline = secret("insecure-value = 'hush'");
        assert_eq!(inline.read(), Ok("hush".to_owned()));
        assert!(!format!("{inline:?}").contains("hush"));
    }

    #[test]
    fn what_is_wrong_names_the_place() {
        for (text, part) in [
            ("env = 'COSELL_NO_SUCH_VARIABLE'", "COSELL_NO_SUCH_VARIABLE is not set"),
            ("file = '/no/such/file'", "/no/such/file cannot be read"),
            ("command = 'exit 3'", "ended with"),
            ("command = 'true'", "printed nothing"),
        ] {
            let error = secret(text).read().expect_err(text);
            assert!(error.contains(part), "{error}");
        }
        assert!(!secret("env = 'A'\nfile = 'b'").is_one());
        assert!(!secret("").is_one());
    }
}
