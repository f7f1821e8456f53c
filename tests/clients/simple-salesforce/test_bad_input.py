"""Bad input through the client's own session: the vendor's error, and nothing else."""

import json
import unittest

from given import BASE, Case, deal

DATA = "/services/data/v60.0"
QUERY = f"{DATA}/query"
JOBS = f"{DATA}/jobs/query"
EXPLAINED = "Please reference your WSDL or the describe call for the appropriate names."



def asked(soql):
    """The body of a job that reads."""
    return json.dumps({"operation": "query", "query": soql})


# Method, path, parameters or body, status, error code, part of the message.
TABLE = [
    # Into an address fit 16 kB; a query that is longer comes in a body.
    ("GET", QUERY, {"q": "SELECT Id FROM Account WHERE Name = '" + "x" * 20_000 + "'"}, 414, "URI_TOO_LONG", "exceeds"),
    ("POST", JOBS, asked("SELECT Id FROM Account WHERE Name = '" + "x" * 100_000 + "'"), 400, "", "the query is too long"),
    ("POST", JOBS, asked("SELECT Id FROM Account WHERE " + "(" * 10_000), 400, "", "nested"),
    ("GET", QUERY, {"q": "SELECT Nmae FROM Account"}, 400, "INVALID_FIELD", EXPLAINED),
    ("GET", QUERY, {"q": "SELECT Id FROM Acount"}, 400, "INVALID_TYPE", "sObject type 'Acount' is not supported."),
    ("GET", QUERY, {"q": "SELECT Id FROM Account WHERE NumberOfEmployees = 'many'"}, 400, "INVALID_FIELD", ""),
    ("GET", QUERY, {"q": "SELECT Id FROM Account WHERE IsDeleted = 3"}, 400, "INVALID_FIELD", ""),
    ("GET", QUERY, {"q": "SELECT Id FROM Opportunity WHERE CloseDate > '2026-01-01'"}, 400, "INVALID_FIELD", ""),
    ("GET", QUERY, {"q": "SELECT Id FROM Account WHERE Name = ''; DROP TABLE Account; --'"}, 400, "MALFORMED_QUERY", ""),
    ("GET", QUERY, {"q": "SELECT Id FROM Account WHERE Name = 'x' OR 1 = 1"}, 400, "MALFORMED_QUERY", ""),
    ("GET", QUERY, {"q": "SELECT Id FROM Account WHERE Id = 'a01D0000001pPvHAAU'"}, 400, "INVALID_QUERY_FILTER_OPERATOR", ""),
    ("GET", QUERY, {"q": ""}, 400, "MALFORMED_QUERY", ""),
    ("GET", f"{QUERY}/0r8gone-2000", {}, 400, "INVALID_QUERY_LOCATOR", "invalid query locator"),
    ("GET", f"{DATA}/sobjects/Account/001000000000001AAB", {}, 404, "NOT_FOUND", ""),
    ("GET", f"{DATA}/sobjects/Acount/001000000000001AAA", {}, 404, "NOT_FOUND", "The requested resource does not exist"),
    ("GET", f"{DATA}/sobjects/Account/Namez/x", {}, 404, "NOT_FOUND", "Provided external ID field does not exist"),
    ("GET", f"{DATA}/sobjects/Account/updated", {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, 400,
     "INVALID_REPLICATION_DATE", ""),
    ("POST", f"{DATA}/sobjects/Account", "{", 400, "JSON_PARSER_ERROR", "[line:1, column:1]"),
    ("POST", f"{DATA}/sobjects/Account", "[]", 400, "JSON_PARSER_ERROR", ""),
    ("POST", f"{DATA}/sobjects/Account", "", 400, "JSON_PARSER_ERROR", "The HTTP entity body is required"),
    ("POST", f"{DATA}/sobjects/Account", '{"Nmae": "x"}', 400, "INVALID_FIELD", "No such column 'Nmae' on sobject of type Account"),
    ("POST", f"{DATA}/sobjects/Account", '{"Name": "' + "x" * 256 + '"}', 400, "STRING_TOO_LONG", "(max length=255)"),
    ("POST", f"{DATA}/sobjects/Contact", '{"LastName": "x", "AccountId": "001000000000001AAB"}', 400, "MALFORMED_ID",
     "id value of incorrect type: 001000000000001AAB"),
    ("PUT", f"{DATA}/sobjects/Account", "{}", 405, "METHOD_NOT_ALLOWED", "HTTP Method 'PUT' not allowed."),
    ("POST", f"{DATA}/composite/batch", '{"batchRequests": []}', 400, "", ""),
    ("GET", "/services/data/v30.0/limits", {}, 410, "UNSUPPORTED_API_VERSION", ""),
    ("GET", "/services/data/v99.0/limits", {}, 404, "NOT_FOUND", ""),
]


class BadInput(Case):
    def send(self, method, path, given):
        sent = {"params": given} if isinstance(given, dict) else {"data": given.encode()}
        return self.sf.session.request(method, f"{BASE}{path}", headers=self.sf.headers, **sent)

    def test_each_has_the_vendors_error_and_nothing_else(self):
        for method, path, given, status, code, words in TABLE:
            with self.subTest(method=method, path=path, given=str(given)[:80]):
                answer = self.send(method, path, given)
                self.assertEqual(answer.status_code, status, answer.text[:300])
                for error in answer.json():
                    self.assertLessEqual(set(error), {"message", "errorCode", "fields"})
                first = answer.json()[0]
                if code:
                    self.assertEqual(first["errorCode"], code)
                self.assertIn(words, first["message"])

    def test_names_are_taken_in_any_case_and_quotes_stay_quotes(self):
        made = self.sf.Account.create({"name": "O'Neil \\ Sons"})["id"]
        answer = self.send("GET", QUERY, {"q": "select ID, nAmE from ACCOUNT where name = 'o\\'neil \\\\ sons'"}).json()
        self.assertEqual([record["Id"] for record in answer["records"]], [made])
        self.assertEqual(answer["records"][0]["Name"], "O'Neil \\ Sons")

    def test_twenty_five_parts_in_a_circle_are_refused_one_by_one(self):
        parts = [{"method": "POST", "url": f"{DATA}/sobjects/Opportunity", "referenceId": f"p{at}",
                  "body": deal(f"@{{p{(at + 1) % 25}.id}}")} for at in range(25)]
        answer = self.sf.restful("composite", method="POST", json={"compositeRequest": parts})["compositeResponse"]
        self.assertEqual([part["httpStatusCode"] for part in answer], [400] * 25)
        self.assertIn("Invalid reference specified. No value for p1.id found in p1", answer[0]["body"][0]["message"])


if __name__ == "__main__":
    unittest.main()
