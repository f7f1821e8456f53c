//! What the tests of this suite share: a signed-in client, and the control port of the server under test.

use std::env;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use salesforce_core::{bulkapi, client, restapi};

/// Whatever went wrong.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A word that tests/clients/run puts into the environment.
pub fn required(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: start this suite with tests/clients/run"))
}

/// A client signed in with the secret of the connected application.
pub async fn signed_in() -> Result<client::Client, Box<dyn std::error::Error>> {
    let client = client::Client::builder()
        .client_id("client")
        .client_secret("secret")
        .instance_url(required("COSELL_SALESFORCE_URL"))
        .build()?;
    Ok(client.connect().await?)
}

/// The client of the REST API.
pub async fn rest() -> Result<restapi::Client, Box<dyn std::error::Error>> {
    Ok(restapi::ClientBuilder::new(signed_in().await?).build()?)
}

/// The client of the Bulk API.
pub async fn bulk() -> Result<bulkapi::Client, Box<dyn std::error::Error>> {
    Ok(bulkapi::ClientBuilder::new(signed_in().await?).build()?)
}

/// One call of the control port; its answer must be a success.
pub fn order(method: &str, path: &str, body: &str) -> Outcome {
    let base = required("COSELL_CONTROL_URL");
    let host = base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    let length = body.len();
    write!(
        stream,
        "{method} /control/{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 2") {
        Ok(())
    } else {
        Err(answer.into())
    }
}
