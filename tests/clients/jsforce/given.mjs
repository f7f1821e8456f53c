// What the files of this suite share: connections, and the control port of the server under test.
import { readFileSync } from 'node:fs';
import jsforce from 'jsforce';

export const base = required('COSELL_SALESFORCE_URL');
export const control = required('COSELL_CONTROL_URL');
const token = required('COSELL_SALESFORCE_TOKEN');

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: start this suite with tests/clients/run`);
  return value;
}

/** The version of the installed jsforce, as its own package says. */
export const clientVersion = JSON.parse(
  readFileSync(new URL('./node_modules/jsforce/package.json', import.meta.url)),
).version;

/** A connection with the token that `cosell serve` printed. */
export function connection(options = {}) {
  return new jsforce.Connection({ instanceUrl: base, accessToken: token, version: '60.0', ...options });
}

/** The connected application that the simulated org knows, for the OAuth flows. */
export const application = {
  loginUrl: base,
  clientId: 'client',
  clientSecret: 'secret',
  redirectUri: 'http://127.0.0.1/callback',
};

/** One call of the control port. */
export async function order(method, path, body) {
  const answer = await fetch(`${control}/control/${path}`, { method, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** A new opportunity's fields. */
export function deal(name, more = {}) {
  return { Name: name, StageName: 'Prospecting', CloseDate: '2027-03-31', ...more };
}
