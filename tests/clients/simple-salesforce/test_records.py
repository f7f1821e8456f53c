"""Sign-in, records one by one, upsert, queries, describe."""

import importlib.metadata
import unittest
from datetime import datetime, timedelta, timezone

from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from given import HOST, KEY, Case, deal, order, salesforce, session


class SignIn(Case):
    def test_the_client_is_the_pinned_one(self):
        self.assertEqual(importlib.metadata.version("simple-salesforce"), "1.12.10")

    def test_a_connected_application_signs_in_with_its_secret(self):
        sf = Salesforce(consumer_key="client", consumer_secret="secret", domain="contoso.my", session=session())
        self.assertEqual(sf.sf_instance, HOST)
        self.assertRegex(sf.session_id, r"^00D\w{12}!")
        self.assertEqual(sf.query("SELECT COUNT() FROM Organization")["totalSize"], 1)

    def test_a_person_signs_in_with_name_and_password(self):
        sf = Salesforce(username="seller@contoso.example", password="password",
                        consumer_key="client", consumer_secret="secret", session=session())
        created = sf.Account.create({"Name": "Signed in"})
        owner = sf.query(f"SELECT Owner.Username FROM Account WHERE Id = '{created['id']}'")["records"][0]["Owner"]
        self.assertEqual(owner["Username"], "seller@contoso.example")

    def test_a_person_signs_in_over_soap_with_a_security_token(self):
        sf = Salesforce(username="seller@contoso.example", password="password", security_token="TOKEN", session=session())
        self.assertEqual(sf.sf_instance, HOST)
        self.assertEqual(sf.query("SELECT COUNT() FROM Organization")["totalSize"], 1)

    def test_a_wrong_password_over_soap_is_refused_with_the_code_of_the_fault(self):
        with self.assertRaises(SalesforceAuthenticationFailed) as caught:
            Salesforce(username="seller@contoso.example", password="wrong", security_token="", session=session())
        # The message is a template of the client's own, which it does not fill in.
        self.assertEqual(caught.exception.code, "INVALID_LOGIN")

    def test_a_wrong_password_is_refused(self):
        with self.assertRaises(SalesforceAuthenticationFailed) as caught:
            Salesforce(username="seller@contoso.example", password="wrong",
                       consumer_key="client", consumer_secret="secret", session=session())
        self.assertEqual(caught.exception.code, "invalid_grant")

    def test_a_session_that_is_over_is_renewed_by_itself(self):
        sf = Salesforce(username="seller@contoso.example", password="password",
                        consumer_key="client", consumer_secret="secret", session=session())
        before = sf.session_id
        order("DELETE", "users/seller/tokens")
        self.assertEqual(sf.query("SELECT Id FROM Organization")["totalSize"], 1)
        self.assertNotEqual(sf.session_id, before)

    def test_a_session_that_nobody_can_renew_is_an_error(self):
        sf = salesforce(session_id="00Dnobody!x")
        with self.assertRaises(SalesforceExpiredSession) as caught:
            sf.query("SELECT Id FROM Account")
        self.assertEqual(caught.exception.content[0]["errorCode"], "INVALID_SESSION_ID")


class Records(Case):
    def test_a_record_is_created_read_changed_and_deleted(self):
        created = self.sf.Opportunity.create(deal("Ten seats", Amount=1200.5))
        self.assertEqual((created["success"], created["errors"]), (True, []))
        read = self.sf.Opportunity.get(created["id"])
        self.assertEqual((read["Name"], read["Amount"], read["IsClosed"]), ("Ten seats", 1200.5, False))
        self.assertEqual(self.sf.Opportunity.update(created["id"], {"Name": "Twelve seats"}), 204)
        self.assertEqual(self.sf.Opportunity.get(created["id"])["Name"], "Twelve seats")
        self.assertEqual(self.sf.Opportunity.delete(created["id"]), 204)
        with self.assertRaises(SalesforceResourceNotFound) as caught:
            self.sf.Opportunity.get(created["id"])
        self.assertEqual(caught.exception.content[0]["errorCode"], "ENTITY_IS_DELETED")

    def test_a_refused_create_names_its_fields(self):
        with self.assertRaises(SalesforceMalformedRequest) as caught:
            self.sf.Opportunity.create({"Name": "x"})
        self.assertEqual(caught.exception.content[0]["fields"], ["StageName", "CloseDate"])

    def test_an_upsert_creates_updates_and_finds_two(self):
        path = f"{KEY}/py%2F1"
        self.assertEqual(self.sf.Opportunity.upsert(path, deal("new")), 201)
        self.assertEqual(self.sf.Opportunity.upsert(path, {"Name": "newer"}), 200)
        self.assertEqual(self.sf.Opportunity.get_by_custom_id(KEY, "py/1")["Name"], "newer")
        self.assertEqual(salesforce(version="45.0").Opportunity.upsert(path, {"Name": "old answer"}), 204)
        self.sf.Opportunity.create(deal("twin", **{KEY: "py/1"}))
        with self.assertRaises(SalesforceMoreThanOneRecord) as caught:
            self.sf.Opportunity.upsert(path, {"Name": "which?"})
        self.assertEqual(len(caught.exception.content), 2)

    def test_a_request_beyond_the_daily_limit_is_refused(self):
        body = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
        order("POST", "faults", {"site": "salesforce", "fate": {"answer": {"status": 403, "body": body}}})
        with self.assertRaises(SalesforceRefusedRequest) as caught:
            self.sf.query("SELECT Id FROM Account")
        self.assertEqual(caught.exception.content, body)
        self.sf.query("SELECT Id FROM Account")

    def test_429_is_an_error_that_the_client_leaves_to_its_user(self):
        body = [{"message": "Too many requests", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
        order("POST", "faults", {"site": "salesforce", "fate": {"answer": {"status": 429, "body": body}}})
        with self.assertRaises(SalesforceGeneralError) as caught:
            self.sf.query("SELECT Id FROM Account")
        self.assertEqual((caught.exception.status, caught.exception.content), (429, body))
        self.sf.query("SELECT Id FROM Account")

    def test_a_duplicate_is_saved_only_when_the_header_asks_for_it(self):
        first = self.sf.Contact.create({"LastName": "Xu", "Email": "twin@fabrikam.example"})["id"]
        with self.assertRaises(SalesforceMalformedRequest) as caught:
            self.sf.Contact.create({"LastName": "Xu", "Email": "twin@fabrikam.example"})
        [error] = caught.exception.content
        self.assertEqual(error["errorCode"], "DUPLICATES_DETECTED")
        [match] = error["duplicateResult"]["matchResults"][0]["matchRecords"]
        self.assertEqual(match["record"]["Id"], first)
        header = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
        second = self.sf.Contact.create({"LastName": "Xu", "Email": "twin@fabrikam.example"}, headers=header)["id"]
        self.assertNotEqual(second, first)

    def test_an_update_hands_a_lead_to_its_rule_unless_the_header_says_no(self):
        lead = self.sf.Lead.create({"LastName": "Xu", "Company": "Fabrikam"}, headers={"Sforce-Auto-Assign": "FALSE"})["id"]

        def owner():
            return self.sf.query(f"SELECT Owner.Name FROM Lead WHERE Id = '{lead}'")["records"][0]["Owner"]["Name"]

        self.assertEqual(owner(), "connector")
        self.sf.Lead.update(lead, {"Title": "CFO"}, headers={"Sforce-Auto-Assign": "FALSE"})
        self.assertEqual(owner(), "connector")
        self.sf.Lead.update(lead, {"Title": "CEO"})
        self.assertEqual(owner(), "seller")

    def test_fields_and_objects_of_the_org_itself_are_there(self):
        account = self.sf.Account.create({"Name": "Invoiced"})["id"]
        path = "Key__c/I-1"
        self.assertEqual(self.sf.Invoice__c.upsert(path, {"Account__c": account, "Total__c": 12.5}), 201)
        self.assertEqual(self.sf.Invoice__c.upsert(path, {"Total__c": 13}), 200)
        soql = f"SELECT Name, (SELECT Key__c, Total__c FROM Invoices__r) FROM Account WHERE Id = '{account}'"
        [line] = self.sf.query(soql)["records"][0]["Invoices__r"]["records"]
        self.assertEqual((line["Key__c"], line["Total__c"]), ("I-1", 13.0))
        fields = {field["name"] for field in self.sf.Opportunity.describe()["fields"]}
        self.assertNotIn("NextStep", fields, "field-level security hides it")
        with self.assertRaises(SalesforceMalformedRequest) as caught:
            self.sf.query("SELECT NextStep FROM Opportunity")
        self.assertEqual(caught.exception.content[0]["errorCode"], "INVALID_FIELD")

    def test_the_usage_of_the_day_is_told_with_each_answer(self):
        self.sf.query("SELECT Id FROM Account")
        first = self.sf.api_usage["api-usage"]
        self.sf.query("SELECT Id FROM Account")
        self.assertEqual(self.sf.api_usage["api-usage"].used, first.used + 1)


class Replication(Case):
    def test_changed_and_deleted_records_of_a_span_are_listed(self):
        kept, gone = (self.sf.Opportunity.create(deal(name))["id"] for name in ("Kept", "Gone"))
        self.sf.Opportunity.delete(gone)
        now = datetime.now(timezone.utc)
        start, end = now - timedelta(minutes=10), now + timedelta(minutes=10)
        updated = self.sf.Opportunity.updated(start, end)
        self.assertIn(kept, updated["ids"])
        self.assertNotIn(gone, updated["ids"])
        self.assertRegex(updated["latestDateCovered"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000$")
        deleted = self.sf.Opportunity.deleted(start, end)
        self.assertIn(gone, [record["id"] for record in deleted["deletedRecords"]])
        self.assertIn("earliestDateAvailable", deleted)

    def test_a_span_that_ends_before_it_begins_is_refused(self):
        now = datetime.now(timezone.utc)
        with self.assertRaises(SalesforceMalformedRequest) as caught:
            self.sf.Opportunity.updated(now, now - timedelta(hours=1))
        self.assertEqual(caught.exception.content[0]["errorCode"], "INVALID_REPLICATION_DATE")


class Queries(Case):
    def test_pages_are_followed_to_the_end(self):
        account = self.sf.Account.create({"Name": "Pages"})["id"]
        records = [{"Name": f"Page {number:04}", "AccountId": account, "StageName": "Prospecting", "CloseDate": "2027-01-31"}
                   for number in range(450)]
        for start in range(0, 450, 200):
            body = {"records": [{"attributes": {"type": "Opportunity"}, **record} for record in records[start:start + 200]]}
            results = self.sf.restful("composite/sobjects", method="POST", json=body)
            self.assertTrue(all(result["success"] for result in results), results)
        soql = f"SELECT Id, Name FROM Opportunity WHERE AccountId = '{account}' ORDER BY Name"
        first = self.sf.query(soql, headers={"Sforce-Query-Options": "batchSize=200"})
        self.assertEqual((first["totalSize"], first["done"], len(first["records"])), (450, False, 200))
        second = self.sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
        self.assertEqual((second["done"], second["records"][0]["Name"]), (False, "Page 0200"))
        names = [record["Name"] for record in self.sf.query_all_iter(soql)]
        self.assertEqual(names, [record["Name"] for record in records])

    def test_deleted_records_are_found_only_when_asked_for(self):
        gone = self.sf.Account.create({"Name": "Gone for good"})["id"]
        self.sf.Account.delete(gone)
        soql = "SELECT Id, IsDeleted FROM Account WHERE Name = 'Gone for good'"
        self.assertEqual(self.sf.query(soql)["totalSize"], 0)
        self.assertTrue(self.sf.query(soql, include_deleted=True)["records"][0]["IsDeleted"])

    def test_a_wrong_query_is_refused_with_its_place(self):
        with self.assertRaises(SalesforceMalformedRequest) as caught:
            self.sf.query("SELECT Nmae FROM Account")
        self.assertEqual(caught.exception.content[0]["errorCode"], "INVALID_FIELD")
        self.assertIn("ERROR at Row:1:Column:8", caught.exception.content[0]["message"])

    def test_describe_and_limits_are_complete_enough_to_use(self):
        names = {entry["name"] for entry in self.sf.describe()["sobjects"]}
        self.assertLessEqual({"Account", "Opportunity", "Microsoft_Solutions__c"}, names)
        fields = {field["name"]: field for field in self.sf.Opportunity.describe()["fields"]}
        self.assertTrue(fields[KEY]["externalId"])
        self.assertEqual(self.sf.Opportunity.metadata()["objectDescribe"]["keyPrefix"], "006")
        limits = self.sf.limits()
        self.assertLess(limits["DailyApiRequests"]["Remaining"], limits["DailyApiRequests"]["Max"])


if __name__ == "__main__":
    unittest.main()
