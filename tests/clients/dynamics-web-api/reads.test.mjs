// Reading: every option of lists and rows, pages, counts, FetchXML, changes.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { client, made, read, refused, unique } from './given.mjs';

const label = 'OData.Community.Display.V1.FormattedValue';
let name;
let account;
let contact;
let deals;

before(async () => {
  name = unique('reads');
  contact = await made('contacts', { firstname: 'Ada', lastname: name });
  account = await made('accounts', { name, revenue: 10, 'primarycontactid@odata.bind': `/contacts(${contact})` });
  deals = [];
  for (const value of [30, 10, 20]) {
    deals.push(await made('opportunities', {
      name: `${name} ${value}`, estimatedvalue: value, estimatedclosedate: `2027-03-${value}`,
      'customerid_account@odata.bind': `/accounts(${account})`,
    }));
  }
});

const mine = () => ({ collection: 'opportunities', filter: `_customerid_value eq ${account}` });

test('a list is selected, sorted, cut and counted', async () => {
  const found = await client().retrieveMultiple({
    ...mine(), select: ['name', 'estimatedvalue'], orderBy: ['estimatedvalue desc'], count: true,
  });
  assert.deepEqual(found.value.map((row) => row.estimatedvalue), [30, 20, 10]);
  assert.equal(found.oDataCount, 3);
  assert.equal(found.value[0].estimatedclosedate, undefined);
  assert.ok(found.value[0]._transactioncurrencyid_value, 'money comes with its currency');
  const top = await client().retrieveMultiple({ ...mine(), orderBy: ['estimatedvalue'], top: 1 });
  assert.deepEqual(top.value.map((row) => row.opportunityid), [deals[1]]);
  assert.equal(await client().count(mine()), 3);
  assert.ok((await client().count({ collection: 'opportunities' })) >= 3);
  assert.equal(await client().countAll(mine()), 3);
});

test('pages are followed by their links, all of them at once too', async () => {
  const paged = { ...mine(), orderBy: ['estimatedvalue asc'], select: ['estimatedvalue'], maxPageSize: 2 };
  const first = await client().retrieveMultiple(paged);
  assert.deepEqual(first.value.map((row) => row.estimatedvalue), [10, 20]);
  const second = await client().retrieveMultiple(paged, first.oDataNextLink);
  assert.deepEqual([second.value.map((row) => row.estimatedvalue), second.oDataNextLink], [[30], undefined]);
  const all = await client({ maxPageSize: 1 }).retrieveAll({ ...mine(), select: ['name'] });
  assert.equal(all.value.length, 3);
});

test('rows are expanded both ways, nested, with options of their own', async () => {
  const row = await client().retrieve({
    collection: 'accounts', key: account, select: ['name'],
    expand: [
      { property: 'primarycontactid', select: ['fullname'] },
      { property: 'opportunity_customer_accounts', select: ['name'], filter: 'estimatedvalue gt 10', orderBy: ['name desc'], top: 1 },
    ],
  });
  assert.equal(row.primarycontactid.fullname, `Ada ${name}`);
  assert.deepEqual(row.opportunity_customer_accounts.map((deal) => deal.name), [`${name} 30`]);
  const nested = await client().retrieve({
    collection: 'opportunities', key: deals[0], select: ['name'],
    expand: [{ property: 'customerid_account', select: ['name'], expand: [{ property: 'primarycontactid', select: ['lastname'] }] }],
  });
  assert.equal(nested.customerid_account.primarycontactid.lastname, name);
  const behind = await client().retrieve({ collection: 'opportunities', key: deals[0], navigationProperty: 'customerid_account', select: ['name'] });
  assert.deepEqual([behind.accountid, behind.name], [account, name]);
  await refused(client().retrieve({ collection: 'accounts', key: account, expand: [{ property: 'nosuch' }] }), 400, '0x80060888');
});

test('annotations say what people read and where lookups lead', async () => {
  const row = await client().retrieve({ collection: 'opportunities', key: deals[0], includeAnnotations: '*' });
  assert.equal(row[`statuscode@${label}`], 'In Progress');
  assert.equal(row.statuscode_Formatted, 'In Progress');
  assert.equal(row[`_customerid_value@${label}`], name);
  assert.equal(row._customerid_value_NavigationProperty, 'customerid_account');
  assert.equal(row._customerid_value_LogicalName, 'account');
  const some = await client().retrieve({ collection: 'opportunities', key: deals[0], includeAnnotations: label });
  assert.deepEqual([some.statuscode_Formatted, some._customerid_value_LogicalName], ['In Progress', undefined]);
  const counted = await client().retrieveMultiple({ ...mine(), count: true, includeAnnotations: '*' });
  assert.deepEqual(
    [counted['@Microsoft.Dynamics.CRM.totalrecordcount'], counted['@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded']],
    [3, false],
  );
});

test('an entity tag saves a read of what has not changed', async () => {
  const row = await read('accounts', account, ['name']);
  const again = { collection: 'accounts', key: account, select: ['name'], ifnonematch: row['@odata.etag'] };
  // The library takes a 304 for an answer without a row.
  assert.equal(await client().retrieve(again), undefined);
  await client().update({ collection: 'accounts', key: account, data: { telephone1: '1' } });
  assert.equal((await client().retrieve(again)).name, name);
});

test('rows are grouped and added up', async () => {
  const found = await client().retrieveMultiple({
    collection: 'opportunities',
    apply: `filter(_customerid_value eq ${account})/groupby((statuscode),aggregate(estimatedvalue with sum as total,$count as deals))`,
    includeAnnotations: label,
  });
  assert.deepEqual(found.value.map((row) => [row.statuscode, row.statuscode_Formatted, row.total, row.deals]), [[1, 'In Progress', 60, 3]]);
});

test('FetchXML joins, pages by its cookie, and is followed to its end', async () => {
  const fetchXml = `<fetch count="2"><entity name="opportunity"><attribute name="name"/><order attribute="estimatedvalue"/>
    <link-entity name="account" from="accountid" to="customerid" alias="customer"><attribute name="name"/>
    <filter><condition attribute="accountid" operator="eq" value="${account}"/></filter></link-entity></entity></fetch>`;
  const first = await client().fetch({ collection: 'opportunities', fetchXml, includeAnnotations: '*' });
  assert.deepEqual(first.value.map((row) => [row.name, row['customer.name']]), [[`${name} 10`, name], [`${name} 20`, name]]);
  assert.equal(first.PagingInfo.nextPage, 2);
  const second = await client().fetch({
    collection: 'opportunities', fetchXml, includeAnnotations: '*', pageNumber: 2, pagingCookie: first.PagingInfo.cookie,
  });
  assert.deepEqual(second.value.map((row) => row.name), [`${name} 30`]);
  assert.equal(second.PagingInfo, undefined);
  const all = await client().fetchAll({ collection: 'opportunities', fetchXml, includeAnnotations: '*' });
  assert.equal(all.value.length, 3);
  await refused(client().fetch({ collection: 'opportunities', fetchXml: '<fetch><entity' }), 400, '0x80040203');
});

test('changes are followed from one delta link to the next', async () => {
  const first = await client().retrieveMultiple({ collection: 'leads', select: ['subject'], trackChanges: true });
  assert.ok(first.oDataDeltaLink);
  const [kept, gone] = [await made('leads', { subject: name }), await made('leads', { subject: 'gone' })];
  await client().deleteRecord({ collection: 'leads', key: gone });
  const follow = { collection: 'leads', trackChanges: true };
  const second = await client().retrieveMultiple(follow, first.oDataDeltaLink);
  assert.deepEqual(second.value.map((row) => row.leadid ?? [row.id, row.reason]), [kept, [gone, 'deleted']]);
  const third = await client().retrieveMultiple(follow, second.oDataDeltaLink);
  assert.deepEqual(third.value, []);
  const filtered = { collection: 'leads', filter: "subject eq 'x'", trackChanges: true };
  await refused(client().retrieveMultiple(filtered), 400, '0x80060888');
  await refused(client().retrieveMultiple({ collection: 'roles', trackChanges: true }), 400, '0x80072491');
});

test('what the server does not take is refused with its code', async () => {
  const list = (more) => client().retrieveMultiple({ collection: 'accounts', ...more });
  await refused(list({ filter: "Name eq 'x'" }), 400, '0x80060888');
  await refused(list({ filter: "revenue eq 'x'" }), 400, '0x80060888');
  await refused(list({ filter: `${'('.repeat(1000)}name eq 'x'${')'.repeat(1000)}` }), 400, '0x80060888');
  await refused(list({ orderBy: ['nosuch'] }), 400, '0x80060888');
  await refused(list({ select: ['nosuch'] }), 400, '0x80060888');
  await refused(list({ queryParams: ['$skip=1'] }), 400, '0x80060888');
  await refused(client().retrieve({ collection: 'accountz', key: account }), 404, '0x80060888');
});
