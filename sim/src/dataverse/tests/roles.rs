//! What security roles allow, and one user in the name of another.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOBODY, Org, ROOT};
use crate::dataverse::access::Roles;
use crate::dataverse::expand;
use crate::dataverse::filter::bind::bind;
use crate::dataverse::filter::operator::{Asking, Scope};
use crate::dataverse::filter::parse::{Aliases, filter};
use crate::dataverse::model::Model;
use crate::dataverse::projection::Projection;
use crate::dataverse::sort::Order;
use crate::dataverse::store::Store;
use crate::identity::Role;

impl Org {
    fn id_of_user(&self) -> String {
        self.get("WhoAmI").json()["UserId"].as_str().unwrap().to_owned()
    }

    fn someone(&self, name: &str, roles: &[Role]) -> Self {
        self.ground.authority.put_user(name, roles);
        self.as_user(name)
    }
}

#[test]
fn each_role_may_do_its_part() {
    let org = Org::new();
    let endpoint = json!({"name": "e", "contract": 8, "authtype": 4, "url": "https://x.example", "authvalue": "k"});
    let user = format!("systemusers({})", org.id_of_user());
    let deal = json!({"name": "d"});
    let ask = |org: &Org| {
        [
            org.post("opportunities", &deal).status.as_u16(),
            org.get("opportunities").status.as_u16(),
            org.post("serviceendpoints", &endpoint).status.as_u16(),
            org.get("serviceendpoints").status.as_u16(),
            org.patch(&user, &json!({"title": "x"})).status.as_u16(),
            org.get("WhoAmI").status.as_u16(),
        ]
    };
    assert_eq!(ask(&org), [204, 200, 204, 200, 204, 200]);
    assert_eq!(
        ask(&org.someone("maker", &[Role::SystemCustomizer])),
        [204, 200, 204, 200, 403, 200]
    );
    let seller = org.as_user("seller");
    assert_eq!(ask(&seller), [204, 200, 403, 403, 403, 200]);
    let refused = seller.post("serviceendpoints", &endpoint);
    assert_eq!(refused.fault(), (403, "0x80040220".into()));
    assert!(refused.text.contains("prvCreateServiceEndpoint"), "{}", refused.text);
    let seller = org.someone("seller", &[]);
    assert_eq!(
        ask(&seller),
        [403, 403, 403, 403, 403, 200],
        "somebody who lost all roles"
    );
    assert_eq!(org.as_user("partner").get("WhoAmI").fault(), (403, "0x80072560".into()));
}

#[test]
fn a_query_leads_to_no_table_that_the_role_may_not_read() {
    let org = Org::new();
    let seller = org.as_user("seller");
    let message = org.get("sdkmessages?$filter=name%20eq%20'Update'&$select=name").json();
    let message = message["value"][0]["sdkmessageid"].as_str().unwrap().to_owned();
    let collection = "sdkmessageid_sdkmessageprocessingstep";
    let fetch = "<fetch><entity name='sdkmessage'><link-entity name='sdkmessageprocessingstep' from='sdkmessageid' \
                 to='sdkmessageid' link-type='outer'><attribute name='name'/></link-entity></entity></fetch>";
    let fetch = fetch.replace(' ', "%20").replace('<', "%3C").replace('>', "%3E");
    for path in [
        format!("sdkmessages?$expand={collection}($select=name)"),
        format!("sdkmessages?$filter={collection}/any(s:s/stage%20eq%2040)"),
        format!("sdkmessages({message})?$expand={collection}"),
        format!("sdkmessages({message})/{collection}"),
        format!("sdkmessages({message})/{collection}/$count"),
        format!("sdkmessages({message})/{collection}/$ref"),
        format!("sdkmessages?fetchXml={fetch}"),
    ] {
        let open = org.get(&path);
        assert_eq!(open.status, StatusCode::OK, "{path}: {}", open.text);
        let refused = seller.get(&path);
        assert_eq!(refused.fault(), (403, "0x80040220".into()), "{path}");
        assert!(
            refused.text.contains("prvReadSdkMessageProcessingStep"),
            "{}",
            refused.text
        );
    }
    assert_eq!(seller.get("sdkmessages?$select=name").status, StatusCode::OK);
    let counted = "RetrieveTotalRecordCount(EntityNames=['serviceendpoint'])";
    assert_eq!(org.get(counted).status, StatusCode::OK);
    assert_eq!(seller.get(counted).fault(), (403, "0x80040220".into()));
}

#[test]
fn a_lookup_leads_to_no_table_that_the_role_may_not_read() {
    let store = Store::new(Model::standard());
    let of = |roles: &[Roles]| Asking {
        roles: roles.to_vec(),
        ..Asking::at(jiff::Timestamp::UNIX_EPOCH)
    };
    let aliases = Aliases::new();
    // No table that a salesperson may read has a lookup to one that they may not, so this begins behind the door.
    let outcomes = |asking: &Asking| {
        let table = store.model().expect("sdkmessageprocessingstep");
        let scope = Scope {
            store: &store,
            asking,
            table,
        };
        let filter = filter("eventhandler_serviceendpoint/name eq 'e'", &aliases).unwrap();
        let expand = expand::read("eventhandler_serviceendpoint").unwrap();
        [
            bind(scope, &filter).err(),
            Order::read(scope, "eventhandler_serviceendpoint/name").err(),
            Projection::with(scope, None, &expand, &aliases).err(),
        ]
    };
    assert_eq!(
        outcomes(&of(&[Roles::SALESPERSON])).map(|fault| fault.unwrap().status_and_code().1),
        ["0x80040220"; 3]
    );
    assert_eq!(outcomes(&of(&[])), [const { None }; 3]);
}

#[test]
fn a_role_is_given_and_taken_by_a_link() {
    let org = Org::new();
    let partner = org.as_user("partner");
    let users = org.get("systemusers?$filter=fullname%20eq%20'partner'").json();
    let id = users["value"][0]["systemuserid"].as_str().unwrap();
    let roles = org.get("roles?$filter=name%20eq%20'Salesperson'").json();
    let role = roles["value"][0]["roleid"].as_str().unwrap();
    let link = format!("systemusers({id})/systemuserroles_association/$ref");
    assert_eq!(
        org.post(&link, &json!({"@odata.id": format!("{ROOT}roles({role})")}))
            .status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(partner.get("opportunities").status, StatusCode::OK);
    let link = format!("systemusers({id})/systemuserroles_association({role})/$ref");
    assert_eq!(
        org.send(&Method::DELETE, &link, &[], &Value::Null).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(partner.get("opportunities").status, StatusCode::FORBIDDEN);
}

#[test]
fn rows_are_written_in_the_name_of_another_user() {
    let org = Org::new();
    let (me, seller) = (org.id_of_user(), org.as_user("seller").id_of_user());
    let found = org.get(&format!("systemusers({seller})")).json();
    let object = found["azureactivedirectoryobjectid"].as_str().unwrap().to_owned();
    for header in [("mscrmcallerid", seller.as_str()), ("callerobjectid", object.as_str())] {
        let made = org.send(&Method::POST, "opportunities", &[header], &json!({"name": "d"}));
        let path = made.header("odata-entityid").strip_prefix(ROOT).unwrap().to_owned();
        let row = org.get(&path).json();
        assert_eq!(
            (&row["_createdby_value"], &row["_ownerid_value"]),
            (&json!(seller), &json!(seller))
        );
        assert_eq!(row["_createdonbehalfby_value"], json!(me));
        let who = org.send(&Method::GET, "WhoAmI", &[header], &Value::Null);
        assert_eq!(who.json()["UserId"], json!(seller));
        let hidden = org.send(&Method::GET, "serviceendpoints", &[header], &Value::Null);
        assert_eq!(hidden.fault(), (403, "0x80040220".into()), "what both may do counts");
    }
    let stranger = [("mscrmcallerid", NOBODY)];
    assert_eq!(
        org.send(&Method::GET, "WhoAmI", &stranger, &Value::Null).fault(),
        (404, "0x80040217".into())
    );
    let garbage = [("mscrmcallerid", "me")];
    assert_eq!(
        org.send(&Method::GET, "WhoAmI", &garbage, &Value::Null).fault(),
        (400, "0x80040203".into())
    );
    let seller = org.as_user("seller");
    let mine = [("mscrmcallerid", me.as_str())];
    assert_eq!(
        seller.send(&Method::GET, "WhoAmI", &mine, &Value::Null).fault(),
        (403, "0x80048405".into())
    );
}

#[test]
fn a_row_is_not_given_to_somebody_who_may_not_read_it() {
    let org = Org::new();
    let users = org.get("systemusers?$filter=fullname%20eq%20'partner'").json();
    let owner = format!("/systemusers({})", users["value"][0]["systemuserid"].as_str().unwrap());
    let body = json!({"name": "d", "ownerid@odata.bind": owner});
    assert_eq!(org.post("opportunities", &body).fault(), (403, "0x80040231".into()));
}

#[test]
fn duplicates_are_looked_for_when_a_request_asks_for_it() {
    let org = Org::new();
    let one = org.made("accounts", &json!({"name": "Contoso"}));
    let look = [("mscrm.suppressduplicatedetection", "false")];
    let same = json!({"name": "CONTOSO"});
    let refused = org.send(&Method::POST, "accounts", &look, &same);
    assert_eq!(refused.fault(), (500, "0x80040333".into()));
    assert_eq!(
        org.send(&Method::PATCH, &one, &look, &same).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        org.post("accounts", &same).status,
        StatusCode::NO_CONTENT,
        "off by default"
    );
    let suppress = [("mscrm.suppressduplicatedetection", "true")];
    assert_eq!(
        org.send(&Method::POST, "accounts", &suppress, &same).status,
        StatusCode::NO_CONTENT
    );
}
