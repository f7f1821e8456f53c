"""Microsoft's Dataverse client reads: filters, expansions, annotations, pages, FetchXML, data frames, and without waiting."""

import asyncio
import unittest
import uuid

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from given import BASE, Credential, client, refusal, unique
from PowerPlatform.Dataverse.aio import AsyncDataverseClient
from PowerPlatform.Dataverse.models import col
from PowerPlatform.Dataverse.models.query_builder import ExpandOption

LABEL = "@OData.Community.Display.V1.FormattedValue"


class Queries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.client = client()
        records, cls.name = cls.client.records, unique("queried")
        cls.contact = records.create("contact", {"firstname": "Ada", "lastname": cls.name})
        parent = {"name": cls.name, "primarycontactid@odata.bind": f"/contacts({cls.contact})"}
        cls.account = records.create("account", parent)
        bind = {"customerid_account@odata.bind": f"/accounts({cls.account})"}
        deal = lambda value: {"name": f"{cls.name} {value}", "estimatedvalue": value, **bind}
        cls.deals = records.create("opportunity", [deal(value) for value in (10, 20, 30)])

    def test_a_row_comes_with_expanded_rows_and_annotations(self):
        row = self.client.records.retrieve(
            "opportunity",
            self.deals[0],
            select=["name", "statuscode"],
            expand=["customerid_account"],
            include_annotations="*",
        )
        self.assertEqual(row["customerid_account"]["name"], self.name)
        self.assertEqual((row["statuscode"], row[f"statuscode{LABEL}"]), (1, "In Progress"))

    def test_conditions_are_combined_negated_and_listed(self):
        query = lambda condition: [
            row["estimatedvalue"]
            for row in self.client.query.builder("opportunity")
            .select("estimatedvalue")
            .where((col("_customerid_value") == uuid.UUID(self.account)) & condition)
            .order_by("estimatedvalue")
            .execute()
        ]
        value, name = col("estimatedvalue"), col("name")
        self.assertEqual(query((value < 15) | (value > 25)), [10, 30])
        self.assertEqual(query(~(value == 20)), [10, 30])
        self.assertEqual(query(value.between(15, 35)), [20, 30])
        self.assertEqual(query(name.in_([f"{self.name} 10", f"{self.name} 30"])), [10, 30])
        self.assertEqual(query(name.contains(f"{self.name[1:]} 20")), [20])
        self.assertEqual(query(col("description").is_null()), [10, 20, 30])

    def test_expansions_have_options_of_their_own(self):
        option = ExpandOption("opportunity_customer_accounts").select("name").filter("estimatedvalue gt 10")
        query = self.client.query.builder("account").select("name").where(col("accountid") == uuid.UUID(self.account))
        [row] = query.expand(option.order_by("name", descending=True).top(1)).execute()
        self.assertEqual([deal["name"] for deal in row["opportunity_customer_accounts"]], [f"{self.name} 30"])

    def test_lists_are_cut_counted_and_formatted(self):
        listed = self.client.records.list(
            "opportunity",
            filter=f"_customerid_value eq {self.account}",
            orderby=["estimatedvalue desc"],
            top=2,
            count=True,
            include_annotations="*",
        )
        self.assertEqual([row["estimatedvalue"] for row in listed], [30, 20])
        self.assertEqual(listed[0][f"_customerid_value{LABEL}"], self.name)

    def test_fetchxml_is_followed_to_its_last_page(self):
        xml = f"""<fetch count="2"><entity name="opportunity"><attribute name="name"/><order attribute="estimatedvalue"/>
          <filter><condition attribute="customerid" operator="eq" value="{self.account}"/></filter></entity></fetch>"""
        pages = [[row["name"] for row in page] for page in self.client.query.fetchxml(xml).execute_pages()]
        self.assertEqual(pages, [[f"{self.name} 10", f"{self.name} 20"], [f"{self.name} 30"]])
        self.assertEqual(len(list(self.client.query.fetchxml(xml).execute())), 3)

    def test_a_data_frame_is_filled_and_written(self):
        frame = self.client.query.builder("opportunity").select("name", "estimatedvalue").where(
            col("_customerid_value") == uuid.UUID(self.account)
        )
        self.assertEqual(sorted(frame.to_dataframe()["estimatedvalue"]), [10, 20, 30])

    def test_what_the_server_does_not_take_is_refused_with_its_code(self):
        listing = lambda **options: lambda: list(self.client.records.list("account", **options))
        self.assertEqual(refusal(listing(filter="Name eq 'x'")), (400, "0x80060888"))
        self.assertEqual(refusal(listing(filter="revenue eq 'x'")), (400, "0x80060888"))
        self.assertEqual(refusal(listing(select=["nosuch"])), (400, "0x80060888"))
        self.assertEqual(refusal(listing(expand=["nosuch"])), (400, "0x80060888"))
        # An identifier given as text is quoted by the client.
        self.assertEqual(refusal(listing(filter=col("accountid") == self.account)), (400, "0x80060888"))
        fetch = "<fetch><entity name='account'><nosuch/></entity></fetch>"
        self.assertEqual(refusal(lambda: self.client.query.fetchxml(fetch).execute()), (400, "0x80040203"))

    def test_sql_is_refused_by_name(self):
        self.assertEqual(refusal(lambda: self.client.query.sql("SELECT name FROM account"))[0], 501)

    def test_the_client_that_does_not_wait_does_the_same(self):
        class Waiting(AsyncTokenCredential):
            async def get_token(self, *_scopes, **_options):
                return AccessToken(Credential().token, 4_000_000_000)

            async def close(self):
                pass

            async def __aexit__(self, *_outcome):
                pass

        async def together():
            async with AsyncDataverseClient(BASE, Waiting()) as api:
                keys = await asyncio.gather(*(api.records.create("lead", {"subject": self.name}) for _ in range(5)))
                pages = api.records.list_pages("lead", filter=f"subject eq '{self.name}'", page_size=2)
                rows = [row async for page in pages for row in page]
                await asyncio.gather(*(api.records.delete("lead", key) for key in keys))
                return keys, rows, await api.records.retrieve("lead", keys[0])

        keys, rows, gone = asyncio.run(together())
        self.assertEqual((sorted(row["leadid"] for row in rows), gone), (sorted(keys), None))
