"""What the files of this suite share: sessions that reach the server under test, and its control port."""

import json
import os
import time
import unittest
import urllib.request
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce


def required(name):
    """A word that tests/clients/run puts into the environment."""
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"{name} is not set: start this suite with tests/clients/run")
    return value


BASE = required("COSELL_SALESFORCE_URL")
HOST = urlsplit(BASE).netloc
CONTROL = required("COSELL_CONTROL_URL")
KEY = "Referral_Identifier__c"


class LoginHost(HTTPAdapter):
    """The client has Salesforce's login host built in; this carries what goes there to the server under test."""

    def send(self, request, *args, **kwargs):
        parts = urlsplit(request.url)
        request.url = request.url.replace(f"{parts.scheme}://{parts.netloc}", BASE, 1)
        return super().send(request, *args, **kwargs)


def session():
    """A session of requests that trusts the server's authority."""
    made = requests.Session()
    for host in ("login", "contoso.my"):
        made.mount(f"https://{host}.salesforce.com", LoginHost())
    made.verify = required("COSELL_CA_FILE")
    return made


def salesforce(**options):
    """The client with the token that `cosell serve` printed."""
    options = {"instance_url": BASE, "session_id": required("COSELL_SALESFORCE_TOKEN"), "version": "60.0", **options}
    return Salesforce(session=session(), **options)


def order(method, path, body=None):
    """One call of the control port."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{CONTROL}/control/{path}", data=data, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def deal(name, **more):
    """A new opportunity's fields."""
    return {"Name": name, "StageName": "Prospecting", "CloseDate": "2027-03-31", **more}


def eventually(look, wanted, seconds=20):
    """Looks until it sees what is wanted."""
    last = time.monotonic() + seconds
    while (seen := look()) != wanted:
        if time.monotonic() > last:
            raise AssertionError(f"still {seen!r} after {seconds} s, wanted {wanted!r}")
        time.sleep(0.1)


class Case(unittest.TestCase):
    """A test with a client of its own."""

    maxDiff = None

    def setUp(self):
        self.sf = salesforce()
        self.addCleanup(self.sf.session.close)
