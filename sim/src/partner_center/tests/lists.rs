//! Pages and filters.

use super::*;

/// All pages from a path on, as names; follows links.
fn names(desk: &Desk, path: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let answer = desk.get(&path);
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        let rows = body["value"].as_array().unwrap();
        pages.push(rows.iter().map(|row| text(&row["name"])).collect());
        assert!(pages.len() < 50, "the pages end");
        next = body["@odata.nextLink"].as_str().map(|link| {
            link.strip_prefix("https://api.partner.microsoft.com")
                .unwrap()
                .to_owned()
        });
    }
    pages
}

fn with_pages_of(size: usize) -> Desk {
    Desk::with(Settings {
        page_size: size,
        ..Settings::default()
    })
}

#[test]
fn pages_follow_one_another_in_each_order() {
    let desk = with_pages_of(2);
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(text(&desk.created(&deal(name))["id"]));
        desk.wait(SignedDuration::from_secs(1));
    }
    desk.replace(&ids[1], "/details/notes", "touched");
    assert_eq!(names(&desk, REFERRALS), [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
    let path = |order: &str| format!("{REFERRALS}?$orderby={order}");
    assert_eq!(
        names(&desk, &path("createdDateTime%20desc")),
        [vec!["e", "d"], vec!["c", "b"], vec!["a"]]
    );
    assert_eq!(
        names(&desk, &path("updatedDateTime+desc")),
        [vec!["b", "e"], vec!["d", "c"], vec!["a"]]
    );
    assert_eq!(
        names(&desk, &path("updatedDateTime")),
        [vec!["a", "c"], vec!["d", "e"], vec!["b"]]
    );
}

#[test]
fn a_page_that_is_just_full_has_no_next_link() {
    let desk = with_pages_of(2);
    desk.created(&deal("a"));
    desk.created(&deal("b"));
    let body = desk.get(REFERRALS).json();
    assert_eq!(body["@odata.count"], 2);
    assert!(body.get("@odata.nextLink").is_none());
}

#[test]
fn a_hundred_rows_are_a_page() {
    let desk = Desk::new();
    for _ in 0..101 {
        desk.created(&deal("a"));
    }
    let sizes: Vec<usize> = names(&desk, REFERRALS).iter().map(Vec::len).collect();
    assert_eq!(sizes, [100, 1]);
}

#[test]
fn top_is_counted_over_all_pages() {
    let desk = with_pages_of(2);
    for name in ["a", "b", "c", "d"] {
        desk.created(&deal(name));
    }
    assert_eq!(
        names(&desk, &format!("{REFERRALS}?$top=3")),
        [vec!["a", "b"], vec!["c"]]
    );
    assert_eq!(names(&desk, &format!("{REFERRALS}?$top=2")), [vec!["a", "b"]]);
    assert_eq!(names(&desk, &format!("{REFERRALS}?$top=0")), [Vec::<String>::new()]);
}

#[test]
fn a_row_that_is_updated_while_somebody_pages_moves_and_is_not_seen_twice() {
    let desk = with_pages_of(1);
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(text(&desk.created(&deal(name))["id"]));
        desk.wait(SignedDuration::from_secs(1));
    }
    let first = desk.get(&format!("{REFERRALS}?$orderby=updatedDateTime%20desc")).json();
    assert_eq!(first["value"][0]["name"], "c");
    desk.replace(&ids[0], "/details/notes", "touched");
    let link = text(&first["@odata.nextLink"]);
    let rest = names(&desk, link.strip_prefix("https://api.partner.microsoft.com").unwrap());
    assert_eq!(rest, [vec!["b"]]);
}

#[test]
fn the_plain_list_holds_own_referrals_and_the_engagement_filter_holds_both() {
    let desk = Desk::new();
    let own = desk.created(&deal("own"));
    desk.created(&invitation("microsofts", &own["engagementId"]));
    assert_eq!(names(&desk, REFERRALS), [vec!["own"]]);
    let engagement = text(&own["engagementId"]);
    for quote in ["", "'"] {
        let path = format!("{REFERRALS}?$filter=engagementId%20eq%20{quote}{engagement}{quote}");
        assert_eq!(names(&desk, &path), [vec!["own", "microsofts"]]);
    }
    // The link that each referral carries, its blanks escaped as any client must.
    let link = text(&own["links"]["relatedReferrals"]["uri"]).replace(' ', "%20");
    let path = link.strip_prefix("https://api.partner.microsoft.com").unwrap();
    assert_eq!(names(&desk, path), [vec!["own", "microsofts"]]);
    let all = Desk::with(Settings {
        list_shows_related: true,
        ..Settings::default()
    });
    let own = all.created(&deal("own"));
    all.created(&invitation("microsofts", &own["engagementId"]));
    assert_eq!(names(&all, REFERRALS), [vec!["own", "microsofts"]]);
}

#[test]
fn filters_choose_by_state_and_team() {
    let desk = with_pages_of(1);
    desk.shared(from_microsoft("new"));
    let mut body = deal("mine");
    body["team"] = json!([{"email": "r2d2@contoso.com"}]);
    desk.created(&body);
    let chosen = |filter: &str| names(&desk, &format!("{REFERRALS}?$filter={}", filter.replace(' ', "%20")));
    assert_eq!(chosen("status eq 'New' and substatus eq 'Pending'"), [vec!["new"]]);
    assert_eq!(
        chosen("(type eq 'Shared' and direction eq 'Incoming')"),
        [vec!["new"], vec!["mine"]]
    );
    assert_eq!(chosen("team/any(t:t/email eq 'r2d2@contoso.com')"), [vec!["mine"]]);
    assert_eq!(chosen("status eq 'Closed'"), [Vec::<String>::new()]);
    assert_eq!(chosen("engagementId eq 'nothing'"), [Vec::<String>::new()]);
}

#[test]
fn the_count_is_of_the_page_or_of_all() {
    for (meaning, counted) in [(CountMeaning::Page, 2), (CountMeaning::Total, 3)] {
        let desk = Desk::with(Settings {
            page_size: 2,
            count_meaning: meaning,
            ..Settings::default()
        });
        for name in ["a", "b", "c"] {
            desk.created(&deal(name));
        }
        assert_eq!(desk.get(REFERRALS).json()["@odata.count"], counted);
    }
}

#[test]
fn what_the_list_cannot_do_is_refused_by_name() {
    let desk = Desk::new();
    for (query, missing) in [
        ("$expand=team", "query option `$expand`"),
        ("$search=x", "query option `$search`"),
        ("$select=details/notes", "`$select` path `details/notes`"),
        ("$orderby=name", "`$orderby` field `name`"),
        (
            "$filter=updatedDateTime%20gt%202026-01-01T00:00:00Z",
            "filter operator `gt`",
        ),
        ("$skiptoken=e30&$top=1", "query options beside `$skiptoken`"),
    ] {
        assert_eq!(desk.get(&format!("{REFERRALS}?{query}")).status, 501, "{query}");
        assert_eq!(desk.refusals()[0].missing, missing);
    }
    for query in [
        "$top=-1",
        "$top=x",
        "$filter=status",
        "$skiptoken=nonsense",
        "$skiptoken=",
        "$skip=-1",
        "$count=maybe",
        "$select=",
        "$select=id,closeDate",
        "$filter=closeDate%20eq%20'2026-01-01'",
    ] {
        assert_eq!(desk.get(&format!("{REFERRALS}?{query}")).status, 400, "{query}");
    }
}

#[test]
fn rows_can_be_skipped_counted_and_cut_to_some_fields() {
    let desk = with_pages_of(2);
    for name in ["a", "b", "c", "d"] {
        desk.created(&deal(name));
    }
    assert_eq!(
        names(&desk, &format!("{REFERRALS}?$skip=1")),
        [vec!["b", "c"], vec!["d"]]
    );
    assert_eq!(
        names(
            &desk,
            &format!("{REFERRALS}?$skip=3&$top=5&$orderby=createdDateTime%20desc")
        ),
        [vec!["a"]]
    );
    assert_eq!(names(&desk, &format!("{REFERRALS}?$skip=9")), [Vec::<String>::new()]);
    let counted = desk.get(&format!("{REFERRALS}?$count=true&$skip=1")).json();
    assert_eq!(counted["@odata.count"], 4);
    let uncounted = desk.get(&format!("{REFERRALS}?$count=false")).json();
    assert!(uncounted.get("@odata.count").is_none());
    let cut = desk
        .get(&format!("{REFERRALS}?$select=status,id,customerProfile"))
        .json();
    let fields: Vec<&String> = cut["value"][0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["id", "status", "customerProfile"]);
    let next = text(&cut["@odata.nextLink"]);
    let second = desk
        .get(next.strip_prefix("https://api.partner.microsoft.com").unwrap())
        .json();
    assert_eq!(second["value"][1].as_object().unwrap().len(), 3);
}

/// Two dozen deals that differ in what filters ask, and the time of change of each when it was made.
fn varied(desk: &Desk) -> Vec<String> {
    let mut moments = Vec::new();
    for number in 0..24_usize {
        let mut body = deal(&format!("n{number:02}"));
        body["customerProfile"]["address"]["country"] = Value::from(["US", "DE", "FR"][number % 3]);
        body["type"] = Value::from(["Shared", "Independent"][number % 2]);
        if number % 4 == 0 {
            body["team"] = json!([{"email": format!("e{}@contoso.com", number % 8)}]);
        }
        let made = desk.created(&body);
        if number % 5 == 0 {
            desk.created(&invitation("theirs", &made["engagementId"]));
        }
        desk.wait(SignedDuration::from_secs(1));
        moments.push(text(&made["updatedDateTime"]));
        if number % 6 == 1 {
            let ending = ["Won", "Lost"][number % 4 / 2];
            let states = json!([{"op": "replace", "path": "/status", "value": "Closed"},
                                {"op": "replace", "path": "/substatus", "value": ending}]);
            assert_eq!(desk.patch(&text(&made["id"]), &states).status, 204);
        }
    }
    moments
}

/// Every answer of the indexes is the answer of looking at each row.
#[test]
fn indexes_answer_what_a_scan_answers() {
    type Holds<'a> = &'a dyn Fn(&Value) -> bool;
    let desk = Desk::with(Settings {
        page_size: 3,
        undocumented_filters: true,
        ..Settings::default()
    });
    let moments = varied(&desk);
    let between = format!(
        "updatedDateTime ge {} and updatedDateTime lt {}",
        moments[4], moments[15]
    );
    let is = |row: &Value, pointer: &str, word: &str| row.pointer(pointer).is_some_and(|value| value == word);
    let in_country = |row: &Value, code: &str| is(row, "/customerProfile/address/country", code);
    let filters: [(&str, Holds<'_>); 8] = [
        ("status eq 'Closed'", &|row| is(row, "/status", "Closed")),
        ("status ne 'Closed' and type eq 'Independent'", &|row| {
            !is(row, "/status", "Closed") && is(row, "/type", "Independent")
        }),
        (
            "substatus eq 'Won' or customerProfile/address/country eq 'DE'",
            &|row| is(row, "/substatus", "Won") || in_country(row, "DE"),
        ),
        (
            "customerProfile/address/country eq 'FR' and not (type eq 'Shared')",
            &|row| in_country(row, "FR") && !is(row, "/type", "Shared"),
        ),
        ("team/any(t:t/email eq 'e4@contoso.com')", &|row| {
            is(row, "/team/0/email", "e4@contoso.com")
        }),
        ("email eq 'nobody@contoso.com'", &|_| false),
        ("customerProfile/address/country eq null", &|_| false),
        (&between, &|row| {
            let at = text(&row["updatedDateTime"]);
            moments[4] <= at && at < moments[15]
        }),
    ];
    for (filter, holds) in filters {
        for order in ["createdDateTime", "updatedDateTime"] {
            compare_with_scan(&desk, filter, order, holds);
        }
    }
}

fn compare_with_scan(desk: &Desk, filter: &str, order: &str, holds: &dyn Fn(&Value) -> bool) {
    let rows = desk.it.rows().into_iter().map(|row| Value::Object(row.fields));
    let mut expected: Vec<(String, String)> = rows
        .filter(|row| row["organizationId"] != "msft" && holds(row))
        .map(|row| (text(&row[order]), text(&row["name"])))
        .collect();
    expected.sort();
    let mut expected: Vec<String> = expected.into_iter().map(|(_, name)| name).collect();
    for direction in ["", "%20desc"] {
        let path = format!(
            "{REFERRALS}?$filter={}&$orderby={order}{direction}",
            filter.replace(' ', "%20")
        );
        assert_eq!(names(desk, &path).concat(), expected, "{filter} by {order}{direction}");
        let counted = desk.get(&format!("{path}&$count=true")).json();
        assert_eq!(counted["@odata.count"], expected.len(), "{filter}");
        expected.reverse();
    }
}
