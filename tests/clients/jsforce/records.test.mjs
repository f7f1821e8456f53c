// Sign-in, records one by one, and queries.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import jsforce from 'jsforce';
import { application, base, clientVersion, connection, deal } from './given.mjs';

test('the client is the pinned one', () => {
  assert.equal(clientVersion, '3.10.16');
});

test('a person signs in with name and password over OAuth', async () => {
  const conn = new jsforce.Connection({ oauth2: application });
  const person = await conn.login('seller@contoso.example', 'password');
  assert.match(person.id, /^005\w{15}$/);
  assert.match(person.organizationId, /^00D\w{15}$/);
  assert.equal(conn.instanceUrl, base);
  assert.match(conn.accessToken, /^00D\w{12}!/);
  const owned = await conn.sobject('Account').create({ Name: 'Signed in' });
  const account = await conn.sobject('Account').retrieve(owned.id);
  assert.equal(account.OwnerId, person.id);
});

test('a wrong password is refused in the words of the token endpoint', async () => {
  const conn = new jsforce.Connection({ oauth2: application });
  await assert.rejects(conn.login('seller@contoso.example', 'wrong'), (error) => {
    assert.equal(error.name, 'invalid_grant');
    assert.equal(error.message, 'authentication failure');
    return true;
  });
});

test('a person signs in over SOAP, which is what the client does without an application', async () => {
  const conn = new jsforce.Connection({ loginUrl: base, instanceUrl: base });
  const person = await conn.login('seller@contoso.example', 'passwordTOKEN');
  assert.match(person.id, /^005\w{15}$/);
  assert.equal((await conn.query('SELECT COUNT() FROM Organization')).totalSize, 1);
  const wrong = new jsforce.Connection({ loginUrl: base });
  await assert.rejects(wrong.login('seller@contoso.example', 'wrong'), /INVALID_LOGIN/);
});

test('who is signed in can be asked, and a token can be given back', async () => {
  const conn = new jsforce.Connection({ oauth2: application });
  const person = await conn.login('seller@contoso.example', 'password');
  const identity = await conn.identity();
  assert.deepEqual([identity.user_id, identity.organization_id], [person.id, person.organizationId]);
  const { accessToken } = conn;
  await conn.logout();
  await assert.rejects(connection({ accessToken }).query('SELECT Id FROM Account'), { errorCode: 'INVALID_SESSION_ID' });
});

test('changed and deleted records of a span are listed', async () => {
  const conn = connection();
  const [kept, gone] = [await conn.sobject('Account').create({ Name: 'Kept' }), await conn.sobject('Account').create({ Name: 'Gone' })];
  await conn.sobject('Account').destroy(gone.id);
  const span = [new Date(Date.now() - 600_000).toISOString(), new Date(Date.now() + 600_000).toISOString()];
  const updated = await conn.sobject('Account').updated(...span);
  assert.ok(updated.ids.includes(kept.id) && !updated.ids.includes(gone.id));
  const deleted = await conn.sobject('Account').deleted(...span);
  assert.ok(deleted.deletedRecords.some(({ id }) => id === gone.id));
});

test('a record is created, read, changed and deleted', async () => {
  const conn = connection();
  const created = await conn.sobject('Opportunity').create(deal('Ten seats', { Amount: 1200.5 }));
  assert.deepEqual({ success: created.success, errors: created.errors }, { success: true, errors: [] });
  const read = await conn.sobject('Opportunity').retrieve(created.id);
  assert.equal(read.Name, 'Ten seats');
  assert.equal(read.Amount, 1200.5);
  assert.equal(read.attributes.type, 'Opportunity');
  const changed = await conn.sobject('Opportunity').update({ Id: created.id, Name: 'Twelve seats' });
  assert.deepEqual(changed, { id: created.id, success: true, errors: [] });
  const named = await conn.sobject('Opportunity').retrieve(created.id, { fields: ['Name', 'Owner.Name'] });
  assert.equal(named.Name, 'Twelve seats');
  assert.equal(named.Owner.Name, 'connector');
  const gone = await conn.sobject('Opportunity').destroy(created.id);
  assert.equal(gone.success, true);
  await assert.rejects(conn.sobject('Opportunity').retrieve(created.id), (error) => {
    assert.equal(error.errorCode, 'ENTITY_IS_DELETED');
    return true;
  });
});

test('a refused create names its fields', async () => {
  await assert.rejects(connection().sobject('Opportunity').create({ Name: 'x' }), (error) => {
    assert.equal(error.errorCode, 'REQUIRED_FIELD_MISSING');
    assert.equal(error.message, 'Required fields are missing: [StageName, CloseDate]');
    assert.deepEqual(error.data.fields, ['StageName', 'CloseDate']);
    return true;
  });
});

test('queries find what they ask for, in order, page by page', async () => {
  const conn = connection();
  const account = await conn.sobject('Account').create({ Name: 'Query Ltd' });
  for (let number = 0; number < 5; number += 1) {
    await conn.sobject('Opportunity').create(deal(`Query ${number}`, { AccountId: account.id, Amount: number * 10 }));
  }
  const found = await conn.query(
    `SELECT Id, Name, Account.Name FROM Opportunity WHERE AccountId = '${account.id}' AND Amount >= 20 ORDER BY Amount DESC`,
  );
  assert.equal(found.totalSize, 3);
  assert.equal(found.done, true);
  assert.deepEqual(found.records.map((record) => record.Name), ['Query 4', 'Query 3', 'Query 2']);
  assert.equal(found.records[0].Account.Name, 'Query Ltd');
  const built = await conn
    .sobject('Opportunity')
    .find({ AccountId: account.id, Name: { $like: 'Query%' } }, 'Id, Name, Amount')
    .sort({ Amount: 1 })
    .limit(2);
  assert.deepEqual(built.map((record) => record.Amount), [0, 10]);
  const count = await conn.query(`SELECT COUNT() FROM Opportunity WHERE AccountId = '${account.id}'`);
  assert.equal(count.totalSize, 5);
});

test('pages are followed one by one, and a page that nobody gave out is refused', async () => {
  const conn = connection();
  const names = Array.from({ length: 450 }, (_, at) => `Page ${String(at).padStart(4, '0')}`);
  const made = await conn.sobject('Account').create(names.map((Name) => ({ Name, Site: 'js pages' })), { allowRecursive: true });
  assert.ok(made.every(({ success }) => success));
  const soql = "SELECT Name FROM Account WHERE Site = 'js pages' ORDER BY Name";
  const headers = { 'Sforce-Query-Options': 'batchSize=200' };
  let page = await conn.query(soql, { headers, autoFetch: false });
  assert.deepEqual([page.totalSize, page.done, page.records.length], [450, false, 200]);
  const seen = page.records.map(({ Name }) => Name);
  while (!page.done) {
    page = await conn.queryMore(page.nextRecordsUrl);
    seen.push(...page.records.map(({ Name }) => Name));
  }
  assert.deepEqual(seen, names);
  await assert.rejects(conn.queryMore('/services/data/v60.0/query/0r8nothing-200'), { errorCode: 'INVALID_QUERY_LOCATOR' });
});

test('deleted records are found only when asked for', async () => {
  const conn = connection();
  const gone = await conn.sobject('Account').create({ Name: 'js gone for good' });
  await conn.sobject('Account').destroy(gone.id);
  const soql = "SELECT Id, IsDeleted FROM Account WHERE Name = 'js gone for good'";
  assert.equal((await conn.query(soql)).totalSize, 0);
  const all = await conn.query(soql, { scanAll: true });
  assert.deepEqual(all.records.map(({ Id, IsDeleted }) => [Id, IsDeleted]), [[gone.id, true]]);
});

test('an account takes its contacts and open deals along', async () => {
  const conn = connection();
  const account = await conn.sobject('Account').create({ Name: 'Takes along' });
  const contact = await conn.sobject('Contact').create({ LastName: 'Along', AccountId: account.id });
  const open = await conn.sobject('Opportunity').create(deal('Along', { AccountId: account.id }));
  await conn.sobject('Account').destroy(account.id);
  for (const [type, { id }] of [['Contact', contact], ['Opportunity', open]]) {
    await assert.rejects(conn.sobject(type).retrieve(id), { errorCode: 'ENTITY_IS_DELETED' });
  }
});

test('what the simulator does not have is refused by name', async () => {
  const conn = connection();
  for (const [call, name] of [
    [() => conn.search('FIND {x}'), 'search (SOSL)'],
    [() => conn.tabs(), 'tabs'],
    [() => conn.theme(), 'theme'],
    [() => conn.sobject('Account').layouts(), 'layouts'],
    [() => conn.sobject('Account').quickActions(), 'quick actions'],
    [() => conn.tooling.query('SELECT Id FROM ApexClass'), 'Tooling API'],
    [() => conn.bulk.createJob('Account', 'insert').open(), 'Bulk API 1.0'],
  ]) {
    await assert.rejects(call, (error) => {
      assert.equal(error.errorCode, 'ERROR_HTTP_501');
      assert.equal(JSON.parse(error.message).notSimulated.missing, name);
      return true;
    });
  }
});

test('a query that is wrong is refused with its place', async () => {
  await assert.rejects(connection().query('SELECT Id, Nmae FROM Opportunity'), (error) => {
    assert.equal(error.errorCode, 'INVALID_FIELD');
    assert.match(error.message, /ERROR at Row:1:Column:12\nNo such column 'Nmae' on entity 'Opportunity'/);
    return true;
  });
});
