// node auth.mjs KEN_BINARY: people sign in at a real authorization server
// (oidc-provider) and use ken with clients that others wrote: the TypeScript
// SDK, the Go SDK, the MCP Inspector's command line and mcp-remote. Exits 1 if
// a check fails.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { browse } from './browser.mjs';
import { inspector } from './inspector.mjs';
import { cleanup, freePort, ingestedFor, later, serve, tempDir } from './ken.mjs';
import { startProvider } from './provider.mjs';

const ken = resolve(process.argv[2] ?? '../../bin/ken');
const here = fileURLToPath(new URL('.', import.meta.url));
const run = promisify(execFile);
const me = { name: 'ken-testclients', version: '1' };
const OPEN = 'everyone/leave.md'; // ines and everyone else
const SECRET = 'hr/severance.md'; // the group hr
const CALLBACK = 'http://127.0.0.1:9/callback'; // never opened
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

// One person's sign-in, as the TypeScript SDK wants it.
class SignIn {
  signIns = 0;
  redirectUrl = CALLBACK;
  clientMetadata = { client_name: 'ken-testclients', redirect_uris: [CALLBACK], grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'none' };
  clientInformation = () => this.client;
  saveClientInformation = (c) => void (this.client = c);
  // The SDK answers a call for more scope with the refresh token, if it has
  // one, and so gets the same scope again: it is not told of it.
  tokens = () => this.token && { ...this.token, refresh_token: undefined };
  saveTokens = (t) => void (this.token = t);
  saveCodeVerifier = (v) => void (this.verifier = v);
  codeVerifier = () => this.verifier;

  async redirectToAuthorization(url) {
    this.signIns++;
    this.asked = Object.fromEntries(url.searchParams);
    const back = new URL(await browse(url.href, (u) => u.startsWith(CALLBACK)));
    this.code = back.searchParams.get('code');
    assert.ok(this.code, `no code in ${back.search}`);
  }
}

// A client that signs in whenever it is asked to.
async function signedIn(url, who, use) {
  const transport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: who });
  const again = async (f) => {
    try {
      return await f();
    } catch (e) {
      if (!(e instanceof UnauthorizedError)) throw e;
      await current.finishAuth(who.code);
      return f();
    }
  };
  let current = transport();
  let client;
  await again(async () => {
    if (client) current = transport();
    client = new Client(me);
    const finishing = current;
    await client.connect(finishing);
  });
  try {
    return await use((name, args) => again(() => client.callTool({ name, arguments: args })), client, current);
  } finally {
    await client.close();
  }
}

const text = (result) => result.content.map((c) => c.text).join('');

async function typescript(url, provider) {
  const who = new SignIn();
  await check('TypeScript SDK: discovery, registration, PKCE, a search', () =>
    signedIn(url, who, async (call) => {
      assert.ok(text(await call('search', { query: 'parental leave' })).includes(OPEN));
      assert.equal(who.asked.code_challenge_method, 'S256');
      assert.equal(who.asked.resource, url);
      assert.equal(who.asked.scope, 'ken.read');
      assert.ok(who.client.client_id);
      assert.equal(who.signIns, 1);
    }));
  await check('TypeScript SDK: fetch steps up to the scope that it needs, search is not lost', () =>
    signedIn(url, who, async (call) => {
      assert.ok(text(await call('fetch', { id: OPEN })).includes('26 weeks'));
      assert.equal(who.signIns, 2);
      assert.deepEqual(who.asked.scope.split(' ').sort(), ['ken.fetch', 'ken.read']);
      assert.ok(text(await call('search', { query: 'parental leave' })).includes(OPEN));
      assert.equal(who.signIns, 2);
    }));
  await check('groups claim: not in the group, in it after the next token, in the same session', () =>
    signedIn(url, who, async (call, _client, transport) => {
      const id = transport.sessionId;
      assert.ok(id);
      const hidden = await call('fetch', { id: SECRET });
      assert.deepEqual(hidden, await call('fetch', { id: 'hr/nothing.md' }));
      provider.groups.ines = ['hr'];
      const old = who.token.access_token;
      who.token = { ...who.token, ...(await refreshed(provider, who)) };
      assert.notEqual(who.token.access_token, old);
      assert.ok(text(await call('fetch', { id: SECRET })).includes('two months'));
      assert.equal(transport.sessionId, id);
      assert.equal(who.signIns, 2);
      provider.groups.ines = [];
    }));
  await check('a session is no use to another person, who has a session of her own', async () => {
    await signedIn(url, who, async (_call, _client, transport) => {
      const mia = new SignIn();
      provider.who = 'mia';
      provider.groups.mia = ['hr'];
      await signedIn(url, mia, async (call) => {
        assert.ok(text(await call('fetch', { id: SECRET })).includes('two months'));
      });
      provider.who = 'ines';
      const answer = await raw(url, mia.token.access_token, { 'mcp-session-id': transport.sessionId });
      assert.equal(answer.status, 404);
    });
  });
  await check('groups of another shape, too many, or missing: refused with a challenge', async () => {
    for (const groups of ['hr', Array.from({ length: 1001 }, (_, n) => `g${n}`), { hr: true }, undefined]) {
      provider.groups.ines = groups;
      const { access_token } = await refreshed(provider, who, true);
      const answer = await raw(url, access_token);
      assert.equal(answer.status, 401, JSON.stringify(groups));
      assert.match(answer.headers.get('www-authenticate'), /^Bearer resource_metadata=/);
      assert.equal(await answer.text(), 'unauthorized\n');
    }
    provider.groups.ines = [];
  });
  return who;
}

// A new token by the refresh token.
async function refreshed(provider, who, kept = false) {
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: who.token.refresh_token, client_id: who.client.client_id });
  const res = await fetch(`${provider.issuer}/token`, { method: 'POST', body });
  const token = await res.json();
  assert.ok(res.ok, JSON.stringify(token));
  if (kept) who.token.refresh_token = token.refresh_token;
  return token;
}

// One request without any SDK.
function raw(url, token, headers = {}) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'search', arguments: { query: 'leave' } } });
  return fetch(url, {
    method: 'POST', body,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25', ...headers },
  });
}

// Whether a credential is accepted: without a session the request is then a bad one.
const accepted = async (url, token) => {
  const { status } = await raw(url, token);
  assert.ok([400, 200, 401].includes(status), `status ${status}`);
  return status !== 401;
};

async function goSDK(url) {
  const program = resolve(tempDir(), 'oauthclient');
  await run('go', ['build', '-o', program, './oauthclient'], { cwd: here });
  await check('Go SDK: discovery, registration, PKCE, a search, step-up for fetch', async () => {
    const { stdout } = await run(program, [url, OPEN]);
    assert.match(stdout, /search: found\nfetch: found\nsign-ins: 2\n/);
  });
}

async function inspectorCLI(url) {
  await check('Inspector: signs in, then searches', async () => {
    const args = ['--cli', '--server-url', url, '--transport', 'http', '--format', 'json', '--method', 'tools/call', '--tool-name', 'search', '--tool-args-json', '{"query":"parental leave"}'];
    const { code, out, err } = await driven(inspector(args));
    assert.equal(code, 0, `exit ${code}: ${err}`);
    assert.ok(out.includes(OPEN), out);
  });
}

// Opens the authorization URL that a process prints, as its user would.
async function driven(child, done = () => false) {
  let out = '';
  let err = '';
  let opened;
  const look = () => {
    const url = (err + out).match(/https?:\/\/127\.0\.0\.1:\d+\/auth\?\S+/)?.[0];
    if (url && !opened && /\s/.test((err + out).slice((err + out).indexOf(url) + url.length))) opened = browse(url.replace(/["',]+$/, '')).catch((e) => (err += e.stack));
    if (done(out, err)) child.kill();
  };
  child.stdout.on('data', (d) => { out += d; look(); });
  child.stderr.on('data', (d) => { err += d; look(); });
  const timer = setTimeout(() => child.kill(), 60_000);
  const code = await new Promise((end) => child.once('close', end));
  clearTimeout(timer);
  return { code, out, err, signedIn: Boolean(opened) };
}

async function mcpRemote(url) {
  await check('mcp-remote: signs in and passes a client\'s calls on', async () => {
    const home = tempDir();
    const port = await freePort();
    const proxy = resolve(here, 'node_modules/mcp-remote/dist/proxy.js');
    const transport = new StdioClientTransport({
      command: process.execPath, args: [proxy, url, String(port), '--host', '127.0.0.1', '--allow-http'], stderr: 'pipe',
      env: { PATH: '/nowhere', HOME: home, MCP_REMOTE_CONFIG_DIR: home }, // no browser is found there: it prints the URL
    });
    let said = '';
    let opened;
    transport.stderr.on('data', (d) => {
      said += d;
      const found = said.match(/(https?:\/\/\S+\/auth\?\S+)\s/)?.[1];
      if (found && !opened) opened = browse(found).catch((e) => (said += e.stack));
    });
    const client = new Client(me);
    try {
      await client.connect(transport, { timeout: 60_000 });
      assert.ok(opened, 'nobody signed in');
      assert.ok(text(await client.callTool({ name: 'search', arguments: { query: 'parental leave' } })).includes(OPEN));
    } catch (e) {
      throw new Error(`${e.message}; it said:\n${said}`, { cause: e });
    } finally {
      await client.close();
    }
  });
}

async function rotation(url, provider, who) {
  await check('key rotation: tokens of the new key are good within 31 s, of the old one until ken asks again', async () => {
    const old = who.token.access_token;
    provider.rotate();
    const { access_token } = await refreshed(provider, who, true);
    const limit = Date.now() + 31_000;
    while (!(await fetch(url, { method: 'DELETE', headers: { authorization: `Bearer ${access_token}` } }).then((r) => r.status !== 401))) {
      assert.ok(Date.now() < limit, 'the new key is not known after 31 s');
      await later(500);
    }
    assert.equal(await accepted(url, old), false);
  });
}

async function opaque(docs) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/mcp`;
  const provider = await startProvider(url);
  provider.format = 'opaque';
  await serve(ken, ['--http', `127.0.0.1:${port}`, '--data', docs, '--issuer', provider.issuer, '--public-url', url, '--claim-groups', 'groups', '--introspect', `${provider.issuer}/token/introspection`], {
    KEN_INTROSPECTION_ID: provider.introspector.client_id, KEN_INTROSPECTION_SECRET: provider.introspector.client_secret,
  });
  const who = new SignIn();
  await check('opaque tokens: introspection says who asks', () =>
    signedIn(url, who, async (call) => {
      assert.ok(!who.token.access_token.includes('.'));
      assert.ok(text(await call('search', { query: 'parental leave' })).includes(OPEN));
    }));
  await check('opaque tokens: a refresh token is no access token', async () => {
    assert.equal(await accepted(url, who.token.refresh_token), false);
  });
  await check('opaque tokens: a revoked one is refused within 35 s, and its stream ends', async () => {
    let ended = false;
    await signedIn(url, who, async (_call, _client, transport) => {
      const stream = await fetch(url, { headers: { authorization: `Bearer ${who.token.access_token}`, accept: 'text/event-stream', 'mcp-session-id': transport.sessionId, 'mcp-protocol-version': '2025-11-25' } });
      assert.ok([200, 409].includes(stream.status), String(stream.status));
      const held = stream.body.pipeTo(new WritableStream()).then(() => (ended = true), () => (ended = true));
      const token = who.token.access_token;
      await provider.revoke(who.client, token);
      const limit = Date.now() + 35_000;
      while (await accepted(url, token)) {
        assert.ok(Date.now() < limit, 'still good after 35 s');
        await later(500);
      }
      await Promise.race([held, later(10_000)]);
      assert.ok(ended, 'the stream is still open');
      who.token = undefined; // nothing to end the session with
    }).catch((e) => {
      if (!ended) throw e;
    });
  });
  await check('opaque tokens: a provider that is down lets nobody in', async () => {
    await provider.stop();
    const answer = await raw(url, 'another-token');
    assert.equal(answer.status, 503);
    assert.ok(answer.headers.get('retry-after'));
  });
}

async function signed(docs) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/mcp`;
  const provider = await startProvider(url);
  await serve(ken, ['--http', `127.0.0.1:${port}`, '--data', docs, '--issuer', provider.issuer, '--public-url', url, '--claim-groups', 'groups', '--tool-scope', 'fetch=ken.fetch']);
  const who = await typescript(url, provider);
  await goSDK(url);
  await inspectorCLI(url);
  await mcpRemote(url);
  await rotation(url, provider, who);
  await check('a provider that went down: who is signed in stays, tokens of unknown keys wait', async () => {
    const { access_token } = await refreshed(provider, who, true);
    await provider.stop();
    assert.equal(await accepted(url, access_token), true);
  });
}

try {
  await signed(ingestedFor(ken, { everyone: OPEN, hr: SECRET }));
  await opaque(ingestedFor(ken, { everyone: OPEN, hr: SECRET }));
} catch (e) {
  failed++;
  console.log(`FAIL  ${e.stack ?? e}`);
} finally {
  await cleanup();
}
console.log(failed === 0 ? 'everyone who may is signed in, and nobody else' : `${failed} checks failed`);
process.exit(failed === 0 ? 0 : 1);
