// node run.mjs KEN_BINARY: drives ken with the MCP Inspector's command line and
// with both lines of the TypeScript SDK, over stdio and HTTP, and checks what
// they get. Exits 1 if a check fails.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { inspect } from './inspector.mjs';
import { cleanup, demo, ingested } from './ken.mjs';

const MODERN = '2026-07-28';
const ken = resolve(process.argv[2] ?? '../../bin/ken');
const me = { name: 'ken-testclients', version: '1' };
let failed = 0;

async function check(name, f) {
  const start = Date.now();
  try {
    await f();
    console.log(`ok    ${name} (${Date.now() - start} ms)`);
  } catch (e) {
    failed++;
    console.log(`FAIL  ${name}\n${e.stack ?? e}`);
  }
}

// The kinds of TypeScript clients: which SDK, which protocol.
const sdks = [
  { name: 'TypeScript SDK 1', client: () => new ClientV1(me), Stdio: StdioV1, Http: HttpV1 },
  { name: 'TypeScript SDK 2, handshake', client: () => new ClientV2(me, { versionNegotiation: { mode: 'legacy' } }), Stdio: StdioV2, Http: HttpV2 },
  { name: 'TypeScript SDK 2, no session', client: () => new ClientV2(me, { versionNegotiation: { mode: { pin: MODERN } } }), Stdio: StdioV2, Http: HttpV2 },
  { name: 'TypeScript SDK 2, automatic', client: () => new ClientV2(me, { versionNegotiation: { mode: 'auto' } }), Stdio: StdioV2, Http: HttpV2 },
];

async function connected(sdk, transport, use) {
  const client = sdk.client();
  await client.connect(transport);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

const overHttp = (sdk, url, key) => new sdk.Http(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${key}` } } });

// What every answer of search promises to connectors.
function assertSearch(result) {
  assert.ok(!result.isError, JSON.stringify(result));
  assert.equal(result.content.length, 1);
  assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
  const answer = result.structuredContent;
  assert.equal(answer.result_count, answer.results.length);
  assert.ok(answer.results.length > 0, 'nothing found');
  for (const r of answer.results) {
    for (const field of ['id', 'title', 'url']) assert.ok(typeof r[field] === 'string' && r[field] !== '', `${r.id}: ${field}`);
    for (const p of r.passages) assert.match(p.citation.sha256, /^[0-9a-f]{64}$/);
  }
  return answer;
}

// A whole conversation; returns the ids of all resources.
async function converse(client, question) {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((t) => t.name).sort(), ['fetch', 'list_versions', 'search']);
  for (const t of tools) assert.ok(t.title && t.annotations.readOnlyHint && t.outputSchema);
  assert.match(client.getInstructions(), /^Search this knowledge base/);
  const answer = assertSearch(await client.callTool({ name: 'search', arguments: { query: question } }));
  const id = answer.results[0].id;
  const fetched = await client.callTool({ name: 'fetch', arguments: { id } });
  const document = fetched.structuredContent;
  assert.equal(document.id, id);
  assert.ok(document.text && document.url && document.metadata.version);
  const uri = `ken://doc/${encodeURIComponent(id)}`;
  const { contents } = await client.readResource({ uri });
  assert.ok(contents[0].text.startsWith(document.text.slice(0, 200)));
  const wrong = await client.callTool({ name: 'search', arguments: { query: 'x', colour: 'red' } });
  assert.ok(wrong.isError);
  assert.equal(JSON.parse(wrong.content[0].text).error.field, 'colour');
  const prompt = await client.getPrompt({ name: 'answer_with_citations', arguments: { question } });
  assert.ok(prompt.messages[0].content.text.includes(question));
  const completion = await client.complete({ ref: { type: 'ref/resource', uri: 'ken://doc/{id}' }, argument: { name: 'id', value: id.slice(0, -1) } });
  assert.ok(completion.completion.values.includes(id));
  return listed(client);
}

async function listed(client) {
  const ids = [];
  let cursor;
  do {
    const page = await client.listResources(cursor ? { cursor } : undefined);
    ids.push(...page.resources.map((r) => r.name));
    cursor = page.nextCursor;
  } while (cursor);
  return ids;
}

async function stdioChecks() {
  const data = ingested(ken);
  const command = { command: ken, args: ['serve', '--stdio', '--data', data], stderr: 'inherit' };
  for (const sdk of sdks) {
    await check(`${sdk.name} over stdio`, () =>
      connected(sdk, new sdk.Stdio(command), async (client) => {
        const ids = await converse(client, 'How many weeks of parental leave?');
        assert.equal(ids.length, 2);
      }));
  }
  await inspectorChecks('stdio', [ken, 'serve', '--stdio', '--data', data], []);
}

async function httpChecks() {
  const { url, keys } = await demo(ken);
  for (const sdk of sdks) {
    await check(`${sdk.name} over HTTP, two people`, async () => {
      const seen = [];
      for (const key of keys.slice(0, 2)) {
        seen.push(await connected(sdk, overHttp(sdk, url, key), (client) => converse(client, 'How long is parental leave?')));
      }
      const secret = seen[0].find((id) => !seen[1].includes(id)) ?? seen[1].find((id) => !seen[0].includes(id));
      assert.ok(secret, 'both people may read the same documents');
      const other = seen[0].includes(secret) ? keys[1] : keys[0];
      await connected(sdk, overHttp(sdk, url, other), (client) => assertHidden(client, secret));
    });
    await check(`${sdk.name} over HTTP without a key`, () =>
      assert.rejects(connected(sdk, new sdk.Http(new URL(url)), () => {})));
  }
  await inspectorChecks('HTTP', ['--server-url', url, '--transport', 'http', '--stored-auth-only'], ['--header', `Authorization: Bearer ${keys[0]}`]);
  await check('Inspector over HTTP without a key', async () => {
    const r = await inspect(['--server-url', url, '--transport', 'http', '--stored-auth-only'], ['--method', 'tools/list']);
    assert.equal(r.code, 3, `exit ${r.code}: ${r.err}${r.out}`);
  });
}

// A document that must not be read looks like one that is not there.
async function assertHidden(client, secret) {
  const texts = [];
  for (const id of [secret, 'no/such/document.md']) {
    const r = await client.callTool({ name: 'fetch', arguments: { id } });
    assert.ok(r.isError);
    texts.push(JSON.stringify(r));
  }
  assert.equal(texts[0], texts[1]);
  await assert.rejects(client.readResource({ uri: `ken://doc/${encodeURIComponent(secret)}` }), /no such document/);
}

async function inspectorChecks(over, target, headers) {
  for (const era of ['legacy', 'modern']) {
    const ask = (...args) => inspect(target, [...headers, '--protocol-era', era, ...args]);
    await check(`Inspector over ${over}, ${era}: definitions are portable`, async () => {
      const r = await ask('--method', 'tools/list', '--strict');
      assert.equal(r.code, 0, `exit ${r.code}: ${r.err}${r.out}`);
      assert.deepEqual(r.json.tools.map((t) => t.name).sort(), ['fetch', 'list_versions', 'search']);
    });
    await check(`Inspector over ${over}, ${era}: search`, async () => {
      const r = await ask('--method', 'tools/call', '--tool-name', 'search', '--tool-args-json', '{"query":"parental leave"}');
      assert.equal(r.code, 0, `exit ${r.code}: ${r.err}${r.out}`);
      assertSearch(r.json);
    });
    await check(`Inspector over ${over}, ${era}: a tool's error`, async () => {
      const r = await ask('--method', 'tools/call', '--tool-name', 'search', '--tool-args-json', '{"query":"x","limit":0}');
      assert.equal(r.code, 5, `exit ${r.code}: ${r.err}${r.out}`);
    });
  }
}

try {
  await stdioChecks();
  await httpChecks();
} catch (e) {
  failed++;
  console.log(`FAIL  ${e.stack ?? e}`);
} finally {
  await cleanup();
}
console.log(failed === 0 ? 'all clients agree' : `${failed} checks failed`);
process.exitCode = failed === 0 ? 0 : 1;
