"""Microsoft's Dataverse client reads metadata, and is told which writes are not simulated."""

import unittest

from given import client, refusal


class Tables(unittest.TestCase):
    def setUp(self):
        self.tables = client().tables

    def test_a_table_is_told_by_name_and_an_unknown_one_is_none(self):
        table = self.tables.get("opportunity")
        self.assertEqual((table["entity_set_name"], table["table_logical_name"]), ("opportunities", "opportunity"))
        self.assertIsNone(self.tables.get("nosuch"))
        listed = self.tables.list(filter="EntitySetName eq 'accounts'", select=["LogicalName", "SchemaName"])
        self.assertEqual([row["LogicalName"] for row in listed], ["account"])
        self.assertGreater(len(self.tables.list(select=["LogicalName"])), 20)

    def test_columns_are_told_with_their_types(self):
        columns = self.tables.list_columns("opportunity", select=["LogicalName", "AttributeType"], filter="LogicalName eq 'name'")
        self.assertEqual([(row["LogicalName"], row["AttributeType"]) for row in columns], [("name", "String")])
        self.assertEqual(self.tables.get_column("opportunity", "estimatedvalue")["AttributeType"], "Money")

    def test_relationships_are_told_by_name_and_of_a_table(self):
        found = self.tables.get_relationship("account_primary_contact")
        self.assertEqual(found.relationship_schema_name, "account_primary_contact")
        self.assertIsNone(self.tables.get_relationship("nosuch"))
        names = {row["SchemaName"] for row in self.tables.list_table_relationships("account", select=["SchemaName"])}
        self.assertIn("account_primary_contact", names)
        self.assertIn("opportunity_customer_accounts", names)
        every = {row["SchemaName"] for row in self.tables.list_relationships(select=["SchemaName"])}
        self.assertLessEqual(names, every)

    def test_alternate_keys_are_told(self):
        [key] = self.tables.get_alternate_keys("account")
        self.assertEqual((key.schema_name, key.key_attributes), ("accountnumber_key", ["accountnumber"]))

    def test_helpers_find_columns_and_lookups(self):
        query = client().query
        self.assertIn("estimatedvalue", query.odata_select("opportunity"))
        bound = query.odata_bind("account", "contact", "00000000-0000-4000-8000-00000000dead")
        self.assertEqual(list(bound.values()), ["/contacts(00000000-0000-4000-8000-00000000dead)"])

    def test_metadata_are_not_written(self):
        self.assertEqual(refusal(lambda: self.tables.create("new_Thing", {"new_Title": "string"}))[0], 501)
        self.assertEqual(refusal(lambda: self.tables.create_alternate_key("account", "new_key", ["name"]))[0], 501)
