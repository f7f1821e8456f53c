//! The seller in Dynamics 365: the Dataverse Web API, as any client would (dataverse.md sections 2.2, 2.4 and 2.10).

use cosell_sim::site::Site;
use http::{Method, Request};
use serde_json::{Map, Value, json};

use super::{Refused, Screen, Seller, amount, ask, encode, json as body_of, no_solution, send};
use crate::record::{Columns, Field};
use crate::scenario::Crm;
use crate::scenario::act::{Edit, Emptied, Help, Money, NewDeal, Outcome, Stage};

/// A seller in Dynamics 365.
#[derive(Clone, Debug)]
pub struct DynamicsSeller {
    /// The environment's names for what is configured.
    pub columns: Columns,
}

const WHO: &str = "seller";

impl DynamicsSeller {
    fn url(world: &dyn Screen, path: &str) -> String {
        format!("{}/api/data/v9.2/{path}", world.ground().bases.of(Site::Dataverse))
    }

    fn insert(world: &mut dyn Screen, set: &str, body: Value) -> Result<String, Refused> {
        let url = Self::url(world, set);
        let response = ask(world, WHO, Method::POST, url, Some(body))?;
        let id = response
            .headers()
            .get("OData-EntityId")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        Ok(id
            .rsplit_once('(')
            .map_or("", |(_, id)| id.trim_end_matches(')'))
            .to_owned())
    }

    fn update(world: &mut dyn Screen, opportunity: &str, body: Value) -> Result<(), Refused> {
        let url = Self::url(world, &format!("opportunities({opportunity})"));
        let request = Request::builder()
            .method(Method::PATCH)
            .uri(url)
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(http::header::IF_MATCH, "*");
        send(world, WHO, request, Some(body)).map(drop)
    }

    fn find(world: &mut dyn Screen, set: &str, key: &str, filter: &str) -> Result<Option<String>, Refused> {
        let url = Self::url(world, &format!("{set}?$select={key}&$filter={}", encode(filter)));
        let response = ask(world, WHO, Method::GET, url, None)?;
        Ok(body_of(&response)["value"][0][key].as_str().map(str::to_owned))
    }

    fn account(&self, world: &mut dyn Screen, deal: &NewDeal) -> Result<Option<String>, Refused> {
        let Some(customer) = &deal.customer else {
            return Ok(None);
        };
        let (name, postal_code) = (quoted(&customer.name), quoted(&customer.postal_code));
        let filter = format!("name eq '{name}' and address1_postalcode eq '{postal_code}'");
        if let Some(known) = Self::find(world, "accounts", "accountid", &filter)? {
            return Ok(Some(known));
        }
        let mut account = json!({"name": customer.name, "address1_postalcode": customer.postal_code});
        if let Some(country) = &customer.country {
            account[self.columns.country.as_str()] = json!(country);
        }
        Self::insert(world, "accounts", account).map(Some)
    }

    fn currency(world: &mut dyn Screen, code: &str) -> Result<Option<String>, Refused> {
        let filter = format!("isocurrencycode eq '{}'", quoted(code));
        let found = Self::find(world, "transactioncurrencies", "transactioncurrencyid", &filter)?;
        Ok(found.map(|id| format!("/transactioncurrencies({id})")))
    }

    fn put_money(&self, world: &mut dyn Screen, body: &mut Value, money: &Money) -> Result<(), Refused> {
        body[self.columns.value.as_str()] = amount(money.amount);
        if let Some(currency) = Self::currency(world, &money.currency)? {
            body["transactioncurrencyid@odata.bind"] = json!(currency);
        }
        Ok(())
    }
}

impl Seller for DynamicsSeller {
    fn create(&self, world: &mut dyn Screen, deal: &NewDeal) -> Result<String, Refused> {
        let account = self.account(world, deal)?;
        let mut body = json!({"name": deal.name, "statuscode": status(&deal.stage)});
        if let Some(account) = &account {
            body["customerid_account@odata.bind"] = json!(format!("/accounts({account})"));
        }
        if let Some(money) = &deal.value {
            self.put_money(world, &mut body, money)?;
        }
        put(
            &mut body,
            self.columns.of_field(Field::Closes, Crm::Dynamics),
            deal.closes.as_ref().map(|date| json!(date.to_string())),
        );
        put(
            &mut body,
            self.columns.of_field(Field::Notes, Crm::Dynamics),
            deal.notes.as_ref().map(|notes| json!(notes)),
        );
        put(
            &mut body,
            "msft_microsoftpartnercenterhelp",
            deal.help.map(|help| json!(help_value(help))),
        );
        put(
            &mut body,
            "msft_microsoftpartnercenterreferralvisible",
            deal.visible.map(Value::from),
        );
        put(
            &mut body,
            "msft_microsoftpartnercenterreferralidentifier",
            deal.external_reference.as_ref().map(|referral| json!(referral)),
        );
        if let Some(contact) = &deal.contact {
            let mut person = json!({
                "firstname": contact.first_name, "lastname": contact.last_name, "emailaddress1": contact.email,
            });
            if let Some(account) = &account {
                person["parentcustomerid_account@odata.bind"] = json!(format!("/accounts({account})"));
            }
            let contact = Self::insert(world, "contacts", person)?;
            body["parentcontactid@odata.bind"] = json!(format!("/contacts({contact})"));
        }
        let opportunity = Self::insert(world, "opportunities", body)?;
        for solution in &deal.solutions {
            self.add_solution(world, &opportunity, solution)?;
        }
        if deal.sync {
            Self::update(
                world,
                &opportunity,
                json!({"msft_microsoftpartnercenterreferralsync": true}),
            )?;
        }
        Ok(opportunity)
    }

    fn edit(&self, world: &mut dyn Screen, opportunity: &str, edit: &Edit) -> Result<(), Refused> {
        let mut body = Value::Object(Map::new());
        put(&mut body, "name", edit.name.as_ref().map(|name| json!(name)));
        if let Some(money) = &edit.value {
            self.put_money(world, &mut body, money)?;
        }
        put(
            &mut body,
            self.columns.of_field(Field::Closes, Crm::Dynamics),
            edit.closes.as_ref().map(|date| json!(date.to_string())),
        );
        put(
            &mut body,
            self.columns.of_field(Field::Notes, Crm::Dynamics),
            edit.notes.as_ref().map(|notes| json!(notes)),
        );
        put(&mut body, "statuscode", edit.stage.as_ref().map(status));
        put(
            &mut body,
            "msft_microsoftpartnercenterreferralsync",
            edit.sync.map(Value::from),
        );
        put(
            &mut body,
            "msft_microsoftpartnercenterhelp",
            edit.help.map(|help| json!(help_value(help))),
        );
        put(
            &mut body,
            "msft_microsoftpartnercenterreferralvisible",
            edit.visible.map(Value::from),
        );
        for emptied in &edit.empties {
            let column = match emptied {
                Emptied::Value => self.columns.value.as_str(),
                Emptied::Closes => self.columns.of_field(Field::Closes, Crm::Dynamics),
                Emptied::Help => "msft_microsoftpartnercenterhelp",
            };
            body[column] = Value::Null;
        }
        Self::update(world, opportunity, body)
    }

    fn add_solution(&self, world: &mut dyn Screen, opportunity: &str, solution: &str) -> Result<(), Refused> {
        let row = json!({
            "msft_name": solution,
            "msft_solutionidentifier": solution,
            "msft_Opportunity@odata.bind": format!("/opportunities({opportunity})"),
        });
        Self::insert(world, "msft_partnercentersolutions", row).map(drop)
    }

    fn remove_solution(&self, world: &mut dyn Screen, opportunity: &str, solution: &str) -> Result<(), Refused> {
        let (set, key) = ("msft_partnercentersolutions", "msft_partnercentersolutionid");
        let filter = format!(
            "_msft_opportunity_value eq {opportunity} and msft_solutionidentifier eq '{}'",
            quoted(solution)
        );
        let line = Self::find(world, set, key, &filter)?.ok_or_else(|| no_solution(solution))?;
        let url = Self::url(world, &format!("{set}({line})"));
        ask(world, WHO, Method::DELETE, url, None).map(drop)
    }

    fn close(&self, world: &mut dyn Screen, opportunity: &str, outcome: Outcome) -> Result<(), Refused> {
        let (action, status) = match outcome {
            Outcome::Won => ("WinOpportunity", 3),
            Outcome::Lost => ("LoseOpportunity", 4),
        };
        let body = json!({
            "Status": status,
            "OpportunityClose": {
                "subject": "Closed by the seller",
                "opportunityid@odata.bind": format!("/opportunities({opportunity})"),
            },
        });
        let url = Self::url(world, action);
        ask(world, WHO, Method::POST, url, Some(body)).map(drop)
    }

    fn reopen(&self, world: &mut dyn Screen, opportunity: &str) -> Result<(), Refused> {
        Self::update(world, opportunity, json!({"statecode": 0, "statuscode": 1}))
    }

    fn delete(&self, world: &mut dyn Screen, opportunity: &str) -> Result<(), Refused> {
        let url = Self::url(world, &format!("opportunities({opportunity})"));
        ask(world, WHO, Method::DELETE, url, None).map(drop)
    }
}

/// The status reason of a stage: Dataverse has no free stage names on the opportunity (dataverse.md section 6).
fn status(stage: &Stage) -> Value {
    match stage {
        Stage::OnHold => json!(2),
        Stage::Named(name) if name.eq_ignore_ascii_case("on hold") => json!(2),
        Stage::Active | Stage::Named(_) => json!(1),
    }
}

fn put(body: &mut Value, field: &str, value: Option<Value>) {
    if let Some(value) = value {
        body[field] = value;
    }
}

/// A text inside quotes of an `OData` literal.
fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

/// The value of the choice column. Assumed: no public source lists the numbers.
fn help_value(help: Help) -> i64 {
    match help {
        Help::WorkloadSpecificValueProposition => 299_600_000,
        Help::CustomerTechnicalArchitecture => 299_600_001,
        Help::ProofOfConceptOrDemo => 299_600_002,
        Help::QuotesOrLicensing => 299_600_003,
        Help::PostSalesCustomerSuccess => 299_600_004,
        Help::GeneralOrOther => 299_600_005,
    }
}
