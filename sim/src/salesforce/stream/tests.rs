//! Streaming, in process: nothing waits here.

use serde_json::{Value, json};

use crate::salesforce::trial::{Reply, Trial};

const URL: &str = "/cometd/60.0";

fn talk(trial: &Trial, messages: &Value) -> Reply {
    trial.send("POST", URL, messages, &[])
}

/// The answers to one request.
fn answers(trial: &Trial, messages: &Value) -> Vec<Value> {
    let reply = talk(trial, messages);
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json().as_array().unwrap().clone()
}

fn handshake(trial: &Trial) -> String {
    let hello = json!([{"channel": "/meta/handshake", "version": "1.0", "id": "1",
        "supportedConnectionTypes": ["websocket", "long-polling"]}]);
    let reply = talk(trial, &hello);
    assert!(
        reply.headers["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with("BAYEUX_BROWSER=")
    );
    let answer = reply.json()[0].clone();
    assert_eq!(
        (&answer["successful"], &answer["ext"]["replay"]),
        (&json!(true), &json!(true)),
        "{answer}"
    );
    answer["clientId"].as_str().unwrap().to_owned()
}

fn subscribe(trial: &Trial, client: &str, channel: &str, replay: Option<i64>) -> Value {
    let mut message = json!({"channel": "/meta/subscribe", "clientId": client, "subscription": channel, "id": "2"});
    if let Some(replay) = replay {
        message["ext"] = json!({"replay": {channel: replay}});
    }
    answers(trial, &json!([message]))[0].clone()
}

/// What there is to tell, the answer to the connect itself left out.
fn connect(trial: &Trial, client: &str) -> Vec<Value> {
    let message =
        json!([{"channel": "/meta/connect", "clientId": client, "connectionType": "long-polling", "id": "3"}]);
    let mut told = answers(trial, &message);
    let last = told.pop().unwrap();
    assert_eq!(
        (&last["channel"], &last["successful"]),
        (&json!("/meta/connect"), &json!(true)),
        "{last}"
    );
    assert_eq!(
        last["advice"],
        json!({"interval": 0, "timeout": 110_000, "reconnect": "retry"})
    );
    told
}

#[test]
fn change_events_tell_what_changed_by_whom_and_through_which_client() {
    let trial = Trial::new();
    let client = handshake(&trial);
    assert_eq!(
        subscribe(&trial, &client, "/data/OpportunityChangeEvent", None)["successful"],
        true
    );
    let deal = trial.deal("Seats", &json!({"Amount": 5, "NextStep": "call"}));
    trial.create("Account", &json!({"Name": "of another channel"}));
    let path = format!("/services/data/v61.0/sobjects/Opportunity/{deal}");
    let named = [("sforce-call-options", "client=CoSell, defaultNamespace=x")];
    trial.wait(5);
    trial.send("PATCH", &path, &json!({"Amount": 7, "NextStep": null}), &named);
    trial.delete("Opportunity", &deal);
    let told = connect(&trial, &client);
    assert_eq!(told.len(), 3, "{told:?}");
    let header = |at: usize| told[at]["data"]["payload"]["ChangeEventHeader"].clone();
    assert_eq!(
        (&header(0)["changeType"], &header(0)["recordIds"]),
        (&json!("CREATE"), &json!([deal]))
    );
    assert_eq!(header(0)["changeOrigin"], "com/salesforce/api/rest/60.0");
    assert_eq!(header(1)["changeOrigin"], "com/salesforce/api/rest/61.0;client=CoSell");
    let changed = header(1)["changedFields"].as_array().unwrap().clone();
    assert!(
        changed.contains(&json!("Amount")) && changed.contains(&json!("NextStep")) && !changed.contains(&json!("Name")),
        "{changed:?}"
    );
    let update = &told[1]["data"]["payload"];
    assert_eq!(
        (&update["Amount"], &update["NextStep"], update.get("Name")),
        (&json!(7.0), &Value::Null, None)
    );
    assert_eq!(update["LastModifiedDate"], "2026-01-05T09:00:05.000Z");
    let user = trial
        .query("SELECT Id FROM User WHERE Username = 'connector@contoso.example'")
        .json();
    assert_eq!(header(1)["commitUser"], user["records"][0]["Id"]);
    assert_eq!(
        (
            &header(2)["changeType"],
            told[2]["data"]["payload"].as_object().unwrap().len()
        ),
        (&json!("DELETE"), 1)
    );
    let keys: Vec<_> = (0..3).map(|at| header(at)["transactionKey"].clone()).collect();
    assert!(keys[0] != keys[1] && keys[1] != keys[2]);
    let replays: Vec<i64> = told
        .iter()
        .map(|event| event["data"]["event"]["replayId"].as_i64().unwrap())
        .collect();
    assert!(
        replays.is_sorted() && replays[1] > replays[0] + 1,
        "not contiguous in a channel: {replays:?}"
    );
    assert!(connect(&trial, &client).is_empty(), "each is told once");
}

#[test]
fn changes_that_are_alike_in_one_request_are_one_event() {
    let trial = Trial::new();
    let ids: Vec<String> = ["A", "B"]
        .iter()
        .map(|name| trial.create("Account", &json!({"Name": name})))
        .collect();
    let client = handshake(&trial);
    subscribe(&trial, &client, "/data/ChangeEvents", None);
    let record = |id: &String| json!({"attributes": {"type": "Account"}, "id": id, "Industry": "Banking"});
    let body = json!({"records": ids.iter().map(record).collect::<Vec<_>>()});
    trial.send("PATCH", "/services/data/v60.0/composite/sobjects", &body, &[]);
    let told = connect(&trial, &client);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["data"]["payload"]["ChangeEventHeader"]["recordIds"], json!(ids));
    assert_eq!(told[0]["channel"], "/data/ChangeEvents");
}

#[test]
fn what_was_taken_back_is_never_told() {
    let trial = Trial::new();
    let client = handshake(&trial);
    subscribe(&trial, &client, "/data/ChangeEvents", None);
    let body = json!({"allOrNone": true, "records": [
        {"attributes": {"type": "Account"}, "Name": "x"}, {"attributes": {"type": "Account"}}]});
    trial.send("POST", "/services/data/v60.0/composite/sobjects", &body, &[]);
    trial.post("Account", &json!({}));
    assert!(connect(&trial, &client).is_empty());
}

#[test]
fn replay_begins_where_it_is_told_to() {
    let trial = Trial::new();
    for name in ["one", "two", "three"] {
        trial.create("Account", &json!({"Name": name}));
    }
    let channel = "/data/AccountChangeEvent";
    let names = |replay: i64| {
        let client = handshake(&trial);
        assert_eq!(
            subscribe(&trial, &client, channel, Some(replay))["successful"],
            true,
            "{replay}"
        );
        let told = connect(&trial, &client);
        let name = |event: &Value| event["data"]["payload"]["Name"].as_str().unwrap().to_owned();
        let replays: Vec<i64> = told
            .iter()
            .map(|event| event["data"]["event"]["replayId"].as_i64().unwrap())
            .collect();
        (told.iter().map(name).collect::<Vec<_>>(), replays)
    };
    let (all, replays) = names(-2);
    assert_eq!(all, ["one", "two", "three"]);
    assert!(names(-1).0.is_empty());
    assert_eq!(names(replays[0]).0, ["two", "three"]);
    for wrong in [replays[2] + 1, 1, -7] {
        let client = handshake(&trial);
        let refused = subscribe(&trial, &client, channel, Some(wrong));
        let error = refused["error"].as_str().unwrap();
        assert!(
            error.starts_with(&format!("400::The replayId {{{wrong}}} you provided was invalid.")),
            "{error}"
        );
    }
    trial.wait(73 * 60 * 60);
    let mut trial = trial;
    trial.sign_in("connector");
    trial.create("Account", &json!({"Name": "late"}));
    let client = handshake(&trial);
    subscribe(&trial, &client, channel, Some(-2));
    assert_eq!(connect(&trial, &client).len(), 1, "72 hours are kept");
}

fn topic(name: &str, query: &str) -> Value {
    json!({"Name": name, "Query": query, "ApiVersion": 60.0, "NotifyForFields": "Referenced"})
}

#[test]
fn push_topics_tell_of_the_records_that_their_query_finds() {
    let trial = Trial::new();
    let query = "SELECT Id, Name, Owner.Name FROM Opportunity WHERE Amount > 10";
    let made = trial.create("PushTopic", &topic("BigDeals", query));
    assert!(made.starts_with("0IF"));
    assert_eq!(trial.read("PushTopic", &made)["IsActive"], true);
    let client = handshake(&trial);
    assert_eq!(subscribe(&trial, &client, "/topic/BigDeals", None)["successful"], true);
    let deal = trial.deal("Small", &json!({"Amount": 1}));
    trial.patch("Opportunity", &deal, &json!({"Amount": 11}));
    trial.patch("Opportunity", &deal, &json!({"NextStep": "not referenced"}));
    trial.patch("Opportunity", &deal, &json!({"Name": "Big"}));
    trial.delete("Opportunity", &deal);
    let told = connect(&trial, &client);
    let kinds: Vec<_> = told
        .iter()
        .map(|event| event["data"]["event"]["type"].clone())
        .collect();
    assert_eq!(kinds, ["updated", "updated", "deleted"], "{told:?}");
    assert_eq!(told[0]["channel"], "/topic/BigDeals");
    assert_eq!(told[0]["data"]["event"]["createdDate"], "2026-01-05T09:00:00.000Z");
    assert_eq!(told[2]["data"]["sobject"], json!({"Id": deal}));
    trial.patch("PushTopic", &made, &json!({"NotifyForOperationCreate": false}));
    trial.deal("Silent", &json!({"Amount": 100}));
    assert!(connect(&trial, &client).is_empty());
    trial.delete("PushTopic", &made);
    let other = handshake(&trial);
    assert_eq!(subscribe(&trial, &other, "/topic/BigDeals", None)["successful"], false);
}

#[test]
fn a_subscriber_who_stays_away_is_forgotten() {
    let trial = Trial::new();
    let client = handshake(&trial);
    trial.wait(41);
    let message = json!({"channel": "/meta/connect", "clientId": client, "connectionType": "long-polling"});
    let refused = answers(&trial, &message)[0].clone();
    assert_eq!(
        (&refused["error"], &refused["advice"]["reconnect"]),
        (&json!("403::Unknown client"), &json!("handshake"))
    );
    let client = handshake(&trial);
    let bye = json!([{"channel": "/meta/disconnect", "clientId": client}]);
    assert_eq!(answers(&trial, &bye)[0]["successful"], true);
    assert_eq!(answers(&trial, &bye)[0]["error"], "403::Unknown client");
}

#[test]
fn bad_messages_are_refused() {
    let trial = Trial::new();
    let stranger = http::Request::post("https://contoso.my.salesforce.com/cometd/60.0");
    let hello = r#"[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}]"#;
    let reply = trial.raw(stranger.body(bytes::Bytes::from(hello)).unwrap()).json()[0].clone();
    assert_eq!(
        (&reply["error"], &reply["advice"]["reconnect"]),
        (&json!("401::Authentication invalid"), &json!("none"))
    );
    for body in ["", "[", "[]", "5", "[5]", "[{}]", "{\"channel\":5}"] {
        let reply = trial.text("POST", URL, body, "application/json");
        assert_eq!(reply.fault(), (400, "JSON_PARSER_ERROR".to_owned()), "{body}");
    }
    let many = Value::Array(vec![json!({"channel": "/meta/connect"}); 101]);
    assert_eq!(talk(&trial, &many).fault().0, 400);
    assert_eq!(
        trial.send("GET", URL, &Value::Null, &[]).fault(),
        (400, "UNSUPPORTED_CONNECTION_TYPE".to_owned())
    );
    for version in ["22.0", "69.0", "x", "60"] {
        assert_eq!(
            trial
                .send("POST", &format!("/cometd/{version}"), &json!([]), &[])
                .fault()
                .0,
            404,
            "{version}"
        );
    }
    let client = handshake(&trial);
    for channel in [
        "/topic/Nothing",
        "/data/NothingChangeEvent",
        "/data/TaskChangeEvent",
        "/x",
        "",
    ] {
        assert_eq!(
            subscribe(&trial, &client, channel, None)["successful"],
            false,
            "{channel}"
        );
    }
    let generic = json!([{"channel": "/meta/subscribe", "clientId": client, "subscription": "/u/x"}]);
    assert_eq!(talk(&trial, &generic).missing().unwrap(), "channel `/u/`");
    let publish = json!([{"channel": "/topic/x", "clientId": client, "data": {}}]);
    assert_eq!(
        answers(&trial, &publish)[0]["error"],
        "403:denied_by_security_policy:publish_denied"
    );
    let sockets = json!([{"channel": "/meta/handshake", "supportedConnectionTypes": ["websocket"]}]);
    assert_eq!(answers(&trial, &sockets)[0]["successful"], false);
}
