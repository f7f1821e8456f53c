// What the files of this suite share: clients, rows, and the control port of the server under test.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { DynamicsWebApi } from 'dynamics-web-api';

export const base = required('COSELL_DATAVERSE_URL');
export const control = required('COSELL_CONTROL_URL');
const token = required('COSELL_DATAVERSE_TOKEN');

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: start this suite with tests/clients/run`);
  return value;
}

/** The version of the installed library, as its own package says. */
export const clientVersion = JSON.parse(
  readFileSync(new URL('./node_modules/dynamics-web-api/package.json', import.meta.url)),
).version;

/** A client with the token that `cosell serve` printed. */
export function client(config = {}) {
  return new DynamicsWebApi({
    serverUrl: base,
    dataApi: { version: '9.2' },
    onTokenRefresh: async () => token,
    ...config,
  });
}

/** One call of the control port. */
export async function order(method, path, body) {
  const answer = await fetch(`${control}/control/${path}`, { method, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

let count = 0;
/** A name that no other test uses. */
export function unique(word) {
  count += 1;
  return `${word} ${process.pid}-${count}`;
}

/** A new row; comes back with its key. */
export async function made(collection, data) {
  const key = await client().create({ collection, data });
  assert.match(key, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  return key;
}

/** One row, read anew. */
export function read(collection, key, select) {
  return client().retrieve({ collection, key, select });
}

/** Asserts that a call is refused with this status and code. */
export async function refused(promise, status, code) {
  await assert.rejects(promise, (error) => {
    assert.deepEqual([error.status, error.code], [status, code], `${error.status} ${error.code} ${error.message}`);
    return true;
  });
}
