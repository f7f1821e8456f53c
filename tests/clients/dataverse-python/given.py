"""What the files of this suite share: Microsoft's client over TLS, and a credential that is good."""

import itertools
import os

from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError


def required(name):
    """A word that tests/clients/run puts into the environment."""
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"{name} is not set: start this suite with tests/clients/run")
    return value


BASE = required("COSELL_DATAVERSE_URL")
NUMBERS = itertools.count(1)


class Credential:
    """The token that `cosell serve` printed; notes for what it was asked."""

    def __init__(self, token=None):
        self.token = token or required("COSELL_DATAVERSE_TOKEN")
        self.scopes = []

    def get_token(self, *scopes, **_options):
        self.scopes.extend(scopes)
        return AccessToken(self.token, 4_000_000_000)


def client(credential=None):
    """The client."""
    return DataverseClient(BASE, credential or Credential())


def unique(word):
    """A name that no other test uses."""
    return f"{word} {os.getpid()}-{next(NUMBERS)}"


def refusal(call):
    """Status and code of a call that the server refuses."""
    try:
        call()
    except HttpError as error:
        return error.status_code, (error.details or {}).get("service_error_code")
    raise AssertionError("the call was not refused")
