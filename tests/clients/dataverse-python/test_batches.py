"""Microsoft's Dataverse client sends batches and change sets."""

import unittest

from given import client, unique


class Batches(unittest.TestCase):
    def setUp(self):
        self.client = client()

    def named(self, name):
        rows = self.client.records.list("account", filter=f"name eq '{name}'", select=["name", "telephone1"])
        return list(rows)

    def test_operations_are_answered_in_order(self):
        name = unique("batch")
        key = self.client.records.create("account", {"name": name})
        batch = self.client.batch.new()
        batch.records.create("account", {"name": name})
        batch.records.update("account", key, {"telephone1": "5"})
        batch.records.retrieve("account", key, select=["telephone1"])
        batch.records.delete("account", key)
        result = batch.execute()
        self.assertEqual([answer.status_code for answer in result.responses], [204, 204, 200, 204])
        self.assertEqual(result.responses[2].data["telephone1"], "5")
        self.assertEqual([row["accountid"] for row in self.named(name)], [result.entity_ids[0]])

    def test_a_change_set_refers_to_its_own_rows(self):
        batch, name = self.client.batch.new(), unique("set")
        with batch.changeset() as changes:
            contact = changes.records.create("contact", {"lastname": name})
            account = changes.records.create("account", {"name": name, "primarycontactid@odata.bind": contact})
            changes.records.update("account", account, {"telephone1": "9"})
        result = batch.execute()
        self.assertFalse(result.has_errors, result.responses)
        row = self.client.records.retrieve("account", result.entity_ids[1])
        self.assertEqual((row["telephone1"], row["_primarycontactid_value"]), ("9", result.entity_ids[0]))

    def test_a_change_set_that_fails_leaves_nothing(self):
        batch, name = self.client.batch.new(), unique("rolled back")
        with batch.changeset() as changes:
            changes.records.create("account", {"name": name})
            changes.records.create("account", {"name": "x" * 161})
        result = batch.execute()
        failed = result.failed
        self.assertEqual([(answer.status_code, answer.error_code) for answer in failed], [(400, "0x80044331")])
        self.assertEqual(self.named(name), [])

    def test_a_batch_goes_on_behind_an_error_when_told_so(self):
        batch, name = self.client.batch.new(), unique("goes on")
        batch.records.create("account", {"name": "x" * 161})
        batch.records.create("account", {"name": name})
        result = batch.execute(continue_on_error=True)
        self.assertEqual([answer.status_code for answer in result.responses], [400, 204])
        self.assertEqual(len(self.named(name)), 1)
