// Functions, actions and trouble: tokens that end, limits of service protection, stand-ins, batches that go wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, made, order, read, refused, unique } from './given.mjs';

test('functions take their parameters by alias', async () => {
  const key = await made('accounts', { name: unique('counted') });
  const counts = await client().callFunction({ name: 'RetrieveTotalRecordCount', parameters: { EntityNames: ['account', 'lead'] } });
  const { Keys, Values } = counts.EntityRecordCountCollection;
  assert.deepEqual(Keys, ['account', 'lead']);
  assert.ok(Values[0] >= 1);
  assert.match((await client().callFunction('RetrieveVersion')).Version, /^9\.2\./);
  const draft = await client().callFunction({
    name: 'InitializeFrom',
    parameters: { EntityMoniker: { '@odata.id': `accounts(${key})` }, TargetEntityName: 'opportunity', TargetFieldType: "Microsoft.Dynamics.CRM.TargetFieldType'ValidForCreate'" },
  });
  assert.equal(draft['customerid_account@odata.bind'], `accounts(${key})`);
  await refused(client().callFunction({ name: 'RetrieveTotalRecordCount', parameters: { EntityNames: ['nosuch'] } }), 400, '0x80040203');
  await assert.rejects(client().callFunction('RetrieveDuplicates'), (error) => error.status === 501);
});

test('many rows are deleted by one job', async () => {
  const name = unique('bulk');
  await made('leads', { subject: name });
  await made('leads', { subject: name });
  const job = await client().callAction({
    actionName: 'BulkDelete',
    action: {
      QuerySet: [{
        '@odata.type': 'Microsoft.Dynamics.CRM.QueryExpression',
        EntityName: 'lead',
        Criteria: {
          '@odata.type': 'Microsoft.Dynamics.CRM.FilterExpression', FilterOperator: 'And',
          Conditions: [{
            '@odata.type': 'Microsoft.Dynamics.CRM.ConditionExpression', AttributeName: 'subject', Operator: 'Equal',
            Values: [{ Value: name, Type: 'System.String' }],
          }],
        },
      }],
      JobName: 'clean', SendEmailNotification: false, RecurrencePattern: '', StartDateTime: '2020-01-01T00:00:00Z', ToRecipients: [], CCRecipients: [],
    },
  });
  assert.match(job.JobId, /^[0-9a-f-]{36}$/);
  assert.equal(await client().count({ collection: 'leads', filter: `subject eq '${name}'` }), 0);
});

test('both headers let an administrator stand in for somebody, who may do no more than they may', async () => {
  const found = await client().retrieveMultiple({ collection: 'systemusers', filter: "startswith(domainname,'seller')" });
  const [seller] = found.value;
  const key = await client({ impersonateAAD: seller.azureactivedirectoryobjectid }).create({ collection: 'leads', data: { subject: 'theirs' } });
  assert.equal((await read('leads', key))._ownerid_value, seller.systemuserid);
  const standing = client({ impersonate: seller.systemuserid });
  assert.equal((await standing.callFunction('WhoAmI')).UserId, seller.systemuserid);
  await refused(standing.retrieveMultiple({ collection: 'serviceendpoints' }), 403, '0x80040220');
  const hidden = { collection: 'sdkmessages', expand: [{ property: 'sdkmessageid_sdkmessageprocessingstep', select: ['name'] }] };
  await refused(standing.retrieveMultiple(hidden), 403, '0x80040220');
  await refused(client({ impersonate: crypto.randomUUID() }).callFunction('WhoAmI'), 404, '0x80040217');
});

test('an expired token is a 401 without a body, and a new one works', async () => {
  let token = 'spent';
  const api = client({ onTokenRefresh: async () => token });
  await assert.rejects(api.callFunction('WhoAmI'), (error) => {
    assert.equal(error.status, 401);
    assert.match(error.headers['www-authenticate'], /^Bearer authorization_uri=\S+\/oauth2\/authorize/);
    return true;
  });
  token = process.env.COSELL_DATAVERSE_TOKEN;
  assert.ok((await api.callFunction('WhoAmI')).UserId);
});

test('each of the three limits says how long to wait, and who waits goes on', async () => {
  const limits = [
    ['0x80072322', 'Number of requests exceeded the limit of 6000 over time window of 300 seconds.'],
    ['0x80072321', 'Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of 300 seconds.'],
    ['0x80072326', 'Number of concurrent requests exceeded the limit of 52.'],
  ];
  const key = await made('leads', { subject: 'limited' });
  // The library tells the wait and does not repeat a call: that is left to who uses it.
  const patient = async (call) => {
    for (let tries = 0; tries <= limits.length; tries += 1) {
      try {
        return [await call(), tries];
      } catch (error) {
        if (error.status !== 429) throw error;
        assert.equal(error.code, limits[tries][0]);
        await new Promise((done) => setTimeout(done, Number(error.headers['retry-after']) * 10));
      }
    }
    throw new Error('still refused');
  };
  for (const [code, message] of limits) {
    await order('POST', 'faults', {
      site: 'dataverse', method: 'GET', pathContains: `leads(${key})`,
      fate: { answer: { status: 429, headers: { 'retry-after': '5' }, body: { error: { code, message } } } },
    });
  }
  const [row, tries] = await patient(() => read('leads', key));
  assert.deepEqual([row.subject, tries], ['limited', 3]);
});

test('a batch carries reads, functions, links, deletions and single columns', async () => {
  const api = client();
  const name = unique('everything');
  const [account, contact] = [await made('accounts', { name }), await made('contacts', { lastname: name })];
  api.startBatch();
  api.associateSingleValued({ collection: 'accounts', primaryKey: account, navigationProperty: 'primarycontactid', relatedCollection: 'contacts', relatedKey: contact });
  api.updateSingleProperty({ collection: 'accounts', key: account, fieldValuePair: { telephone1: '7' } });
  api.upsert({ collection: 'contacts', key: contact, data: { firstname: 'Ada' } });
  api.callFunction('WhoAmI');
  api.retrieve({ collection: 'accounts', key: account, select: ['telephone1'], expand: [{ property: 'primarycontactid', select: ['fullname'] }] });
  api.deleteRecord({ collection: 'contacts', key: contact });
  const [, , , me, row] = await api.executeBatch();
  assert.match(me.UserId, /^[0-9a-f-]{36}$/);
  assert.deepEqual([row.telephone1, row.primarycontactid.fullname], ['7', `Ada ${name}`]);
  assert.equal((await read('accounts', account))._primarycontactid_value, null);
});

test('a batch stops at an error, goes on when told so, and a change set is one step of it', async () => {
  const name = unique('stops');
  const batch = async (continueOnError) => {
    const api = client();
    api.startBatch();
    api.create({ collection: 'leads', data: { subject: `${name} 1` }, inChangeSet: false });
    api.create({ collection: 'leads', data: { subject: `${name} 2` } });
    api.create({ collection: 'leads', data: { nosuch: 1 } });
    api.retrieve({ collection: 'leads', key: crypto.randomUUID() });
    api.create({ collection: 'leads', data: { subject: `${name} 3` }, inChangeSet: false });
    return api.executeBatch({ continueOnError });
  };
  await assert.rejects(batch(false), (errors) => {
    assert.deepEqual([errors].flat().map((error) => error.status ?? error.error?.status), [400]);
    return true;
  });
  assert.equal(await client().count({ collection: 'leads', filter: `startswith(subject,'${name}')` }), 1);
  const answers = await batch(true);
  assert.deepEqual(answers.map((answer) => answer?.status ?? 'well'), ['well', 400, 404, 'well']);
  const left = await client().retrieveMultiple({ collection: 'leads', filter: `startswith(subject,'${name}')`, select: ['subject'], orderBy: ['subject'] });
  assert.deepEqual(left.value.map((row) => row.subject), [`${name} 1`, `${name} 1`, `${name} 3`]);
});

test('what is not simulated is refused by name', async () => {
  const key = await made('accounts', { name: 'x' });
  const unsupported = (promise) => assert.rejects(promise, (error) => error.status === 501);
  await unsupported(client().downloadFile({ collection: 'accounts', key, property: 'new_document' }));
  await unsupported(client().retrieveMultiple({ collection: 'accounts', queryParams: [`savedQuery=${key}`] }));
  await unsupported(client().callAction({ actionName: 'SendEmail', action: {} }));
});
