#!/usr/bin/env python3
"""The small co-sell connector of polling.py, driven by webhooks: it registers a URL of its own, and reads a referral when
Partner Center says that it changed; the whole list only at its start, after a reply that was lost, and now and then. It believes
nothing of a delivery but that it is time to look. `--crm` of the run says which CRM it works for."""

import http.server
import json
import os
import queue
import re
import sys
import threading
import time

sys.dont_write_bytecode = True  # keeps the folder as it is

from dynamics import Dynamics
from polling import Connector, Refused, Wait, Wire, form, run

WHOLE_EVERY = 30.0
CRM_EVERY = 0.3
EVENTS = ["referral-created", "referral-updated", "related-referral-created", "related-referral-updated"]
IDENTIFIER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def listening(heard):
    """The endpoint: says yes at once, and leaves the work to the rounds."""

    class Endpoint(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                uri = str(json.loads(body).get("ResourceUri"))
            except (ValueError, AttributeError):
                uri = ""
            heard.put(IDENTIFIER.findall(uri)[-1:])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/hooks"


def driven(kind):
    """A connector of that kind, driven by webhooks."""

    class Driven(kind):
        def __init__(self, ready, bug):
            super().__init__(ready, bug)
            self.known, self.whole_at, self.registered = {}, 0.0, False
            self.heard = queue.Queue()
            self.url = listening(self.heard)
            sign_in, base = ready["signIn"], ready["bases"]["partner-center"]
            entra = f"{ready['bases']['entra']}/{sign_in['tenant']}/oauth2/v2.0/token"
            fields = {
                "grant_type": "refresh_token",
                "refresh_token": sign_in["refreshToken"],
                "client_id": sign_in["clientId"],
                "client_secret": sign_in["clientSecret"],
                "scope": "https://api.partnercenter.microsoft.com/.default offline_access",
            }
            self.hooks = Wire(base, lambda: form(entra, **fields))

        def register(self):
            body = {"WebhookUrl": self.url, "WebhookEvents": EVENTS}
            try:
                self.hooks.call("POST", "/webhooks/v1/registration", body)
            except (Wait, Refused) as error:
                # Somebody registered before: it is overwritten.
                if not str(error).startswith("409"):
                    raise
                self.hooks.call("PUT", "/webhooks/v1/registration", body)
            self.registered = True

        def referrals(self):
            if not self.registered:
                self.register()
            if time.monotonic() >= self.whole_at:
                self.known = {one["id"]: one for one in super().referrals()}
                self.whole_at = time.monotonic() + WHOLE_EVERY
            changed = set()
            while not self.heard.empty():
                changed.update(self.heard.get())
            for one in sorted(changed):
                try:
                    self.look(one)
                except Wait:
                    self.heard.put([one])
                    raise
            return list(self.known.values())

        def look(self, identifier):
            referral = self.pc.call("GET", f"/v1.0/engagements/referrals/{identifier}")
            if not any(target.get("id") == "msft" for target in referral.get("target") or []):
                self.known[referral["id"]] = referral

        def patch(self, referral, **changes):
            # Whether it went well or not: what is known of the referral is old now.
            self.heard.put([referral["id"]])
            return super().patch(referral, **changes)

        def rename(self, referral, name):
            self.heard.put([referral["id"]])
            return super().rename(referral, name)

        def create_in_pc(self, row):
            self.whole_at = 0.0
            return super().create_in_pc(row)

        def rest(self):
            time.sleep(CRM_EVERY)

    return Driven


if __name__ == "__main__":
    run(driven(Dynamics if os.environ.get("COSELL_CRM") == "dynamics" else Connector), __doc__)
