// Requests that carry many records: upsert, collections, composite, Bulk API 2.0; and what happens when a session ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import jsforce from 'jsforce';
import { application, base, connection, deal, order } from './given.mjs';

const KEY = 'Referral_Identifier__c';

test('an upsert creates, then updates, and says which', async () => {
  const conn = connection();
  const first = await conn.sobject('Opportunity').upsert(deal('new', { [KEY]: 'js 1' }), KEY);
  assert.equal(first.success, true);
  assert.equal(first.created, true);
  const second = await conn.sobject('Opportunity').upsert({ [KEY]: 'js 1', Name: 'newer' }, KEY);
  assert.deepEqual({ id: second.id, created: second.created }, { id: first.id, created: false });
  assert.equal((await conn.sobject('Opportunity').retrieve(first.id)).Name, 'newer');
});

test('an upsert that finds two records is left to the caller', async () => {
  const conn = connection();
  const sobject = conn.sobject('Opportunity');
  const twins = [await sobject.create(deal('a', { [KEY]: 'js-twin' })), await sobject.create(deal('b', { [KEY]: 'js-twin' }))];
  await assert.rejects(sobject.upsert({ [KEY]: 'js-twin', Name: 'which?' }, KEY), (error) => {
    assert.equal(error.name, 'MULTIPLE_CHOICES');
    assert.deepEqual(error.content, twins.map(({ id }) => `/services/data/v60.0/sobjects/Opportunity/${id}`));
    return true;
  });
});

test('many records are created, read, changed and deleted in one request each', async () => {
  const conn = connection();
  const made = await conn.sobject('Account').create([{ Name: 'Many A' }, { Name: '' }, { Name: 'Many C' }]);
  assert.deepEqual(made.map(({ success }) => success), [true, false, true]);
  assert.equal(made[1].errors[0].statusCode, 'REQUIRED_FIELD_MISSING');
  const ids = [made[0].id, made[2].id];
  const changed = await conn.sobject('Account').update(ids.map((Id) => ({ Id, Industry: 'Banking' })));
  assert.deepEqual(changed.map(({ success }) => success), [true, true]);
  const read = await conn.sobject('Account').retrieve([ids[1], '001000000000001AAA', ids[0]]);
  assert.deepEqual(read.map((record) => record && record.Name), ['Many C', null, 'Many A']);
  assert.equal(read[0].Industry, 'Banking');
  const gone = await conn.sobject('Account').destroy(ids);
  assert.deepEqual(gone.map(({ success }) => success), [true, true]);
});

test('more records than one request takes go out in several', async () => {
  const conn = connection();
  const records = Array.from({ length: 401 }, (_, at) => deal(`Chunk ${at}`, { [KEY]: `chunk-${at}` }));
  const made = await conn.sobject('Opportunity').upsert(records, KEY, { allowRecursive: true });
  assert.equal(made.filter(({ success, created }) => success && created).length, 401);
  const count = await conn.query(`SELECT COUNT() FROM Opportunity WHERE ${KEY} LIKE 'chunk-%'`);
  assert.equal(count.totalSize, 401);
  const found = await conn.query(`SELECT Id FROM Opportunity WHERE ${KEY} LIKE 'chunk-%'`, { autoFetch: true, maxFetch: 1000 });
  assert.equal(found.records.length, 401);
});

test('all or none means none', async () => {
  const conn = connection();
  const made = await conn.sobject('Account').create([{ Name: 'Never' }, {}], { allOrNone: true });
  assert.equal(made[0].errors[0].statusCode, 'ALL_OR_NONE_OPERATION_ROLLED_BACK');
  assert.equal((await conn.query("SELECT COUNT() FROM Account WHERE Name = 'Never'")).totalSize, 0);
});

test('a composite request hands results on', async () => {
  const conn = connection();
  const root = '/services/data/v60.0/sobjects';
  const answer = await conn.requestPost('/composite', {
    compositeRequest: [
      { method: 'POST', url: `${root}/Account`, referenceId: 'account', body: { Name: 'Composite' } },
      { method: 'POST', url: `${root}/Contact`, referenceId: 'contact', body: { LastName: 'Ann', AccountId: '@{account.id}' } },
      { method: 'POST', url: `${root}/Contact`, referenceId: 'lost', body: { LastName: '@{nobody.id}' } },
    ],
  });
  const [account, contact, lost] = answer.compositeResponse;
  assert.deepEqual([account.httpStatusCode, contact.httpStatusCode, lost.httpStatusCode], [201, 201, 400]);
  assert.equal(lost.body[0].message, 'Invalid reference specified. No value for nobody.id found in nobody');
  assert.equal((await conn.sobject('Contact').retrieve(contact.body.id)).AccountId, account.body.id);
});

test('describe tells what a client builds on', async () => {
  const conn = connection();
  const global = await conn.describeGlobal();
  assert.ok(global.sobjects.some(({ name }) => name === 'Opportunity'));
  const described = await conn.sobject('Opportunity').describe();
  const key = described.fields.find(({ name }) => name === KEY);
  assert.deepEqual([key.externalId, key.type, key.length], [true, 'string', 100]);
  const limits = await conn.limits();
  assert.ok(limits.DailyApiRequests.Remaining < limits.DailyApiRequests.Max);
  assert.ok(conn.limitInfo.apiUsage.used > 0);
});

test('the Bulk API loads a file and says what became of each row', async () => {
  const conn = connection();
  const rows = [deal('Load 1', { Amount: 1 }), deal('Load 2', { Amount: 'x' }), deal('Load "3", quoted', { Amount: 3 })];
  const results = await conn.bulk2.loadAndWaitForResults({
    object: 'Opportunity', operation: 'insert', input: rows, pollInterval: 100, pollTimeout: 30000,
  });
  assert.deepEqual(results.successfulResults.map(({ Name }) => Name), ['Load 1', 'Load "3", quoted']);
  assert.equal(results.successfulResults[0].sf__Created, 'true');
  assert.equal(results.failedResults.length, 1);
  assert.match(results.failedResults[0].sf__Error, /:/);
  assert.deepEqual(results.unprocessedRecords, []);
  const read = await conn.sobject('Opportunity').retrieve(results.successfulResults[1].sf__Id);
  assert.equal(read.Amount, 3);
});

test('the Bulk API reads a query into a stream', async () => {
  const conn = connection();
  await conn.sobject('Account').create([{ Name: 'Read 1' }, { Name: 'Read 2' }]);
  conn.bulk2.pollInterval = 100;
  const stream = await conn.bulk2.query("SELECT Id, Name FROM Account WHERE Name LIKE 'Read %' ORDER BY Name", {
    pollInterval: 100, pollTimeout: 30000,
  });
  const records = await stream.toArray();
  assert.deepEqual(records.map(({ Name }) => Name), ['Read 1', 'Read 2']);
});

test('a session that is over is refreshed and the request repeated', async () => {
  const signedIn = new jsforce.Connection({ oauth2: application });
  await signedIn.login('seller@contoso.example', 'password');
  let refreshed = 0;
  const conn = new jsforce.Connection({
    instanceUrl: base,
    accessToken: signedIn.accessToken,
    refreshFn: async (_conn, done) => {
      refreshed += 1;
      const again = new jsforce.Connection({ oauth2: application });
      await again.login('seller@contoso.example', 'password');
      done(null, again.accessToken);
    },
  });
  await order('DELETE', 'users/seller/tokens');
  assert.equal((await conn.query('SELECT COUNT() FROM Organization')).totalSize, 1);
  assert.equal(refreshed, 1);
});

test('a session that nobody refreshes is an error', async () => {
  const conn = connection({ accessToken: '00Dnobody!x' });
  await assert.rejects(conn.query('SELECT Id FROM Account'), { errorCode: 'INVALID_SESSION_ID' });
});

test('429 is waited out, and the daily limit is an error', async () => {
  const conn = connection();
  await order('POST', 'faults', { site: 'salesforce', fate: { answer: { status: 429, body: [] } }, times: 2 });
  assert.equal((await conn.query('SELECT COUNT() FROM Organization')).totalSize, 1);
  const body = [{ message: 'TotalRequests Limit exceeded.', errorCode: 'REQUEST_LIMIT_EXCEEDED' }];
  await order('POST', 'faults', { site: 'salesforce', fate: { answer: { status: 403, body } } });
  await assert.rejects(conn.query('SELECT Id FROM Account'), { errorCode: 'REQUEST_LIMIT_EXCEEDED' });
});
