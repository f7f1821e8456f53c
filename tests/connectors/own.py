#!/usr/bin/env python3
"""Runs this project's own connector as a process for `cosell run --connector external`: writes its settings from the file that
COSELL_READY_FILE names, and starts `cosell connector run`. The first argument is the program `cosell`."""

import json
import os
import signal
import subprocess
import sys
import tempfile

SETTINGS = """\
partner center:
  login: {bases[entra]}
  api: {bases[partner-center]}
  events: {bases[partner-center]}
  tenant: {signIn[tenant]}
  client id: connector
  client secret: {signIn[clientSecret]}
  refresh token: "{signIn[refreshToken]}"
crm: {{{crm_settings}}}
times: {{poll every: 500ms, reconcile every: 1s, longest back-off: 1s, unknown create wait: 1s}}
process:
  store: {store}
  listen: 127.0.0.1:0
  status: 127.0.0.1:0
"""


def main():
    with open(os.environ["COSELL_READY_FILE"], encoding="utf-8") as file:
        ready = json.load(file)
    bases, secret = ready["bases"], ready["signIn"]["clientSecret"]
    crm_settings = f"kind: {ready['crm']}, client id: connector, client secret: {secret}, "
    if ready["crm"] == "salesforce":
        crm_settings += f"org: {bases['salesforce']}"
    else:
        crm_settings += f"org: {bases['dataverse']}, login: {bases['entra']}, tenant: {ready['signIn']['tenant']}"
    with tempfile.TemporaryDirectory(prefix="cosell-own-") as folder:
        path = os.path.join(folder, "settings.yaml")
        with open(path, "w", encoding="utf-8") as file:
            store = os.path.join(folder, "memory.db")
            file.write(SETTINGS.format(crm_settings=crm_settings, store=store, **ready))
        child = subprocess.Popen([sys.argv[1], "connector", "run", "--settings", path])
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        return child.wait()


if __name__ == "__main__":
    sys.exit(main())
