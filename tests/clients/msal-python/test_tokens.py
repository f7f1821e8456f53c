"""Signing in with msal and azure-identity, over TLS, and what the tokens are good for."""

import importlib.metadata
import json
import os
import ssl
import unittest
import urllib.error
import urllib.parse
import urllib.request

import msal
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential


def required(name):
    """A word that tests/clients/run puts into the environment."""
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"{name} is not set: start this suite with tests/clients/run")
    return value


ENTRA = required("COSELL_ENTRA_URL")
DATAVERSE = required("COSELL_DATAVERSE_URL")
TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "99999999-2222-4333-8444-555555555555"
SCOPES = [f"{DATAVERSE}/.default"]
TLS = ssl.create_default_context(cafile=required("COSELL_CA_FILE"))


def who_am_i(token):
    """Status and body of WhoAmI."""
    request = urllib.request.Request(f"{DATAVERSE}/api/data/v9.2/WhoAmI", headers={"authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, context=TLS) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def confidential(secret="secret"):
    """An application with a secret."""
    authority = f"{ENTRA}/{TENANT}"
    return msal.ConfidentialClientApplication(
        CLIENT, authority=authority, client_credential=secret, instance_discovery=False
    )


class Tokens(unittest.TestCase):
    def test_the_pinned_versions_are_the_ones_that_are_driven(self):
        versions = [importlib.metadata.version(name) for name in ("msal", "azure-identity")]
        self.assertEqual(versions, ["1.39.0", "1.27.0"])

    def test_a_client_secret_gets_a_token_that_dataverse_takes_and_keeps_it(self):
        application = confidential()
        first = application.acquire_token_for_client(SCOPES)
        self.assertEqual(first["token_source"], "identity_provider", first)
        status, body = who_am_i(first["access_token"])
        self.assertEqual((status, len(body["UserId"])), (200, 36))
        again = application.acquire_token_for_client(SCOPES)
        self.assertEqual((again["token_source"], again["access_token"]), ("cache", first["access_token"]))

    def test_a_wrong_secret_is_refused_with_the_code_of_entra_id(self):
        refused = confidential("wrong").acquire_token_for_client(SCOPES)
        self.assertEqual((refused["error"], refused["error_codes"]), ("invalid_client", [7000215]))

    def test_a_device_is_approved_on_another_screen_and_its_token_is_renewed(self):
        application = msal.PublicClientApplication(CLIENT, authority=f"{ENTRA}/{TENANT}", instance_discovery=False)
        flow = application.initiate_device_flow(SCOPES)
        decision = {"user_code": flow["user_code"], "username": "connector", "decision": "approve"}
        form = urllib.parse.urlencode(decision).encode()
        urllib.request.urlopen(flow["verification_uri"], data=form, context=TLS).close()
        token = application.acquire_token_by_device_flow(flow)
        self.assertEqual(who_am_i(token["access_token"])[0], 200, token)
        account = application.get_accounts()[0]
        renewed = application.acquire_token_silent(SCOPES, account=account, force_refresh=True)
        self.assertNotEqual(renewed["access_token"], token["access_token"])
        self.assertEqual(who_am_i(renewed["access_token"])[0], 200)

    def test_azure_identity_gets_one_too_and_says_what_was_wrong(self):
        options = {"authority": ENTRA, "disable_instance_discovery": True}
        token = ClientSecretCredential(TENANT, CLIENT, "secret", **options).get_token(*SCOPES)
        self.assertEqual(who_am_i(token.token)[0], 200)
        with self.assertRaisesRegex(ClientAuthenticationError, "7000215"):
            ClientSecretCredential(TENANT, CLIENT, "wrong", **options).get_token(*SCOPES)

    def test_a_token_for_another_api_is_worth_nothing(self):
        token = confidential().acquire_token_for_client(["https://api.partner.microsoft.com/.default"])
        self.assertEqual(who_am_i(token.get("access_token", "none")), (401, ""))
