//! The seller in Salesforce: sObject REST, as any client would (salesforce.md sections 2.2, 2.3 and 6).

use cosell_sim::site::Site;
use http::Method;
use serde_json::{Map, Value, json};

use super::{Refused, Screen, Seller, Stages, amount, ask, encode, json as body_of, no_solution};
use crate::record::{Columns, Field};
use crate::scenario::Crm;
use crate::scenario::act::{Edit, Emptied, Help, Money, NewDeal, Outcome, Stage};

/// A seller in Salesforce.
#[derive(Clone, Debug)]
pub struct SalesforceSeller {
    /// The org's stages.
    pub stages: Stages,
    /// Whether the org has several currencies: only then has an opportunity a currency of its own.
    pub multi_currency: bool,
    /// The org's names for what is configured.
    pub columns: Columns,
}

const WHO: &str = "seller";

impl SalesforceSeller {
    fn url(world: &dyn Screen, path: &str) -> String {
        format!(
            "{}/services/data/v60.0{path}",
            world.ground().bases.of(Site::Salesforce)
        )
    }

    fn insert(world: &mut dyn Screen, object: &str, body: Value) -> Result<String, Refused> {
        let url = Self::url(world, &format!("/sobjects/{object}"));
        let response = ask(world, WHO, Method::POST, url, Some(body))?;
        Ok(body_of(&response)["id"].as_str().unwrap_or_default().to_owned())
    }

    fn update(world: &mut dyn Screen, opportunity: &str, body: Value) -> Result<(), Refused> {
        let url = Self::url(world, &format!("/sobjects/Opportunity/{opportunity}"));
        ask(world, WHO, Method::PATCH, url, Some(body)).map(drop)
    }

    fn find(world: &mut dyn Screen, soql: &str) -> Result<Option<String>, Refused> {
        let url = Self::url(world, &format!("/query?q={}", encode(soql)));
        let response = ask(world, WHO, Method::GET, url, None)?;
        Ok(body_of(&response)["records"][0]["Id"].as_str().map(str::to_owned))
    }

    fn account(&self, world: &mut dyn Screen, deal: &NewDeal) -> Result<Option<String>, Refused> {
        let Some(customer) = &deal.customer else {
            return Ok(None);
        };
        let (name, postal_code) = (quoted(&customer.name), quoted(&customer.postal_code));
        let soql = format!("SELECT Id FROM Account WHERE Name = '{name}' AND BillingPostalCode = '{postal_code}'");
        if let Some(known) = Self::find(world, &soql)? {
            return Ok(Some(known));
        }
        let mut account = json!({"Name": customer.name, "BillingPostalCode": customer.postal_code});
        if let Some(country) = &customer.country {
            account[self.columns.country.as_str()] = json!(country);
        }
        Self::insert(world, "Account", account).map(Some)
    }

    fn solution(world: &mut dyn Screen, opportunity: &str, solution: &str) -> Result<(), Refused> {
        let soql = format!(
            "SELECT Id FROM Microsoft_Solution_Detail__c WHERE Solution_Identifier__c = '{}'",
            quoted(solution)
        );
        let detail = if let Some(known) = Self::find(world, &soql)? {
            known
        } else {
            let body = json!({"Name": solution, "Solution_Identifier__c": solution, "Type__c": "3P"});
            Self::insert(world, "Microsoft_Solution_Detail__c", body)?
        };
        let row = json!({"Opportunity__c": opportunity, "Solution__c": detail});
        Self::insert(world, "Microsoft_Solutions__c", row).map(drop)
    }

    fn put_currency(&self, body: &mut Value, money: Option<&Money>) {
        let Some(column) = &self.columns.currency else { return };
        // An org with one currency has no such field; any other name is a field of the operator's own.
        let has_it = self.multi_currency || column != "CurrencyIsoCode";
        let money = money.filter(|_| has_it);
        put(body, column, money.map(|money| json!(money.currency)));
    }

    fn stage<'a>(&'a self, stage: &'a Stage) -> &'a str {
        match stage {
            Stage::Active => &self.stages.active,
            Stage::OnHold => &self.stages.on_hold,
            Stage::Named(name) => name,
        }
    }
}

impl Seller for SalesforceSeller {
    fn create(&self, world: &mut dyn Screen, deal: &NewDeal) -> Result<String, Refused> {
        let account = self.account(world, deal)?;
        let mut body = json!({"Name": deal.name, "StageName": self.stage(&deal.stage)});
        put(
            &mut body,
            self.columns.of_field(Field::Closes, Crm::Salesforce),
            deal.closes.as_ref().map(|date| json!(date.to_string())),
        );
        if self.columns.of_field(Field::Closes, Crm::Salesforce) != "CloseDate" {
            // The org asks for it whatever field the operator goes by (salesforce.md section 3.4).
            let closes = deal.closes.as_ref();
            put(&mut body, "CloseDate", closes.map(|date| json!(date.to_string())));
        }
        put(&mut body, "AccountId", account.clone().map(Value::from));
        put(
            &mut body,
            &self.columns.value,
            deal.value.as_ref().map(|money| amount(money.amount)),
        );
        self.put_currency(&mut body, deal.value.as_ref());
        put(
            &mut body,
            self.columns.of_field(Field::Notes, Crm::Salesforce),
            deal.notes.as_ref().map(|notes| json!(notes)),
        );
        put(
            &mut body,
            "How_can_Microsoft_help__c",
            deal.help.map(|help| json!(help_value(help))),
        );
        put(
            &mut body,
            "Referral_visible_to_Microsoft_sellers__c",
            deal.visible.map(Value::from),
        );
        put(
            &mut body,
            "Referral_Identifier__c",
            deal.external_reference.as_ref().map(|referral| json!(referral)),
        );
        let opportunity = Self::insert(world, "Opportunity", body)?;
        if let Some(contact) = &deal.contact {
            let mut person =
                json!({"FirstName": contact.first_name, "LastName": contact.last_name, "Email": contact.email});
            put(&mut person, "AccountId", account.map(Value::from));
            let contact = Self::insert(world, "Contact", person)?;
            let role = json!({"OpportunityId": opportunity, "ContactId": contact, "IsPrimary": true});
            Self::insert(world, "OpportunityContactRole", role)?;
        }
        for solution in &deal.solutions {
            Self::solution(world, &opportunity, solution)?;
        }
        // Last, as sellers do it: sync starts when everything is there (facts section 8.4).
        if deal.sync {
            Self::update(world, &opportunity, json!({"Sync_With_Partner_Center__c": true}))?;
        }
        Ok(opportunity)
    }

    fn edit(&self, world: &mut dyn Screen, opportunity: &str, edit: &Edit) -> Result<(), Refused> {
        let mut body = Value::Object(Map::new());
        put(&mut body, "Name", edit.name.as_ref().map(|name| json!(name)));
        if let Some(money) = &edit.value {
            put(&mut body, &self.columns.value, Some(amount(money.amount)));
            self.put_currency(&mut body, Some(money));
        }
        put(
            &mut body,
            self.columns.of_field(Field::Closes, Crm::Salesforce),
            edit.closes.as_ref().map(|date| json!(date.to_string())),
        );
        put(
            &mut body,
            self.columns.of_field(Field::Notes, Crm::Salesforce),
            edit.notes.as_ref().map(|notes| json!(notes)),
        );
        put(
            &mut body,
            "StageName",
            edit.stage.as_ref().map(|stage| json!(self.stage(stage))),
        );
        put(&mut body, "Sync_With_Partner_Center__c", edit.sync.map(Value::from));
        put(
            &mut body,
            "How_can_Microsoft_help__c",
            edit.help.map(|help| json!(help_value(help))),
        );
        put(
            &mut body,
            "Referral_visible_to_Microsoft_sellers__c",
            edit.visible.map(Value::from),
        );
        for emptied in &edit.empties {
            let column = match emptied {
                Emptied::Value => self.columns.value.as_str(),
                Emptied::Closes => self.columns.of_field(Field::Closes, Crm::Salesforce),
                Emptied::Help => "How_can_Microsoft_help__c",
            };
            body[column] = Value::Null;
        }
        Self::update(world, opportunity, body)
    }

    fn add_solution(&self, world: &mut dyn Screen, opportunity: &str, solution: &str) -> Result<(), Refused> {
        Self::solution(world, opportunity, solution)
    }

    fn remove_solution(&self, world: &mut dyn Screen, opportunity: &str, solution: &str) -> Result<(), Refused> {
        let detail = Self::find(
            world,
            &format!(
                "SELECT Id FROM Microsoft_Solution_Detail__c WHERE Solution_Identifier__c = '{}'",
                quoted(solution)
            ),
        )?;
        let soql = format!(
            "SELECT Id FROM Microsoft_Solutions__c WHERE Opportunity__c = '{opportunity}' AND Solution__c = '{}'",
            detail.unwrap_or_default()
        );
        let line = Self::find(world, &soql)?.ok_or_else(|| no_solution(solution))?;
        let url = Self::url(world, &format!("/sobjects/Microsoft_Solutions__c/{line}"));
        ask(world, WHO, Method::DELETE, url, None).map(drop)
    }

    fn close(&self, world: &mut dyn Screen, opportunity: &str, outcome: Outcome) -> Result<(), Refused> {
        let stage = match outcome {
            Outcome::Won => "Closed Won",
            Outcome::Lost => "Closed Lost",
        };
        Self::update(world, opportunity, json!({"StageName": stage}))
    }

    fn reopen(&self, world: &mut dyn Screen, opportunity: &str) -> Result<(), Refused> {
        Self::update(world, opportunity, json!({"StageName": self.stages.active}))
    }

    fn delete(&self, world: &mut dyn Screen, opportunity: &str) -> Result<(), Refused> {
        let url = Self::url(world, &format!("/sobjects/Opportunity/{opportunity}"));
        ask(world, WHO, Method::DELETE, url, None).map(drop)
    }
}

fn put(body: &mut Value, field: &str, value: Option<Value>) {
    if let Some(value) = value {
        body[field] = value;
    }
}

/// A text inside quotes of a SOQL literal.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

/// The value of the picklist (partner-center.md section 3.4).
fn help_value(help: Help) -> &'static str {
    match help {
        Help::WorkloadSpecificValueProposition => "Workload Specific Value Proposition",
        Help::CustomerTechnicalArchitecture => "Customer Technical Architecture",
        Help::ProofOfConceptOrDemo => "Proof Of Concept or Demo",
        Help::QuotesOrLicensing => "Quotes or Licensing",
        Help::PostSalesCustomerSuccess => "Post Sales Customer Success",
        Help::GeneralOrOther => "General or Other",
    }
}
