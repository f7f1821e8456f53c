//! What the tests of this suite share: a client that signs in, rows, and the control port of the server under test.

use std::env;

use powerplatform_dataverse_service_client::auth::client_secret::ClientSecretAuth;
use powerplatform_dataverse_service_client::client::Client;
use powerplatform_dataverse_service_client::entity::{ReadEntity, WriteEntity};
use powerplatform_dataverse_service_client::reference::{Reference, ReferenceStruct};
use powerplatform_dataverse_service_client::select::Select;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Whatever went wrong.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A word that tests/clients/run puts into the environment.
pub fn required(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: start this suite with tests/clients/run"))
}

/// The client, which asks for its tokens itself.
pub fn client(secret: &str) -> Client<'static, ClientSecretAuth> {
    let dataverse = required("COSELL_DATAVERSE_URL");
    let tenant = format!("{}/11111111-2222-4333-8444-555555555555", required("COSELL_ENTRA_URL"));
    let http = reqwest::Client::new();
    let auth = ClientSecretAuth::new(
        http.clone(),
        format!("{tenant}/oauth2/v2.0/token"),
        format!("{dataverse}/.default"),
        "99999999-2222-4333-8444-555555555555".to_owned(),
        secret.to_owned(),
    );
    Client::new(format!("{dataverse}/"), http, auth)
}

/// One call of the control port; its answer must be a success.
pub async fn order(method: &str, path: &str, body: &Value) -> Outcome {
    let url = format!("{}/control/{path}", required("COSELL_CONTROL_URL"));
    let call = reqwest::Client::new().request(method.parse()?, url);
    let call = if body.is_null() { call } else { call.json(body) };
    call.send().await?.error_for_status()?;
    Ok(())
}

/// A contact, as this client wants a row: with its key chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub contactid: Uuid,
    pub firstname: Option<String>,
    pub lastname: String,
}

impl Contact {
    pub fn new(firstname: &str, lastname: &str) -> Self {
        Self {
            contactid: Uuid::new_v4(),
            firstname: Some(firstname.to_owned()),
            lastname: lastname.to_owned(),
        }
    }
}

impl ReadEntity for Contact {}

impl WriteEntity for Contact {}

impl Select for Contact {
    fn get_columns() -> &'static [&'static str] {
        &["contactid", "firstname", "lastname"]
    }
}

impl Reference for Contact {
    fn get_reference(&self) -> ReferenceStruct {
        ReferenceStruct::new("contacts", self.contactid)
    }
}

/// A deal as it is written: a customer by a link.
#[derive(Clone, Debug, Serialize)]
pub struct NewDeal {
    pub opportunityid: Uuid,
    pub name: String,
    pub estimatedvalue: f64,
    pub estimatedclosedate: String,
    #[serde(rename = "customerid_contact@odata.bind")]
    pub customer: String,
}

impl WriteEntity for NewDeal {}

impl Reference for NewDeal {
    fn get_reference(&self) -> ReferenceStruct {
        ReferenceStruct::new("opportunities", self.opportunityid)
    }
}

/// A deal as it is read: the customer's key, money as a number, the state that nobody wrote.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Deal {
    pub name: String,
    pub estimatedvalue: Option<f64>,
    pub estimatedclosedate: Option<String>,
    pub statuscode: i64,
    #[serde(rename = "_customerid_value")]
    pub customer: Option<Uuid>,
}

impl ReadEntity for Deal {}

impl Select for Deal {
    fn get_columns() -> &'static [&'static str] {
        &["name", "estimatedvalue", "estimatedclosedate", "statuscode", "_customerid_value"]
    }
}
