// Metadata: tables, columns, relationships, choices, the document; writes are refused by name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, made } from './given.mjs';

const unsupported = (promise) => assert.rejects(promise, (error) => error.status === 501);

test('tables are found by name and by a condition, with their columns', async () => {
  const deal = await client().retrieveEntity({ key: "LogicalName='opportunity'", select: ['LogicalName', 'EntitySetName', 'PrimaryIdAttribute'] });
  assert.deepEqual([deal.EntitySetName, deal.PrimaryIdAttribute], ['opportunities', 'opportunityid']);
  const byId = await client().retrieveEntity({ key: deal.MetadataId, select: ['LogicalName'] });
  assert.equal(byId.LogicalName, 'opportunity');
  const wide = await client().retrieveEntity({
    key: deal.MetadataId, select: ['SchemaName'], expand: [{ property: 'Attributes', select: ['LogicalName'], filter: "LogicalName eq 'name'" }],
  });
  assert.deepEqual(wide.Attributes.map((column) => column.LogicalName), ['name']);
  const some = await client().retrieveEntities({ select: ['LogicalName'], filter: "LogicalName eq 'account' or EntitySetName eq 'contacts'" });
  assert.deepEqual(some.value.map((table) => table.LogicalName).sort(), ['account', 'contact']);
});

test('columns are read, also as what they are', async () => {
  const entityKey = "LogicalName='opportunity'";
  const columns = await client().retrieveAttributes({ entityKey, select: ['LogicalName', 'AttributeType'], filter: "LogicalName eq 'estimatedvalue'" });
  assert.deepEqual(columns.value.map((column) => column.AttributeType), ['Money']);
  const status = await client().retrieveAttribute({
    entityKey, attributeKey: "LogicalName='statuscode'", castType: 'Microsoft.Dynamics.CRM.StatusAttributeMetadata', expand: [{ property: 'OptionSet' }],
  });
  assert.deepEqual(status.OptionSet.Options.map((option) => [option.Value, option.State]), [[1, 0], [2, 0], [3, 1], [4, 2], [5, 2]]);
  const picklists = await client().retrieveAttributes({
    entityKey, castType: 'Microsoft.Dynamics.CRM.PicklistAttributeMetadata', select: ['LogicalName'], expand: [{ property: 'OptionSet', select: ['Options'] }],
  });
  const stage = picklists.value.find((column) => column.LogicalName === 'salesstage');
  assert.deepEqual(stage.OptionSet.Options.map((option) => option.Label.UserLocalizedLabel.Label), ['Qualify', 'Develop', 'Propose', 'Close']);
});

test('relationships are read, also as what they are', async () => {
  const found = await client().retrieveRelationships({ filter: "SchemaName eq 'account_primary_contact'" });
  const [one] = found.value;
  assert.deepEqual([one.ReferencingEntity, one.ReferencingAttribute, one.ReferencedEntity], ['account', 'primarycontactid', 'contact']);
  const castType = 'Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata';
  const byId = await client().retrieveRelationship({ key: one.MetadataId, castType, select: ['SchemaName'] });
  assert.equal(byId.SchemaName, 'account_primary_contact');
  const many = await client().retrieveRelationships({ castType: 'Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata', select: ['IntersectEntityName'] });
  assert.ok(many.value.some((relationship) => relationship.IntersectEntityName === 'systemuserroles'));
});

test('global choices are read by name and by identifier', async () => {
  const castType = 'Microsoft.Dynamics.CRM.OptionSetMetadata';
  const all = await client().retrieveGlobalOptionSets({ select: ['Name'] });
  const budget = all.value.find((set) => set.Name === 'budgetstatus');
  const byId = await client().retrieveGlobalOptionSet({ key: budget.MetadataId, castType, select: ['Name', 'Options'] });
  assert.equal(byId.Options.length, 4);
  const byName = await client().retrieveGlobalOptionSet({ key: "Name='budgetstatus'", castType });
  assert.equal(byName.MetadataId, budget.MetadataId);
});

test('the document names tables and actions, and names of tables stand for their sets', async () => {
  const document = await client().retrieveCsdlMetadata({ addAnnotations: true });
  assert.match(document, /<EntityType Name="opportunity" BaseType="mscrm\.crmbaseentity"/);
  assert.match(document, /<Action Name="WinOpportunity"/);
  const key = await made('accounts', { name: 'by the name of its table' });
  const byName = client({ useEntityNames: true });
  assert.equal((await byName.retrieve({ collection: 'account', key })).accountid, key);
});

test('metadata are not written: each request is refused by name', async () => {
  const label = { '@odata.type': 'Microsoft.Dynamics.CRM.Label', LocalizedLabels: [] };
  await unsupported(client().createEntity({ data: { SchemaName: 'new_thing', DisplayName: label } }));
  await unsupported(client().createAttribute({ entityKey: "LogicalName='account'", data: { SchemaName: 'new_column' } }));
  await unsupported(client().createRelationship({ data: { SchemaName: 'new_relationship' } }));
  await unsupported(client().createGlobalOptionSet({ data: { Name: 'new_choice' } }));
});
