"""Requests that carry many records: composite, collections, trees, Bulk API 2.0."""

import csv
import io
import unittest

from simple_salesforce.exceptions import SalesforceMalformedRequest

from given import KEY, Case, deal, eventually


class Composite(Case):
    def test_parts_refer_to_each_other(self):
        base = "/services/data/v60.0"
        answer = self.sf.restful("composite/", method="POST", json={"allOrNone": True, "compositeRequest": [
            {"method": "POST", "url": f"{base}/sobjects/Account", "referenceId": "account", "body": {"Name": "Parts"}},
            {"method": "POST", "url": f"{base}/sobjects/Opportunity", "referenceId": "deal",
             "body": deal("of parts", AccountId="@{account.id}")},
            {"method": "GET", "url": f"{base}/query?q=SELECT Name, Account.Name FROM Opportunity WHERE Id = '@{{deal.id}}'",
             "referenceId": "found"},
        ]})["compositeResponse"]
        self.assertEqual([part["httpStatusCode"] for part in answer], [201, 201, 200])
        self.assertEqual(answer[2]["body"]["records"][0]["Account"]["Name"], "Parts")

    def test_a_failed_part_takes_the_others_back(self):
        base = "/services/data/v60.0"
        answer = self.sf.restful("composite", method="POST", json={"allOrNone": True, "compositeRequest": [
            {"method": "POST", "url": f"{base}/sobjects/Account", "referenceId": "good", "body": {"Name": "Taken back"}},
            {"method": "POST", "url": f"{base}/sobjects/Account", "referenceId": "bad", "body": {}},
        ]})["compositeResponse"]
        self.assertEqual([part["body"][0]["errorCode"] for part in answer], ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING"])
        self.assertEqual(self.sf.query("SELECT COUNT() FROM Account WHERE Name = 'Taken back'")["totalSize"], 0)

    def test_a_batch_and_a_tree(self):
        batch = self.sf.restful("composite/batch", method="POST", json={"batchRequests": [
            {"method": "POST", "url": "v60.0/sobjects/Account", "richInput": {"Name": "Batch"}},
            {"method": "GET", "url": "v60.0/sobjects/Account/nothing"},
        ]})
        self.assertEqual((batch["hasErrors"], [part["statusCode"] for part in batch["results"]]), (True, [201, 404]))
        tree = self.sf.restful("composite/tree/Account", method="POST", json={"records": [
            {"attributes": {"type": "Account", "referenceId": "a"}, "Name": "Tree",
             "Contacts": {"records": [{"attributes": {"type": "Contact", "referenceId": "c"}, "LastName": "Leaf"}]}},
        ]})
        self.assertEqual([result["referenceId"] for result in tree["results"]], ["a", "c"])
        leaf = self.sf.Contact.get(tree["results"][1]["id"])
        self.assertEqual(leaf["AccountId"], tree["results"][0]["id"])

    def test_collections_say_what_became_of_each_record(self):
        def send(method, body=None, **params):
            return self.sf.restful("composite/sobjects", method=method, json=body, params=params or None)

        def records(*many):
            return {"records": [{"attributes": {"type": "Account"}, **record} for record in many]}

        made = send("POST", records({"Name": "Many A"}, {}, {"Name": "Many C"}))
        self.assertEqual([result["success"] for result in made], [True, False, True])
        self.assertEqual(made[1]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING")
        ids = [made[0]["id"], made[2]["id"]]
        none = send("PATCH", {"allOrNone": True, **records({"Id": ids[0], "Industry": "Banking"}, {"Id": ids[1], "Nmae": "x"})})
        self.assertEqual(none[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK")
        self.assertIsNone(self.sf.Account.get(ids[0])["Industry"])
        changed = send("PATCH", records(*({"Id": id, "Industry": "Banking"} for id in ids)))
        self.assertEqual([(result["id"], result["success"]) for result in changed], [(id, True) for id in ids])
        read = self.sf.restful("composite/sobjects/Account", params={"ids": ",".join(ids), "fields": "Name,Industry"})
        self.assertEqual([(record["Name"], record["Industry"]) for record in read], [("Many A", "Banking"), ("Many C", "Banking")])
        gone = send("DELETE", ids=",".join(ids))
        self.assertEqual([result["success"] for result in gone], [True, True])

    def test_more_than_200_records_are_refused(self):
        records = [{"attributes": {"type": "Account"}, "Name": "x"}] * 201
        with self.assertRaises(SalesforceMalformedRequest) as caught:
            self.sf.restful("composite/sobjects", method="POST", json={"records": records})
        self.assertEqual(caught.exception.content[0]["errorCode"], "EXCEEDED_ID_LIMIT")


class Bulk(Case):
    def test_an_insert_tells_of_each_row(self):
        records = [deal("Bulk one", Amount="10"), deal("Bulk two", Amount="x"), {**deal(""), "Amount": "1"}]
        [result] = self.sf.bulk2.Opportunity.insert(records=records)
        self.assertEqual((result["numberRecordsTotal"], result["numberRecordsProcessed"]), (3, 3))
        self.assertEqual(result["numberRecordsFailed"], 2)
        good = list(csv.DictReader(io.StringIO(self.sf.bulk2.Opportunity.get_successful_records(result["job_id"]))))
        self.assertEqual([row["Name"] for row in good], ["Bulk one"])
        self.assertEqual(self.sf.Opportunity.get(good[0]["sf__Id"])["Amount"], 10.0)
        bad = list(csv.DictReader(io.StringIO(self.sf.bulk2.Opportunity.get_failed_records(result["job_id"]))))
        self.assertEqual(len(bad), 2)
        self.assertTrue(bad[1]["sf__Error"].startswith("REQUIRED_FIELD_MISSING:"), bad)

    def test_upsert_query_and_delete(self):
        [made] = self.sf.bulk2.Opportunity.upsert(
            records=[deal(f"Up {number}", **{KEY: f"bulk-{number}"}) for number in range(5)], external_id_field=KEY)
        self.assertEqual((made["numberRecordsProcessed"], made["numberRecordsFailed"]), (5, 0))
        [again] = self.sf.bulk2.Opportunity.upsert(
            records=[{KEY: "bulk-3", "Name": "Changed"}], external_id_field=KEY)
        self.assertEqual(again["numberRecordsFailed"], 0)
        soql = f"SELECT Id, Name, {KEY} FROM Opportunity WHERE {KEY} LIKE 'bulk-%' ORDER BY {KEY}"
        pages = list(self.sf.bulk2.Opportunity.query(soql, max_records=2))
        self.assertEqual(len(pages), 3)
        rows = [row for page in pages for row in csv.DictReader(io.StringIO(page))]
        self.assertEqual([row["Name"] for row in rows], ["Up 0", "Up 1", "Up 2", "Changed", "Up 4"])
        [gone] = self.sf.bulk2.Opportunity.delete(records=[{"Id": row["Id"]} for row in rows])
        self.assertEqual((gone["numberRecordsProcessed"], gone["numberRecordsFailed"]), (5, 0))
        count = f"SELECT COUNT() FROM Opportunity WHERE {KEY} LIKE 'bulk-%'"
        eventually(lambda: self.sf.query(count)["totalSize"], 0)


if __name__ == "__main__":
    unittest.main()
