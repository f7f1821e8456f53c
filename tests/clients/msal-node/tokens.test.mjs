// Signing in with msal-node, over TLS, and what the tokens are good for.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ConfidentialClientApplication, PublicClientApplication } from '@azure/msal-node';

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: start this suite with tests/clients/run`);
  return value;
}

const entra = required('COSELL_ENTRA_URL');
const dataverse = required('COSELL_DATAVERSE_URL');
const tenant = '11111111-2222-4333-8444-555555555555';
const auth = {
  clientId: '99999999-2222-4333-8444-555555555555',
  authority: `${entra}/${tenant}`,
  knownAuthorities: [new URL(entra).host],
};
const scopes = [`${dataverse}/.default`];

async function whoAmI(token) {
  return fetch(`${dataverse}/api/data/v9.2/WhoAmI`, { headers: { authorization: `Bearer ${token}` } });
}

test('the pinned version is the one that is driven', () => {
  const path = new URL('./node_modules/@azure/msal-node/package.json', import.meta.url);
  assert.equal(JSON.parse(readFileSync(path)).version, '7.2.1');
});

test('a client secret gets a token that Dataverse takes, and keeps it', async () => {
  const application = new ConfidentialClientApplication({ auth: { ...auth, clientSecret: 'secret' } });
  const first = await application.acquireTokenByClientCredential({ scopes });
  const answer = await whoAmI(first.accessToken);
  assert.equal(answer.status, 200);
  assert.match((await answer.json()).UserId, /^[0-9a-f-]{36}$/);
  const again = await application.acquireTokenByClientCredential({ scopes });
  assert.deepEqual([again.accessToken, again.fromCache], [first.accessToken, true]);
});

test('a wrong secret is refused with the code of Entra ID', async () => {
  const application = new ConfidentialClientApplication({ auth: { ...auth, clientSecret: 'wrong' } });
  await assert.rejects(application.acquireTokenByClientCredential({ scopes }), (error) => {
    assert.match(`${error.errorCode} ${error.message}`, /invalid_client.*7000215/s);
    return true;
  });
});

test('a device is approved on another screen', async () => {
  const application = new PublicClientApplication({ auth });
  const token = await application.acquireTokenByDeviceCode({
    scopes,
    deviceCodeCallback: async (code) => {
      const page = new URL(code.verificationUri);
      await fetch(page, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ user_code: code.userCode, username: 'connector', decision: 'approve' }),
      });
    },
  });
  assert.equal((await whoAmI(token.accessToken)).status, 200);
  const accounts = await application.getTokenCache().getAllAccounts();
  assert.equal(accounts.length, 1);
  const silent = await application.acquireTokenSilent({ scopes, account: accounts[0], forceRefresh: true });
  assert.notEqual(silent.accessToken, token.accessToken);
  assert.equal((await whoAmI(silent.accessToken)).status, 200);
});

test('without a token the answer says where to sign in and has no body', async () => {
  const answer = await fetch(`${dataverse}/api/data/v9.2/WhoAmI`);
  assert.deepEqual([answer.status, await answer.text()], [401, '']);
  assert.match(answer.headers.get('www-authenticate'), /^Bearer authorization_uri=\S+\/oauth2\/authorize, resource_id=/);
});
