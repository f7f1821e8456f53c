// Actions and functions, states, limits and errors.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base, client, made, order, read, refused, unique } from './given.mjs';

const close = (deal, Status, more = {}) => ({
  Status,
  OpportunityClose: { subject: 'Closed', 'opportunityid@odata.bind': `/opportunities(${deal})`, ...more },
});

test('a deal is won once, is read-only then, and can be reopened and lost', async () => {
  const deal = await made('opportunities', { name: 'deal', estimatedvalue: 5000 });
  const act = (actionName, action) => client().callAction({ actionName, action });
  await refused(client().update({ collection: 'opportunities', key: deal, data: { statecode: 1, statuscode: 3 } }), 400, '0x80100005');
  await act('WinOpportunity', close(deal, 3, { actualrevenue: 4000, actualend: '2026-01-31' }));
  const row = await read('opportunities', deal);
  assert.deepEqual(
    [row.statecode, row.statuscode, row.actualvalue, row.actualclosedate],
    [1, 3, 4000, '2026-01-31'],
  );
  const closings = await client().retrieveMultiple({ collection: 'opportunitycloses', filter: `_opportunityid_value eq ${deal}` });
  assert.equal(closings.value.length, 1);
  await refused(act('WinOpportunity', close(deal, 3)), 400, '0x80040515');
  await client().update({ collection: 'opportunities', key: deal, data: { statecode: 0, statuscode: 1 } });
  await refused(client().update({ collection: 'opportunities', key: deal, data: { statecode: 0, statuscode: 1 } }), 400, '0x8004051a');
  await act('LoseOpportunity', close(deal, 4));
  assert.equal((await read('opportunities', deal)).statuscode, 4);
});

test('a lead is qualified into account, contact and opportunity', async () => {
  const lead = await made('leads', { subject: 'lead', firstname: 'Ada', lastname: 'Byron', companyname: unique('Co') });
  const made_ = await client().callAction({
    collection: 'leads', key: lead, actionName: 'Microsoft.Dynamics.CRM.QualifyLead',
    action: { CreateAccount: true, CreateContact: true, CreateOpportunity: true, Status: 3 },
  });
  const kinds = made_.value.map((row) => row['@odata.type'].split('.').pop()).sort();
  assert.deepEqual(kinds, ['account', 'contact', 'opportunity']);
  const row = await read('leads', lead);
  assert.deepEqual([row.statecode, row.statuscode], [1, 3]);
});

test('WhoAmI says who, and the creator of a row is that user', async () => {
  const me = await client().callFunction('WhoAmI');
  assert.ok(me.UserId && me.BusinessUnitId && me.OrganizationId);
  const key = await made('accounts', { name: 'mine' });
  assert.equal((await read('accounts', key))._createdby_value, me.UserId);
});

test('somebody else is stood in for', async () => {
  const seller = await client().retrieveMultiple({ collection: 'systemusers', filter: "startswith(domainname,'seller')" });
  const user = seller.value[0];
  const by = { impersonate: user.systemuserid };
  const key = await client().create({ collection: 'accounts', data: { name: 'theirs' }, ...by });
  const me = await client().callFunction('WhoAmI');
  const row = await read('accounts', key);
  assert.deepEqual([row._createdby_value, row._createdonbehalfby_value], [user.systemuserid, me.UserId]);
});

test('values that do not fit are refused with the vendor\'s codes', async () => {
  const cases = [
    ['accounts', { name: 'x'.repeat(161) }, '0x80044331'],
    ['accounts', { revenue: '12' }, '0x80048d19'],
    ['accounts', { nosuch: 1 }, '0x80048d19'],
    ['opportunities', { name: 'd', salesstage: 77 }, '0x8004431a'],
    ['opportunities', { name: 'd', closeprobability: 101 }, '0x8004432f'],
    ['opportunities', { name: 'd', estimatedclosedate: '31.01.2026' }, '0x80048d19'],
  ];
  for (const [collection, data, code] of cases) await refused(client().create({ collection, data }), 400, code);
  await refused(client().retrieve({ collection: 'account', key: crypto.randomUUID() }), 404, '0x80060888');
});

test('a refused call says how long to wait', async () => {
  await order('POST', 'faults', {
    site: 'dataverse', method: 'GET', pathContains: 'telephone1',
    fate: { answer: { status: 429, headers: { 'retry-after': '7' }, body: { error: { code: '0x80072322', message: 'Number of requests exceeded' } } } },
  });
  const key = await made('accounts', { name: 'waits' });
  await assert.rejects(read('accounts', key, ['telephone1']), (error) => {
    assert.deepEqual([error.status, error.code, error.headers?.['retry-after']], [429, '0x80072322', '7']);
    return true;
  });
  assert.equal((await read('accounts', key, ['telephone1'])).accountid, key);
});

test('a file upload is refused by name', async () => {
  const key = await made('accounts', { name: 'files' });
  const upload = client().uploadFile({ collection: 'accounts', key, property: 'new_document', fileName: 'a.txt', data: Buffer.from('x') });
  await assert.rejects(upload, (error) => error.status === 501);
});

test('the root URL that the library prints is the one that is served', () => {
  assert.ok(client().Utility.toAbsoluteUrl('accounts').startsWith(base));
});
