//! The control port: what it changes, and what it says when it cannot.

use super::*;

/// All systems, a control port, and a token of the connector's.
fn everything() -> (Served, String, String, String) {
    let settings = ServeSettings {
        clock: ServeClock::Manual(default_start()),
        ..ServeSettings::default()
    };
    let served = serve(&settings).unwrap();
    let (base, control) = (served.bases().of(Site::PartnerCenter), served.control().to_owned());
    let token = served.token("connector", Site::PartnerCenter, "/").unwrap();
    (served, base, control, token)
}

/// A GET on the list of referrals; an empty answer when the connection ended without one.
fn list(base: &str, token: &str) -> String {
    let mut socket = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
    let head = format!("authorization: Bearer {token}\r\nconnection: close\r\n\r\n");
    write!(socket, "GET /v1.0/engagements/referrals HTTP/1.1\r\nhost: x\r\n{head}").unwrap();
    let mut answer = String::new();
    // A connection that is cut may also say so.
    drop(socket.read_to_string(&mut answer));
    answer
}

const SHARE: &str = "POST /control/microsoft\n{\"act\":\"share\",\"name\":\"Deal\",\"customer\":{\"name\":\"Fabrikam\",\
                     \"country\":\"US\"},\"currency\":\"USD\",\"closing\":\"2026-06-30T00:00:00Z\",\"value\":5,\
                     \"solutions\":[{\"id\":\"SOL-1\",\"name\":\"One\"}]}";

#[test]
fn everything_that_microsoft_does_can_be_asked_for_over_the_control_port() {
    let (_served, base, control, token) = everything();
    let act = |body: &str| {
        let (line, answer) = say(&control, &format!("POST /control/microsoft\n{body}"));
        assert_eq!(line, "HTTP/1.1 200 OK", "{body}: {answer}");
        answer.split('"').nth(3).unwrap().to_owned()
    };
    let deal = |more: &str| {
        let start = SHARE.split_once('\n').unwrap().1.strip_suffix('}').unwrap();
        act(&format!("{start}{more}}}"))
    };
    let shared = deal("");
    act(&format!(
        "{{\"act\":\"edit\",\"referral\":\"{shared}\",\"changes\":{{\"/details/dealValue\":77123,\
         \"/details/closingDateTime\":\"2026-07-01T00:00:00Z\"}}}}"
    ));
    act(&format!(
        "{{\"act\":\"set-msx-id\",\"engagement\":\"{shared}\",\"id\":\"7-ABC\"}}"
    ));
    act(&format!(
        "{{\"act\":\"add-team-member\",\"engagement\":\"{shared}\",\"member\":{{\"firstName\":\"Mia\",\
         \"lastName\":\"Soft\",\"email\":\"mia@microsoft.example\"}}}}"
    ));
    for from in ["marketplace", "marketing", "sales"] {
        deal(&format!(",\"lead\":\"{from}\""));
    }
    let (line, refused) = say(
        &control,
        "POST /control/microsoft\n{\"act\":\"share\",\"name\":\"x\",\"colour\":1}",
    );
    assert!(line.contains("400") && refused.contains("colour"), "{refused}");
    let expire = format!("{{\"act\":\"let-expire\",\"referral\":\"{shared}\"}}");
    act(&expire);
    let (line, refused) = say(&control, &format!("POST /control/microsoft\n{expire}"));
    assert!(line.contains("409") && refused.contains("does not wait"), "{refused}");
    let stored = say(&control, "GET /control/state?site=partner-center").1;
    for part in [
        "77123",
        "2026-07-01T00:00:00Z",
        "7-ABC",
        "mia@microsoft.example",
        "\"Expired\"",
        "\"Direct\"",
        "\"MarketingQualified\"",
    ] {
        assert!(stored.contains(part), "{part}");
    }
    assert!(list(&base, &token).contains("77123"));
}

#[test]
fn a_fault_on_webhooks_is_added_over_the_control_port_and_the_book_of_deliveries_tells() {
    let (url, received) = receiver(&[202, 202, 202]);
    let (served, base, control, _) = everything();
    let token = served
        .token("connector", Site::PartnerCenter, "/webhooks/v1/registration")
        .unwrap();
    let registration = format!("{{\"WebhookUrl\":\"{url}\",\"WebhookEvents\":[\"referral-created\"]}}");
    let request = format!(
        "POST /webhooks/v1/registration HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: \
         application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{registration}",
        registration.len()
    );
    let mut socket = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let (line, added) = say(
        &control,
        "POST /control/faults\n{\"event\":\"referral-created\",\"fate\":\"lose-request\"}",
    );
    assert!(
        line.contains("201") && added.contains("\"on\":\"deliveries\""),
        "{added}"
    );
    say(
        &control,
        "POST /control/faults\n{\"on\":\"deliveries\",\"skip\":1,\"fate\":{\"duplicate\":\"1s\"}}",
    );
    say(&control, SHARE);
    say(&control, "POST /control/clock\n{\"advance\":\"10s\"}");
    assert_eq!(received.try_iter().count(), 0);
    let waiting = say(&control, "GET /control/deliveries?state=waiting").1;
    assert!(
        waiting.contains("lost on the way") && waiting.contains("\"status\":null"),
        "{waiting}"
    );
    say(&control, "POST /control/clock\n{\"advance\":\"2m\"}");
    assert_eq!(received.try_iter().count(), 1);
    say(&control, SHARE);
    say(&control, "POST /control/clock\n{\"advance\":\"20s\"}");
    assert_eq!(received.try_iter().count(), 2);
    let delivered = say(
        &control,
        "GET /control/deliveries?state=delivered&event=referral-created&after=1",
    )
    .1;
    assert!(
        delivered.contains("\"number\":2") && !delivered.contains("\"number\":1,"),
        "{delivered}"
    );
}

#[test]
fn what_is_asked_wrong_about_deliveries_is_told() {
    let (_served, _, control, _) = everything();
    for (request, part) in [
        ("GET /control/deliveries?state=late", "waiting, delivered or offline"),
        ("GET /control/deliveries?colour=red", "limit, after, state, event"),
        (
            "POST /control/faults\n{\"on\":\"calls\",\"event\":\"x\",\"fate\":\"lose-reply\"}",
            "only webhooks have one",
        ),
    ] {
        let (line, refused) = say(&control, request);
        assert!(line.contains("400") && refused.contains(part), "{refused}");
    }
}

#[test]
fn a_fault_is_added_over_the_control_port_and_the_journal_names_it() {
    let (_served, base, control, token) = everything();
    let add = |fate: &str| {
        say(
            &control,
            &format!("POST /control/faults\n{{\"site\":\"partner-center\",\"fate\":{fate}}}"),
        )
    };
    let limited = r#"{"answer":{"status":429,"headers":{"retry-after":"5"},"body":{"statusCode":429}}}"#;
    assert_eq!(add(limited).0, "HTTP/1.1 201 Created");
    let answer = list(&base, &token);
    assert!(
        answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 5"),
        "{answer}"
    );
    add("\"lose-reply\"");
    assert_eq!(list(&base, &token), "");
    assert!(list(&base, &token).starts_with("HTTP/1.1 200"));
    let journal = say(&control, "GET /control/journal").1;
    assert!(
        journal.contains(r#""status":429,"who":"connector","fault":"fault 1""#),
        "{journal}"
    );
    assert!(
        journal.contains(r#""status":null,"who":"connector","fault":"fault 2""#),
        "{journal}"
    );
    assert!(journal.contains(r#""total":3"#), "{journal}");
    assert!(say(&control, "GET /control/faults").1.contains(r#""timesLeft":0"#));
    assert_eq!(say(&control, "DELETE /control/faults/9").0, "HTTP/1.1 404 Not Found");
    assert_eq!(say(&control, "DELETE /control/faults").1, r#"{"removed":2}"#);
}

#[test]
fn a_whole_state_is_dumped_reset_and_loaded_over_the_control_port() {
    let (_served, base, control, token) = everything();
    let (line, shared) = say(&control, SHARE);
    assert_eq!(line, "HTTP/1.1 200 OK", "{shared}");
    let dump = say(&control, "GET /control/state?site=partner-center").1;
    assert!(dump.contains("\"Deal\""));
    assert_eq!(say(&control, "POST /control/reset\n{\"seed\":7}").0, "HTTP/1.1 200 OK");
    assert!(list(&base, &token).contains("\"value\":[]"));
    let (line, loaded) = say(&control, &format!("PUT /control/state\n{dump}"));
    assert_eq!((line.as_str(), loaded.as_str()), ("HTTP/1.1 200 OK", r#"{"loaded":2}"#));
    assert_eq!(say(&control, "GET /control/state?site=partner-center").1, dump);
    assert!(list(&base, &token).contains("\"Deal\""));
    let body = "{\"scope\":{\"locations\":[\"L1\"]},\"email\":\"p@x.example\",\"secondFactor\":false}";
    say(&control, &format!("PUT /control/users/partner\n{body}"));
    let whole = say(&control, "GET /control/state").1;
    assert!(whole.contains("OpportunityStage") && whole.contains("transactioncurrency"));
    say(&control, "PUT /control/users/partner\n{\"scope\":\"global\"}");
    say(&control, "PUT /control/users/stranger\n{}");
    say(&control, "POST /control/reset");
    let (line, loaded) = say(&control, &format!("PUT /control/state\n{whole}"));
    assert_eq!(line, "HTTP/1.1 200 OK", "{loaded}");
    assert_eq!(say(&control, "GET /control/state").1, whole);
    let wrong = "PUT /control/state\n{\"rows\":[{\"site\":\"entra\",\"table\":\"t\",\"id\":\"i\",\"fields\":{}}]}";
    let (line, refused) = say(&control, wrong);
    assert!(line.contains("400") && refused.contains("/rows/0/site"), "{refused}");
    let (line, refused) = say(&control, "PUT /control/state\n{\"users\":[{\"roles\":[]}]}");
    assert!(line.contains("400") && refused.contains("/users/0/name"), "{refused}");
}

#[test]
fn roles_and_tokens_change_over_the_control_port_and_errors_say_what_to_do() {
    let (_served, base, control, token) = everything();
    say(&control, "PUT /control/users/connector\n{\"roles\":[]}");
    assert!(list(&base, &token).starts_with("HTTP/1.1 403"));
    say(
        &control,
        "PUT /control/users/connector\n{\"roles\":[\"referrals-admin\"]}",
    );
    say(&control, "DELETE /control/users/connector/tokens");
    assert!(list(&base, &token).starts_with("HTTP/1.1 401"));
    let issued = say(
        &control,
        "POST /control/users/connector/tokens\n{\"site\":\"partner-center\"}",
    )
    .1;
    let token = issued.split('"').nth(3).unwrap();
    assert!(list(&base, token).starts_with("HTTP/1.1 200"));
    for (request, status, part) in [
        (
            "PUT /control/users/x\n{\"roles\":[\"king\"]}",
            "400",
            "unknown variant `king`",
        ),
        ("PUT /control/users/x\n{\"name\":\"y\"}", "400", "`x` as in the path"),
        (
            "PUT /control/users/x\n{\"scope\":\"moon\"}",
            "400",
            "unknown variant `moon`",
        ),
        (
            "POST /control/users/nobody/tokens\n{\"site\":\"partner-center\"}",
            "404",
            "GET /control/users",
        ),
        ("POST /control/faults\n{\"fate\":\"explode\"}", "400", "lose-reply"),
        (
            "POST /control/faults\n{\"fate\":{\"delay\":\"9d\"}}",
            "400",
            "/fate/delay",
        ),
        (
            "POST /control/microsoft\n{\"act\":\"accept\",\"engagement\":\"x\"}",
            "404",
            "GET /control/state",
        ),
        ("GET /control/everything", "404", "GET /control/openapi.json"),
        ("PATCH /control/clock", "404", "POST /control/clock"),
    ] {
        let (line, body) = say(&control, request);
        assert!(line.contains(status) && body.contains(part), "{request}: {line} {body}");
        assert!(body.contains("\"where\"") && body.contains("\"help\""), "{body}");
    }
    assert!(
        say(&control, "GET /control/openapi.json")
            .1
            .contains("\"openapi\":\"3.0.3\"")
    );
}
