#!/usr/bin/env python3
"""The small co-sell connector of polling.py for Dynamics 365: it speaks the Dataverse Web API, and needs nothing but the standard
library. The same four bugs can be planted with `--bug`."""

import sys
import urllib.parse

sys.dont_write_bytecode = True  # keeps the folder as it is

from polling import Connector, Wire, form, run

API = "/api/data/v9.2/"
SYNC, IDENTIFIER = "msft_microsoftpartnercenterreferralsync", "msft_microsoftpartnercenterreferralidentifier"
AUDIT, HELP = "msft_microsoftpartnercenterreferralsyncaudit", "msft_microsoftpartnercenterhelp"
VISIBLE = "msft_microsoftpartnercenterreferralvisible"
ON_HOLD, ACTIVE = "On Hold", "In Progress"
COLUMNS = {
    "Name": "name",
    "Amount": "estimatedvalue",
    "CloseDate": "estimatedclosedate",
    "Description": "description",
    "Audit__c": AUDIT,
    "Sync_With_Partner_Center__c": SYNC,
    "Referral_Identifier__c": IDENTIFIER,
}


def escaped(text):
    return text.replace("'", "''")


class Dynamics(Connector):
    """Dataverse in the words that the connector for Salesforce uses."""

    def __init__(self, ready, bug):
        super().__init__(ready, bug)
        self.settings = dict(self.settings, onHoldStage=ON_HOLD, activeStage=ACTIVE)
        self.currencies = {}

    @staticmethod
    def crm_of(bases, entra, client):
        dataverse = bases["dataverse"]
        grant = {"grant_type": "client_credentials", "scope": dataverse + "/.default"}
        return Wire(dataverse, lambda: form(entra, **grant, **client))

    def rows(self, table, **options):
        query = "&".join(f"${name}=" + urllib.parse.quote(value, safe="(),=;") for name, value in options.items())
        page = self.crm.call("GET", f"{API}{table}?{query}")
        rows = list(page["value"])
        while page.get("@odata.nextLink"):
            page = self.crm.call("GET", page["@odata.nextLink"])
            rows.extend(page["value"])
        return rows

    def opportunities(self):
        columns = ["opportunityid", "statecode", "statuscode", HELP, VISIBLE, *COLUMNS.values()]
        expand = (
            "customerid_account($select=name,address1_country,address1_postalcode),"
            "transactioncurrencyid($select=isocurrencycode),"
            "parentcontactid($select=firstname,lastname,emailaddress1)"
        )
        linked = f"{SYNC} eq true or {IDENTIFIER} ne null"
        rows = self.rows("opportunities", select=",".join(columns), expand=expand, filter=linked)
        return [self.seen(row) for row in rows]

    @staticmethod
    def seen(row):
        account = row.get("customerid_account") or {}
        state = row["statecode"]
        seen = {name: row.get(column) for name, column in COLUMNS.items()}
        seen.update(
            {
                "Id": row["opportunityid"],
                "StageName": ON_HOLD if (state, row["statuscode"]) == (0, 2) else ACTIVE,
                "IsClosed": state != 0,
                "IsWon": state == 1,
                "CurrencyIsoCode": (row.get("transactioncurrencyid") or {}).get("isocurrencycode"),
                "How_can_Microsoft_help__c": row.get(HELP),
                "Referral_visible_to_Microsoft_sellers__c": row.get(VISIBLE),
                "Contact": row.get("parentcontactid"),
                "Account": {
                    "Name": account.get("name"),
                    "BillingCountry": account.get("address1_country"),
                    "BillingPostalCode": account.get("address1_postalcode"),
                },
            }
        )
        return seen

    def currency(self, code):
        if code not in self.currencies:
            for row in self.rows("transactioncurrencies", select="isocurrencycode,transactioncurrencyid"):
                self.currencies[row["isocurrencycode"]] = row["transactioncurrencyid"]
        return f"/transactioncurrencies({self.currencies[code]})"

    def body_of(self, fields):
        body = {COLUMNS[name]: value for name, value in fields.items() if name in COLUMNS}
        if fields.get("CurrencyIsoCode"):
            body["transactioncurrencyid@odata.bind"] = self.currency(fields["CurrencyIsoCode"])
        if fields.get("AccountId"):
            body["customerid_account@odata.bind"] = f"/accounts({fields['AccountId']})"
        if fields.get("StageName") in (ON_HOLD, ACTIVE):
            body["statuscode"] = 2 if fields["StageName"] == ON_HOLD else 1
        return body

    def update(self, row, body):
        """Audit and mark first: a closed opportunity takes no more updates."""
        path = f"{API}opportunities({row['Id']})"
        self.crm.call("PATCH", path, self.body_of(body), {"If-Match": "*"})
        ending = {"Closed Won": ("WinOpportunity", 3), "Closed Lost": ("LoseOpportunity", 4)}.get(body.get("StageName"))
        if ending:
            close = {"subject": "Closed", "opportunityid@odata.bind": f"/opportunities({row['Id']})"}
            self.crm.call("POST", API + ending[0], {"Status": ending[1], "OpportunityClose": close})

    def insert(self, body):
        self.crm.call("POST", API + "opportunities", self.body_of(body))

    def account(self, customer):
        name, address = customer["name"], customer.get("address") or {}
        postal, country = address.get("postalCode"), address.get("country")
        where = f"name eq '{escaped(name)}'" + (f" and address1_postalcode eq '{escaped(postal)}'" if postal else "")
        known = self.rows("accounts", select="accountid", filter=where)
        if known:
            return known[0]["accountid"]
        body = {"name": name, "address1_postalcode": postal, "address1_country": country}
        body = {column: value for column, value in body.items() if value}
        made = self.crm.call("POST", API + "accounts", body, {"Prefer": "return=representation"})
        return made["accountid"]

    def solutions(self, row):
        where = f"_msft_opportunity_value eq {row['Id']}"
        rows = self.rows("msft_partnercentersolutions", select="msft_solutionidentifier", filter=where)
        return [one["msft_solutionidentifier"] for one in rows]

    def people(self, row):
        person = row["Contact"]
        if not person:
            return []
        return [{"firstName": person["firstname"], "lastName": person["lastname"], "email": person["emailaddress1"]}]


if __name__ == "__main__":
    run(Dynamics, __doc__)
