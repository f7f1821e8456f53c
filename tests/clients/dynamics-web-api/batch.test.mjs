// Batches and change sets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, made, read, unique } from './given.mjs';

test('a change set is carried out whole, with references to its own rows', async () => {
  const api = client();
  const name = unique('batch');
  api.startBatch();
  api.create({ collection: 'contacts', data: { lastname: name }, contentId: '1' });
  api.create({ collection: 'accounts', data: { name, 'primarycontactid@odata.bind': '$1' }, contentId: '2' });
  api.create({ collection: 'opportunities', data: { name, 'customerid_account@odata.bind': '$2' }, contentId: '3' });
  const [contact, account, deal] = await api.executeBatch();
  const row = await read('accounts', account);
  assert.deepEqual([row.name, row._primarycontactid_value], [name, contact]);
  assert.equal((await read('opportunities', deal))._customerid_value, account);
});

test('reads and writes beside each other answer in order', async () => {
  const api = client();
  const name = unique('order');
  await made('accounts', { name });
  api.startBatch();
  api.retrieveMultiple({ collection: 'accounts', filter: `name eq '${name}'`, select: ['name'] });
  api.create({ collection: 'accounts', data: { name }, inChangeSet: false });
  api.count({ collection: 'accounts', filter: `name eq '${name}'` });
  const [before, key, count] = await api.executeBatch();
  assert.deepEqual([before.value.length, count], [1, 2]);
  assert.equal((await read('accounts', key)).name, name);
});

test('a change set that fails leaves nothing behind', async () => {
  const api = client();
  const name = unique('rolled back');
  api.startBatch();
  api.create({ collection: 'accounts', data: { name } });
  api.create({ collection: 'accounts', data: { name: 'x'.repeat(161) } });
  await assert.rejects(api.executeBatch(), (errors) => {
    assert.deepEqual(errors.map((error) => [error.status, error.error.code]), [[400, '0x80044331']]);
    return true;
  });
  const left = await client().retrieveMultiple({ collection: 'accounts', filter: `name eq '${name}'` });
  assert.equal(left.value.length, 0);
});

test('a batch goes on behind an error when told so', async () => {
  const api = client();
  const name = unique('goes on');
  api.startBatch();
  api.create({ collection: 'accounts', data: { name: 'x'.repeat(161) }, inChangeSet: false });
  api.create({ collection: 'accounts', data: { name }, inChangeSet: false });
  const [failed, key] = await api.executeBatch({ continueOnError: true });
  assert.deepEqual([failed.status, failed.error.code], [400, '0x80044331']);
  assert.equal((await read('accounts', key)).name, name);
  const left = await client().retrieveMultiple({ collection: 'accounts', filter: `name eq '${name}'` });
  assert.equal(left.value.length, 1);
});

test('a URL that is too long is sent as a batch by the library itself', async () => {
  const name = unique('long');
  const key = await made('accounts', { name });
  const filter = Array.from({ length: 120 }, (_, place) => `name eq '${name}${place || ''}'`).join(' or ');
  const found = await client().retrieveMultiple({ collection: 'accounts', filter, select: ['name'] });
  assert.deepEqual(found.value.map((row) => row.accountid), [key]);
});
