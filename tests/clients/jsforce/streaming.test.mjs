// The Streaming API through jsforce's own client: push topics, change data capture, replay, a token that is not good.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import streaming from 'jsforce/lib/api/streaming.js';
import { base, connection, deal } from './given.mjs';

const { StreamingExtension } = streaming;
const open = [];
after(() => Promise.all(open.map((client) => client.disconnect())));

/** A streaming client that is closed when the file is done. */
function client(conn, extensions) {
  const made = conn.streaming.createClient(extensions);
  open.push(made);
  return made;
}

/** The messages of a channel, in their order; the promise of the subscription resolves when the server has agreed. */
async function listen(faye, channel) {
  const seen = [];
  const waiting = [];
  const subscription = faye.subscribe(channel, (message) => {
    seen.push(message);
    waiting.splice(0).forEach((look) => look());
  });
  await subscription;
  return {
    subscription,
    /** The first so many messages, or an error after 20 seconds. */
    async first(count) {
      const over = Date.now() + 20_000;
      while (seen.length < count) {
        assert.ok(Date.now() < over, `${seen.length} of ${count} messages on ${channel}`);
        await Promise.race([new Promise((done) => waiting.push(done)), new Promise((done) => setTimeout(done, 500))]);
      }
      return seen.slice(0, count);
    },
  };
}

test('a push topic tells of records while the client waits', async () => {
  const conn = connection();
  await conn.sobject('PushTopic').create({
    Name: 'BigDeals', Query: 'SELECT Id, Name, Amount FROM Opportunity WHERE Amount > 1000', ApiVersion: '60.0',
    NotifyForFields: 'Referenced', NotifyForOperationCreate: true, NotifyForOperationUpdate: true,
  });
  const faye = client(conn);
  const listener = await listen(faye, '/topic/BigDeals');
  // The client's long poll is on its way before anything happens.
  await new Promise((done) => setTimeout(done, 300));
  const started = Date.now();
  const small = await conn.sobject('Opportunity').create(deal('Small', { Amount: 1 }));
  const big = await conn.sobject('Opportunity').create(deal('Big', { Amount: 5000 }));
  await conn.sobject('Opportunity').update({ Id: small.id, Amount: 2000 });
  const told = await listener.first(2);
  assert.ok(Date.now() - started < 10_000, 'a waiting client is told at once');
  assert.deepEqual(told.map(({ event, sobject }) => [event.type, sobject.Id, sobject.Amount]), [
    ['created', big.id, 5000],
    ['updated', small.id, 2000],
  ]);
  assert.ok(told[1].event.replayId > told[0].event.replayId);
  await listener.subscription.cancel();
});

test('change data capture names the client that wrote, and can be replayed', async () => {
  const channel = '/data/OpportunityChangeEvent';
  const writer = connection({ callOptions: { client: 'CoSellConnector' } });
  const live = await listen(client(connection(), [new StreamingExtension.Replay(channel, -1)]), channel);
  const made = await writer.sobject('Opportunity').create(deal('Captured', { Amount: 7 }));
  await writer.sobject('Opportunity').update({ Id: made.id, Name: 'Captured twice' });
  await writer.sobject('Opportunity').destroy(made.id);
  const told = await live.first(3);
  const headers = told.map(({ payload }) => payload.ChangeEventHeader);
  assert.deepEqual(headers.map(({ changeType }) => changeType), ['CREATE', 'UPDATE', 'DELETE']);
  assert.deepEqual(headers.map(({ recordIds }) => recordIds), [[made.id], [made.id], [made.id]]);
  assert.equal(headers[0].changeOrigin, 'com/salesforce/api/rest/60.0;client=CoSellConnector');
  assert.equal(told[0].payload.Amount, 7);
  assert.deepEqual(headers[1].changedFields, ['Name', 'LastModifiedDate']);
  assert.equal(told[1].payload.Name, 'Captured twice');
  assert.equal(told[1].payload.Amount, undefined);
  const { replayId } = told[0].event;
  const again = await listen(client(connection(), [new StreamingExtension.Replay(channel, replayId)]), channel);
  const replayed = await again.first(2);
  assert.deepEqual(replayed.map(({ event }) => event.replayId), told.slice(1).map(({ event }) => event.replayId));
  const all = await listen(client(connection(), [new StreamingExtension.Replay(channel, -2)]), channel);
  assert.ok((await all.first(3)).length === 3);
});

test('a channel that does not exist, and a number that was never given out, are refused', async () => {
  await assert.rejects(async () => listen(client(connection()), '/topic/Nothing'));
  const channel = '/data/AccountChangeEvent';
  const wrong = client(connection(), [new StreamingExtension.Replay(channel, 99_999_999)]);
  await assert.rejects(async () => listen(wrong, channel), /replayId/);
});

test('a token that is not good is told to the extension that waits for it', async () => {
  const failed = new Promise((done) => {
    const faye = client(connection({ accessToken: '00Dnobody!x' }), [new StreamingExtension.AuthFailure(done)]);
    faye.subscribe('/data/ChangeEvents', () => {});
  });
  const message = await failed;
  assert.match(message.ext.sfdc.failureReason, /^401/);
});

test('the endpoint answers a plain request for a web socket without breaking', async () => {
  const answer = await fetch(`${base}/cometd/60.0`);
  assert.equal(answer.status, 400);
});
