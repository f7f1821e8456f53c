"""Microsoft's Dataverse client meets limits, expired tokens, and batches of everything."""

import json
import os
import unittest
import urllib.request

from given import Credential, client, refusal, required, unique
from PowerPlatform.Dataverse.core.errors import HttpError


def order(method, path, body):
    """One call of the control port."""
    url = f"{required('COSELL_CONTROL_URL')}/control/{path}"
    request = urllib.request.Request(url, method=method, data=json.dumps(body).encode())
    urllib.request.urlopen(request).close()


class Trouble(unittest.TestCase):
    def test_a_limit_says_how_long_to_wait_and_a_later_call_goes_through(self):
        records = client().records
        key = records.create("lead", {"subject": unique("limited")})
        body = {"error": {"code": "0x80072322", "message": "Number of requests exceeded the limit of 6000."}}
        answer = {"status": 429, "headers": {"retry-after": "9"}, "body": body}
        order("POST", "faults", {"site": "dataverse", "pathContains": f"leads({key})", "fate": {"answer": answer}})
        with self.assertRaises(HttpError) as refused:
            records.retrieve("lead", key)
        error = refused.exception
        self.assertEqual((error.status_code, error.details["service_error_code"]), (429, "0x80072322"))
        self.assertEqual((error.is_transient, error.details["retry_after"]), (True, 9))
        self.assertEqual(records.retrieve("lead", key)["leadid"], key)

    def test_a_token_that_is_none_is_refused(self):
        self.assertEqual(refusal(lambda: client(Credential("spent")).records.list("account"))[0], 401)

    def test_a_batch_carries_upserts_lists_and_deletions(self):
        api, number = client(), unique("B")[-18:]
        batch = api.batch.new()
        batch.records.upsert("account", [{"alternate_key": {"accountnumber": number}, "record": {"name": number}}])
        batch.records.list("account", filter=f"accountnumber eq '{number}'", select=["name"])
        batch.tables.get("account")
        result = batch.execute()
        self.assertFalse(result.has_errors, [(answer.status_code, answer.error_message) for answer in result.responses])
        self.assertEqual([row["name"] for row in result.responses[1].data["value"]], [number])

    def test_a_batch_without_the_word_to_go_on_stops_at_its_error(self):
        api, name = client(), unique("stops")
        batch = api.batch.new()
        batch.records.create("lead", {"subject": name})
        batch.records.create("lead", {"nosuch": 1})
        batch.records.create("lead", {"subject": name})
        result = batch.execute()
        self.assertEqual([answer.status_code for answer in result.failed], [400])
        self.assertEqual(len(list(api.records.list("lead", filter=f"subject eq '{name}'"))), 1)

    def test_a_file_is_refused_by_name(self):
        import tempfile

        api = client()
        key = api.records.create("account", {"name": unique("file")})
        with tempfile.NamedTemporaryFile(suffix=".txt", delete=False) as file:
            file.write(b"x")
        self.addCleanup(os.unlink, file.name)
        upload = lambda: api.files.upload("account", key, "new_Document", file.name)
        self.assertEqual(refusal(upload)[0], 501)
