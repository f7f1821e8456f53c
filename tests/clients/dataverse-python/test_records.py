"""Microsoft's Dataverse client writes, reads and queries, over TLS."""

import importlib.metadata
import unittest

from given import BASE, Credential, client, refusal, unique
from PowerPlatform.Dataverse.models.upsert import UpsertItem

NOBODY = "00000000-0000-4000-8000-00000000dead"


class Records(unittest.TestCase):
    def setUp(self):
        self.credential = Credential()
        self.client = client(self.credential)

    def test_the_pinned_version_is_the_one_that_is_driven_and_it_asks_for_the_right_scope(self):
        self.assertEqual(importlib.metadata.version("PowerPlatform-Dataverse-Client"), "1.1.0")
        self.client.records.create("account", {"name": unique("scope")})
        self.assertEqual(set(self.credential.scopes), {f"{BASE}/.default"})

    def test_a_row_is_made_read_changed_and_deleted(self):
        records, name = self.client.records, unique("Zürich ☃ O'Brien")
        key = records.create("account", {"name": name, "revenue": 12.5})
        row = records.retrieve("account", key, select=["name", "revenue"])
        self.assertEqual((row["name"], row["revenue"]), (name, 12.5))
        records.update("account", key, {"telephone1": "1"})
        self.assertEqual(records.retrieve("account", key)["telephone1"], "1")
        records.delete("account", key)
        self.assertIsNone(records.retrieve("account", key))
        self.assertEqual(refusal(lambda: records.update("account", NOBODY, {"name": "x"})), (404, "0x80040217"))
        self.assertEqual(refusal(lambda: records.delete("account", NOBODY)), (404, "0x80040217"))

    def test_many_rows_are_made_changed_and_deleted_by_one_action_each(self):
        records, name = self.client.records, unique("many")
        keys = records.create("account", [{"name": name}, {"name": name}, {"name": name}])
        self.assertEqual(len(set(keys)), 3)
        records.update("account", keys, {"telephone1": "7"})
        self.assertEqual({records.retrieve("account", key)["telephone1"] for key in keys}, {"7"})
        records.update("account", keys, [{"fax": "0"}, {"fax": "1"}, {"fax": "2"}])
        self.assertEqual([records.retrieve("account", key)["fax"] for key in keys], ["0", "1", "2"])
        job = records.delete("account", keys)
        self.assertEqual(len(job), 36)
        self.assertEqual([records.retrieve("account", key) for key in keys], [None, None, None])

    def test_alternate_keys_make_and_change_rows(self):
        records = self.client.records
        numbers = [unique("K")[-18:] for _ in range(2)]
        item = lambda number, name: UpsertItem(alternate_key={"accountnumber": number}, record={"name": name})
        records.upsert("account", [item(numbers[0], "one")])
        records.upsert("account", [item(numbers[0], "changed"), item(numbers[1], "two")])
        rows = records.list("account", filter=f"accountnumber eq '{numbers[0]}'", select=["name"])
        self.assertEqual([row["name"] for row in rows], ["changed"])
        taken = lambda: records.create("account", {"name": "x", "accountnumber": numbers[0]})
        self.assertEqual(refusal(taken), (412, "0x80060892"))

    def test_lookups_and_choices_are_written_by_name(self):
        records = self.client.records
        account = records.create("account", {"name": unique("parent")})
        deal = records.create(
            "opportunity",
            {"name": "deal", "customerid_account@odata.bind": f"/accounts({account})", "salesstage": "Propose"},
        )
        row = records.retrieve("opportunity", deal, select=["name", "_customerid_value", "salesstage"])
        self.assertEqual((row["_customerid_value"], row["salesstage"]), (account, 2))

    def test_pages_are_followed_to_the_end(self):
        records, name = self.client.records, unique("page")
        records.create("account", [{"name": f"{name} {place}"} for place in range(7)])
        pages = list(records.list_pages("account", filter=f"startswith(name,'{name}')", orderby=["name asc"], page_size=3))
        self.assertEqual([len(list(page)) for page in pages], [3, 3, 1])

    def test_a_query_is_built_and_executed(self):
        from PowerPlatform.Dataverse.models import col

        name = unique("built")
        self.client.records.create("account", [{"name": name, "revenue": value} for value in (1, 2, 3)])
        query = self.client.query.builder("account").select("name", "revenue").where(col("name") == name)
        rows = query.where(col("revenue") > 1).order_by("revenue", descending=True).execute()
        self.assertEqual([row["revenue"] for row in rows], [3.0, 2.0])

    def test_values_that_do_not_fit_are_refused_with_the_vendors_codes(self):
        create = self.client.records.create
        for table, data, code in [
            ("account", {"name": "x" * 161}, "0x80044331"),
            ("account", {"revenue": "12"}, "0x80048d19"),
            ("opportunity", {"name": "d", "closeprobability": 101}, "0x8004432f"),
        ]:
            self.assertEqual(refusal(lambda: create(table, data)), (400, code), data)
