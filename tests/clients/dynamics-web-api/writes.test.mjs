// Creating, updating, upserting, deleting and linking rows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base, client, clientVersion, made, read, refused, unique } from './given.mjs';

const nobody = '00000000-0000-4000-8000-00000000dead';

test('the pinned version is the one that is driven', () => assert.equal(clientVersion, '2.5.0'));

test('a created row is read back, and its representation comes when asked for', async () => {
  const name = unique('Zürich "☃" O\'Brien');
  const key = await made('accounts', { name, revenue: 1234.5 });
  const row = await read('accounts', key, ['name', 'revenue']);
  assert.deepEqual([row.name, row.revenue, row.accountid], [name, 1234.5, key]);
  const contact = await client().create({
    collection: 'contacts',
    data: { firstname: 'Ada', lastname: 'Byron' },
    select: ['fullname'],
    returnRepresentation: true,
  });
  assert.equal(contact.fullname, 'Ada Byron');
  assert.ok(contact.contactid && contact['@odata.etag']);
});

test('a key that the caller chose is kept, and a second row with it is refused', async () => {
  const accountid = crypto.randomUUID();
  assert.equal(await made('accounts', { accountid, name: 'chosen' }), accountid);
  await refused(client().create({ collection: 'accounts', data: { accountid, name: 'again' } }), 412, '0x80040237');
});

test('an update needs its row, and an entity tag holds it back', async () => {
  const key = await made('accounts', { name: 'before' });
  assert.equal(await client().update({ collection: 'accounts', key, data: { name: 'after' } }), true);
  const row = await read('accounts', key);
  assert.equal(row.name, 'after');
  const ifmatch = row['@odata.etag'];
  const changed = await client().update({
    collection: 'accounts', key, data: { telephone1: '1' }, returnRepresentation: true, select: ['telephone1'], ifmatch,
  });
  assert.equal(changed.telephone1, '1');
  assert.equal(await client().update({ collection: 'accounts', key, data: { telephone1: '2' }, ifmatch }), false);
  assert.equal((await read('accounts', key)).telephone1, '1');
  await refused(client().update({ collection: 'accounts', key: nobody, data: { name: 'x' } }), 404, '0x80040217');
});

test('an upsert creates, updates, and does only one of both when told so', async () => {
  const key = crypto.randomUUID();
  const upsert = (data, more = {}) => client().upsert({ collection: 'accounts', key, data, ...more });
  await upsert({ name: 'one' });
  assert.equal((await read('accounts', key)).name, 'one');
  const row = await upsert({ name: 'two' }, { returnRepresentation: true, select: ['name'] });
  assert.equal(row.name, 'two');
  assert.equal(await upsert({ name: 'three' }, { ifnonematch: '*' }), null);
  assert.equal((await read('accounts', key)).name, 'two');
  const absent = client().upsert({ collection: 'accounts', key: nobody, data: { name: 'x' }, ifmatch: '*' });
  assert.equal(await absent, null);
});

test('an alternate key creates, finds, updates and is held unique', async () => {
  const number = unique('N').slice(-18);
  const key = `accountnumber='${number}'`;
  const upsert = (data) => client().upsert({ collection: 'accounts', key, data });
  await upsert({ name: 'first' });
  const row = await client().retrieve({ collection: 'accounts', key, select: ['name', 'accountnumber'] });
  assert.deepEqual([row.name, row.accountnumber], ['first', number]);
  await upsert({ name: 'second' });
  assert.equal((await read('accounts', row.accountid)).name, 'second');
  await refused(client().create({ collection: 'accounts', data: { name: 'x', accountnumber: number } }), 412, '0x80060892');
  await refused(client().retrieve({ collection: 'accounts', key: "accountnumber='nobody'" }), 404, '0x80060891');
  const deal = await made('opportunities', { name: 'd', 'customerid_account@odata.bind': `/accounts(${key})` });
  assert.equal((await read('opportunities', deal))._customerid_value, row.accountid);
});

test('one property is put and deleted', async () => {
  const key = await made('accounts', { name: 'a', description: 'words' });
  await client().updateSingleProperty({ collection: 'accounts', key, fieldValuePair: { telephone1: '5' } });
  assert.equal((await read('accounts', key)).telephone1, '5');
  assert.equal(await client().deleteRecord({ collection: 'accounts', key, property: 'description' }), true);
  assert.equal((await read('accounts', key)).description, null);
});

test('a deleted row is gone, and an entity tag holds a deletion back', async () => {
  const key = await made('contacts', { lastname: 'x' });
  const old = (await read('contacts', key))['@odata.etag'];
  await client().update({ collection: 'contacts', key, data: { lastname: 'y' } });
  assert.equal(await client().deleteRecord({ collection: 'contacts', key, ifmatch: old }), false);
  await client().deleteRecord({ collection: 'contacts', key });
  await refused(read('contacts', key), 404, '0x80040217');
  await refused(client().deleteRecord({ collection: 'contacts', key }), 404, '0x80040217');
});

test('lookups are bound, cleared, and never written directly', async () => {
  const account = await made('accounts', { name: 'Contoso' });
  const contact = await made('contacts', { lastname: 'Byron', 'parentcustomerid_account@odata.bind': `accounts(${account})` });
  const deal = await made('opportunities', {
    name: 'deal',
    'customerid_account@odata.bind': `/accounts(${account})`,
    'parentcontactid@odata.bind': `${base}/api/data/v9.2/contacts(${contact})`,
  });
  const row = await read('opportunities', deal);
  assert.deepEqual([row._customerid_value, row._parentcontactid_value], [account, contact]);
  await client().update({ collection: 'opportunities', key: deal, data: { 'parentcontactid@odata.bind': null } });
  assert.equal((await read('opportunities', deal))._parentcontactid_value, null);
  const direct = client().update({ collection: 'opportunities', key: deal, data: { _customerid_value: account } });
  await refused(direct, 400, '0x80060888');
});

test('rows are linked and unlinked by both kinds of navigation property', async () => {
  const account = await made('accounts', { name: 'one' });
  const contact = await made('contacts', { lastname: 'two' });
  const deal = await made('opportunities', { name: 'three' });
  const link = { collection: 'accounts', primaryKey: account };
  await client().associateSingleValued({
    ...link, navigationProperty: 'primarycontactid', relatedCollection: 'contacts', relatedKey: contact,
  });
  assert.equal((await read('accounts', account))._primarycontactid_value, contact);
  await client().disassociateSingleValued({ ...link, navigationProperty: 'primarycontactid' });
  assert.equal((await read('accounts', account))._primarycontactid_value, null);
  const many = { ...link, relationshipName: 'opportunity_parent_account', relatedKey: deal };
  await client().associate({ ...many, relatedCollection: 'opportunities' });
  assert.equal((await read('opportunities', deal))._parentaccountid_value, account);
  await client().disassociate(many);
  assert.equal((await read('opportunities', deal))._parentaccountid_value, null);
});

test('a deep insert makes related rows in one request', async () => {
  const name = unique('deep');
  const key = await made('accounts', {
    name,
    primarycontactid: { firstname: 'John', lastname: 'Smith' },
    opportunity_customer_accounts: [{ name: `${name} 1` }, { name: `${name} 2`, Opportunity_Annotation: [{ subject: 'note' }] }],
  });
  const account = await read('accounts', key);
  assert.equal((await read('contacts', account._primarycontactid_value)).fullname, 'John Smith');
  const deals = await client().retrieveMultiple({
    collection: 'opportunities', filter: `_customerid_value eq ${key}`, orderBy: ['name'], select: ['name'],
  });
  assert.deepEqual(deals.value.map((deal) => deal.name), [`${name} 1`, `${name} 2`]);
  const notes = await client().retrieveMultiple({
    collection: 'annotations', filter: `_objectid_value eq ${deals.value[1].opportunityid}`,
  });
  assert.equal(notes.value[0].subject, 'note');
  const bad = { name: unique('bad'), primarycontactid: { firstname: 'x'.repeat(51) } };
  await refused(client().create({ collection: 'accounts', data: bad }), 400, '0x80044331');
  const left = await client().retrieveMultiple({ collection: 'accounts', filter: `name eq '${bad.name}'` });
  assert.equal(left.value.length, 0);
});

test('many rows are created, updated, upserted and deleted by one action each', async () => {
  const name = unique('many');
  const type = { '@odata.type': 'Microsoft.Dynamics.CRM.account' };
  const act = (actionName, Targets) => client().callAction({
    collection: 'accounts', actionName: `Microsoft.Dynamics.CRM.${actionName}`, action: { Targets },
  });
  const { Ids } = await act('CreateMultiple', [{ ...type, name }, { ...type, name }]);
  assert.equal(Ids.length, 2);
  await act('UpdateMultiple', Ids.map((accountid, place) => ({ ...type, accountid, telephone1: `${place}` })));
  assert.equal((await read('accounts', Ids[1])).telephone1, '1');
  const half = act('UpdateMultiple', [{ ...type, accountid: Ids[0], telephone1: 'x' }, { ...type, accountid: nobody }]);
  await refused(half, 404, '0x80040217');
  assert.equal((await read('accounts', Ids[0])).telephone1, '0');
});
