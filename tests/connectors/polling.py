#!/usr/bin/env python3
"""A small co-sell connector for Salesforce: it polls both sides and needs nothing but the standard library.

It shares no code with the rest of this repository: it is there to show that `cosell run --connector external` judges
connectors by what they do. It reads where everything is from the file that COSELL_READY_FILE names, keeps what it knows in
memory, and works until it is ended. It does not invite Microsoft to deals made in the CRM. `--bug` plants one of four bugs, each of which an invariant must find.
"""

import argparse
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request

POLL_EVERY = 0.3
CHECK, CROSS = "\u2714", "\u2717"
OPPORTUNITY = (
    "Id,Name,StageName,IsClosed,IsWon,CloseDate,Description,Amount,CurrencyIsoCode,AccountId,"
    "Sync_With_Partner_Center__c,Referral_Identifier__c,Audit__c,How_can_Microsoft_help__c,"
    "Referral_visible_to_Microsoft_sellers__c,Account.Name,Account.BillingCountry,Account.BillingPostalCode"
)


class Wait(Exception):
    """A system cannot do it now: whatever was under way is looked at anew in the next round."""


class Refused(Exception):
    """A system refuses it, and would refuse it again."""


class Wire:
    """One system: signs in, waits when told to, and tells what can be tried again from what cannot."""

    def __init__(self, base, sign_in, impatient=False):
        self.base, self.sign_in, self.impatient = base, sign_in, impatient
        self.token = None
        self.not_before = 0.0

    def call(self, method, path, body=None, headers=None):
        if time.monotonic() < self.not_before and not self.impatient:
            raise Wait("told to wait")
        if self.token is None:
            self.token = self.sign_in()
        url = path if path.startswith("http") else self.base + path
        encoded = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=encoded, method=method)
        request.add_header("Authorization", "Bearer " + self.token)
        request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                text = reply.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            self.failed(error)
        except (OSError, ValueError) as error:
            raise Wait(f"{method} {url}: {error}") from error

    def failed(self, error):
        wait = error.headers.get("Retry-After")
        if wait and wait.isdigit():
            self.not_before = time.monotonic() + int(wait) + 0.2
        text = f"{error.code} {error.read()[:300]!r}"
        if error.code == 401:
            self.token = None
        if error.code in (401, 408, 409, 412, 429) or error.code >= 500:
            raise Wait(text)
        raise Refused(text)


def form(url, **fields):
    request = urllib.request.Request(url, data=urllib.parse.urlencode(fields).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return json.loads(reply.read())["access_token"]
    except (OSError, ValueError, KeyError) as error:
        raise Wait(f"sign-in: {error}") from error


def quoted(text):
    return "'" + str(text).replace("\\", "\\\\").replace("'", "\\'") + "'"


def plain(name):
    return name.strip(f"{CHECK}{CROSS} \t\ufe0f")


class Connector:
    def __init__(self, ready, bug):
        sign_in, bases = ready["signIn"], ready["bases"]
        client = {"client_id": sign_in["clientId"], "client_secret": sign_in["clientSecret"]}
        entra = f"{bases['entra']}/{sign_in['tenant']}/oauth2/v2.0/token"
        self.pc = Wire(
            bases["partner-center"],
            lambda: form(
                entra,
                grant_type="refresh_token",
                refresh_token=sign_in["refreshToken"],
                scope="https://api.partner.microsoft.com/.default offline_access",
                **client,
            ),
            impatient=bug == "ignores-retry-after",
        )
        self.crm = self.crm_of(bases, entra, client)
        self.settings, self.bug = ready["settings"], bug
        self.agreed = {}
        self.accepted = set()
        self.told = {}

    @staticmethod
    def crm_of(bases, entra, client):
        salesforce = bases["salesforce"]
        return Wire(
            salesforce,
            lambda: form(f"{salesforce}/services/oauth2/token", grant_type="client_credentials", **client),
        )

    # Reading.

    def referrals(self):
        page = self.pc.call("GET", "/v1.0/engagements/referrals?$orderby=updatedDateTime%20desc")
        found = {}
        while True:
            for referral in page["value"]:
                found[referral["id"]] = referral
            link = page.get("@odata.nextLink")
            if not link:
                break
            page = self.pc.call("GET", link)
        microsofts = lambda one: any(target.get("id") == "msft" for target in one.get("target") or [])
        return [one for one in found.values() if not microsofts(one)]

    def query(self, soql):
        page = self.crm.call("GET", "/services/data/v60.0/query?q=" + urllib.parse.quote(soql))
        rows = list(page["records"])
        while page.get("nextRecordsUrl"):
            page = self.crm.call("GET", page["nextRecordsUrl"])
            rows.extend(page["records"])
        return rows

    def opportunities(self):
        linked = "Sync_With_Partner_Center__c = true OR Referral_Identifier__c != null"
        return self.query(f"SELECT {OPPORTUNITY} FROM Opportunity WHERE {linked}")

    def held(self, row):
        return row["StageName"] == self.settings["onHoldStage"]

    # Both sides' fields in one form. Name goes from the CRM to Partner Center, the others go both ways.

    @staticmethod
    def of_referral(referral):
        details = referral["details"]
        value = details.get("dealValue")
        return {
            "value": None if value is None else round(float(value), 2),
            "currency": details.get("currency"),
            "closes": (details.get("closingDateTime") or "")[:10] or None,
            "notes": details.get("notes") or None,
        }

    @staticmethod
    def of_opportunity(row):
        value = row.get("Amount")
        return {
            "value": None if value is None else round(float(value), 2),
            "currency": row.get("CurrencyIsoCode"),
            "closes": row.get("CloseDate"),
            "notes": row.get("Description") or None,
        }

    # Writing.

    def update(self, row, body):
        self.crm.call("PATCH", f"/services/data/v60.0/sobjects/Opportunity/{row['Id']}", body)

    def insert(self, body):
        self.crm.call("POST", "/services/data/v60.0/sobjects/Opportunity", body)

    def write_crm(self, row, changes, what, mark=CHECK):
        """One save: the fields, a line in the Audit trail, the mark in the name."""
        now = time.strftime("%Y-%m-%d %H:%MZ", time.gmtime())
        body = dict(changes)
        body["Audit__c"] = ((row.get("Audit__c") or "") + f"\n{now} {what}").strip()[-30000:]
        name = plain(row["Name"])
        body["Name"] = f"{name} {mark}" if self.settings["displayCheckMark"] else name
        self.update(row, body)
        self.told[row["Id"]] = what

    def patch(self, referral, **changes):
        operations = [{"op": "replace", "path": path, "value": value} for path, value in changes.items()]
        path = f"/v1.0/engagements/referrals/{referral['id']}"
        for attempt in (1, 2, 3):
            try:
                return self.pc.call("PATCH", path, operations, {"If-Match": referral["eTag"]})
            except Wait:
                # A planted bug: it tries again at once, whatever it was told.
                if not self.pc.impatient or attempt == 3:
                    raise

    def to_pc(self, fields):
        operations = {}
        if "value" in fields or "currency" in fields:
            for field, path in (("value", "/details/dealValue"), ("currency", "/details/currency")):
                if field in fields:
                    operations[path] = fields[field]
        if "closes" in fields:
            operations["/details/closingDateTime"] = fields["closes"] and fields["closes"] + "T00:00:00Z"
        if "notes" in fields:
            operations["/details/notes"] = fields["notes"] or ""
        return operations

    @staticmethod
    def to_crm(fields):
        names = {"value": "Amount", "currency": "CurrencyIsoCode", "closes": "CloseDate", "notes": "Description"}
        return {names[field]: value for field, value in fields.items()}

    # A referral without an opportunity.

    def account(self, customer):
        name, address = customer["name"], customer.get("address") or {}
        postal, country = address.get("postalCode"), address.get("country")
        where = f"Name = {quoted(name)}" + (f" AND BillingPostalCode = {quoted(postal)}" if postal else "")
        known = self.query(f"SELECT Id FROM Account WHERE {where} ORDER BY CreatedDate, Id LIMIT 1")
        if known:
            return known[0]["Id"]
        body = {"Name": name, "BillingPostalCode": postal, "BillingCountry": country}
        body = {field: value for field, value in body.items() if value}
        return self.crm.call("POST", "/services/data/v60.0/sobjects/Account", body)["id"]

    def create_in_crm(self, referral):
        """A lost reply is no matter: the next round finds the opportunity by its Referral Identifier."""
        stage = self.settings["onHoldStage"] if referral["status"] == "New" else self.settings["activeStage"]
        body = {
            "Name": plain(referral["name"]),
            "StageName": stage,
            "Sync_With_Partner_Center__c": True,
            "Referral_Identifier__c": referral["id"],
            "AccountId": self.account(referral["customerProfile"]),
        }
        body.update(self.to_crm(self.of_referral(referral)))
        try:
            self.insert(body)
        except Wait:
            # A planted bug: the reply was lost, so it is done once more.
            if self.bug != "duplicate-on-lost-reply":
                raise
            self.insert(body)

    # An opportunity without a referral.

    def solutions(self, row):
        rows = self.query(
            "SELECT Solution__r.Solution_Identifier__c FROM Microsoft_Solutions__c "
            f"WHERE Opportunity__c = {quoted(row['Id'])}"
        )
        return [one["Solution__r"]["Solution_Identifier__c"] for one in rows if one.get("Solution__r")]

    def people(self, row):
        people = self.query(
            "SELECT Contact.FirstName, Contact.LastName, Contact.Email FROM OpportunityContactRole "
            f"WHERE OpportunityId = {quoted(row['Id'])} ORDER BY IsPrimary DESC, Id"
        )
        names = {"firstName": "FirstName", "lastName": "LastName", "email": "Email"}
        return [{key: one["Contact"][name] for key, name in names.items()} for one in people[:1]]

    def create_in_pc(self, row):
        """A lost reply is no matter: the next round finds the referral by its externalReferenceId."""
        fields, account, lines = self.of_opportunity(row), row.get("Account") or {}, []
        solutions = self.solutions(row)
        if not solutions:
            lines.append("Solution ID is required")
        if fields["value"] is None:
            lines.append("Deal value is required")
        if not fields["closes"]:
            lines.append("Closing date is required")
        country = account.get("BillingCountry") or ""
        if len(country) != 2:
            lines.append("Country of two letters is required")
        if (row.get("How_can_Microsoft_help__c") or "") not in ("", "No help is required"):
            lines.append("This connector asks Microsoft for no help")
        if lines:
            what = "CRM to PC: " + ", ".join(lines)
            if self.told.get(row["Id"]) != what:
                self.write_crm(row, {}, what, CROSS)
            return
        team = self.people(row)
        body = {
            "name": plain(row["Name"]),
            "externalReferenceId": row["Id"],
            "qualification": "SalesQualified",
            "type": "Independent",
            "target": [{"type": "SolutionProfile", "id": solution} for solution in solutions],
            "customerProfile": {
                "name": account.get("Name"),
                "address": {"postalCode": account.get("BillingPostalCode"), "country": country},
                "team": team,
            },
            "consent": {
                "consentToToShareInfoWithOthers": True,
                "consentToContact": True,
                "consentToShareReferralWithMicrosoftSellers": bool(row["Referral_visible_to_Microsoft_sellers__c"]),
            },
            "details": {
                "notes": fields["notes"],
                "dealValue": fields["value"],
                "currency": fields["currency"],
                "closingDateTime": fields["closes"] + "T00:00:00Z",
                "requirements": {"solutions": [{"id": one, "name": one, "type": "Name"} for one in solutions]},
            },
            "team": [],
            "inviteContext": {"assistanceRequestCode": "Unknown"},
        }
        self.pc.call("POST", "/v1.0/engagements/referrals", body)

    # A pair.

    def link(self, referral, row):
        """Both records name each other before anything else is done with them."""
        done = False
        if row.get("Referral_Identifier__c") != referral["id"]:
            changes = {"Referral_Identifier__c": referral["id"]}
            self.write_crm(row, changes, "CRM to PC: linked")
            done = True
        if referral.get("externalReferenceId") != row["Id"]:
            self.patch(referral, **{"/externalReferenceId": row["Id"]})
            done = True
        if not done and not row.get("Audit__c"):
            self.write_crm(row, {}, "PC to CRM: created")
            done = True
        return done

    def pair(self, referral, row):
        if referral["status"] == "Closed" or row["IsClosed"]:
            return self.close(referral, row)
        if not row["Sync_With_Partner_Center__c"]:
            return
        if self.link(referral, row):
            return
        held = self.held(row)
        if referral["status"] == "New" and not held:
            self.patch(referral, **{"/status": "Active", "/substatus": "Accepted"})
            return
        if referral["status"] == "Active" and held and referral["id"] not in self.accepted:
            self.write_crm(row, {"StageName": self.settings["activeStage"]}, "PC to CRM: accepted")
            return
        if referral["status"] == "Active":
            self.accepted.add(referral["id"])
        self.merge(referral, row, held)

    def close(self, referral, row):
        won = {"Won": "Closed Won"}
        if referral["status"] == "Closed":
            if row["IsClosed"] or not row["Sync_With_Partner_Center__c"] or self.agreed.get(referral["id"]) == "closed":
                self.agreed[referral["id"]] = "closed"
                return
            stage = won.get(referral["substatus"], "Closed Lost")
            self.write_crm(row, {"StageName": stage}, f"PC to CRM: {referral['substatus']}")
            self.agreed[referral["id"]] = "closed"
        elif row["Sync_With_Partner_Center__c"]:
            if referral["status"] == "New" and row["IsWon"]:
                self.patch(referral, **{"/status": "Active", "/substatus": "Accepted"})
                return
            ending = "Won" if row["IsWon"] else "Declined" if referral["status"] == "New" else "Lost"
            reason = {} if row["IsWon"] else {"/statusReason": "Other"}
            self.patch(referral, **reason, **{"/status": "Closed", "/substatus": ending})

    def merge(self, referral, row, held):
        """Field by field against the last state that both sides agreed on; Partner Center wins."""
        in_pc, in_crm = self.of_referral(referral), self.of_opportunity(row)
        base = self.agreed.setdefault(referral["id"], dict(in_pc))
        to_crm, to_pc = {}, {}
        for field, here in in_crm.items():
            there = in_pc[field]
            if here == there:
                base[field] = here
            elif there != base[field] and (here == base[field] or not held):
                to_crm[field] = there
            elif here != base[field] and (not held or self.bug == "leak-on-hold"):
                to_pc[field] = here
        if self.bug == "echo-loop":
            # A planted bug: whatever was written last is taken for news, its own writes included.
            to_crm = dict(in_pc)
        if to_pc:
            self.patch(referral, **self.to_pc(to_pc))
        if to_crm:
            self.write_crm(row, self.to_crm(to_crm), "PC to CRM: " + ", ".join(to_crm))
        elif to_pc:
            self.write_crm(row, {}, "CRM to PC: " + ", ".join(to_pc))
        if not held and plain(row["Name"]) != referral["name"]:
            self.rename(referral, plain(row["Name"]))
        base.update(to_crm)
        base.update(to_pc)

    def rename(self, referral, name):
        path = f"/v1.0/engagements/referrals/{referral['id']}"
        whole = self.pc.call("GET", path)
        whole.pop("links", None)
        whole.pop("@odata.context", None)
        whole["name"] = name
        self.pc.call("PUT", path, whole, {"If-Match": whole["eTag"]})

    # The rounds.

    def attempt(self, work, *records):
        try:
            work(*records)
        except Wait as error:
            print("later:", error, flush=True)
        except Refused as error:
            print("refused:", error, flush=True)

    def round(self):
        referrals, rows = self.referrals(), self.opportunities()
        by_id, by_referral = {row["Id"]: row for row in rows}, {}
        for row in rows:
            if row.get("Referral_Identifier__c"):
                by_referral.setdefault(row["Referral_Identifier__c"], row)
        paired = set()
        for referral in referrals:
            external = referral.get("externalReferenceId")
            row = by_referral.get(referral["id"]) or by_id.get(external)
            if row:
                paired.add(row["Id"])
                self.attempt(self.pair, referral, row)
            elif referral["status"] != "Closed" and not external:
                if referral["type"] == "Shared" or not self.settings["syncCosellOnly"]:
                    self.attempt(self.create_in_crm, referral)
        for row in rows:
            waits = self.held(row) or row["IsClosed"] or not row["Sync_With_Partner_Center__c"]
            if row["Id"] not in paired and not row.get("Referral_Identifier__c") and not waits:
                self.attempt(self.create_in_pc, row)


    def rest(self):
        """What it does between two rounds."""
        time.sleep(POLL_EVERY)


BUGS = ["duplicate-on-lost-reply", "echo-loop", "leak-on-hold", "ignores-retry-after"]


def run(kind, description):
    """Starts a connector of that kind, and works until somebody ends it."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--bug", choices=BUGS)
    chosen = arguments.parse_args()
    with open(os.environ["COSELL_READY_FILE"], encoding="utf-8") as file:
        ready = json.load(file)
    connector = kind(ready, chosen.bug)
    while True:
        try:
            connector.round()
        except Wait as error:
            print("later:", error, flush=True)
        except Refused as error:
            print("refused:", error, flush=True)
        connector.rest()


if __name__ == "__main__":
    run(Connector, __doc__)
