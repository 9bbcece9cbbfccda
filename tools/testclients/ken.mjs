// Starts ken as a user would and finds out what it says about itself.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KEY = /ken_[0-9a-z]{8}_[0-9A-Za-z]{43}/g;
const LISTENING = /listening on (https?:\/\/\S+)/;
const START_SECONDS = 120; // ingesting the bundled corpus on a slow machine

const cleanups = [];

export async function cleanup() {
  for (const f of cleanups.reverse()) await f();
}

export function tempDir() {
  const dir = mkdtempSync(join(tmpdir(), 'ken-clients-'));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

// A small folder, ingested; returns the data directory.
export function ingested(ken) {
  const dir = tempDir();
  const docs = join(dir, 'handbook');
  mkdirSync(docs);
  writeFileSync(join(docs, 'leave.md'), '# Parental leave\n\nEvery parent gets 26 weeks of paid leave.\n');
  writeFileSync(join(docs, 'plants.md'), '# Plants\n\nThe office cactus is watered on Fridays.\n');
  const data = join(dir, 'data');
  execFileSync(ken, ['ingest', docs, '--data', data], { stdio: ['ignore', 'ignore', 'inherit'] });
  return data;
}

// Two documents, one for everyone and one for the group hr; returns the data directory.
export function ingestedFor(ken, ids) {
  const dir = tempDir();
  const data = join(dir, 'data');
  const texts = { everyone: '# Parental leave\n\nEvery parent gets 26 weeks of paid leave.\n', hr: '# Severance\n\nSeverance is two months of salary per year.\n' };
  for (const [who, owner] of [['everyone', 'everyone'], ['hr', 'group:hr']]) {
    const [folder, file] = ids[who].split('/');
    mkdirSync(join(dir, folder));
    writeFileSync(join(dir, folder, file), texts[who]);
    execFileSync(ken, ['ingest', join(dir, folder), '--owner', owner, '--data', data], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return data;
}

// Starts ken serve and waits until it listens.
export function serve(ken, args, env = {}) {
  const child = spawn(ken, ['serve', ...args], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  cleanups.push(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return new Promise((resolve, reject) => {
    let said = '';
    ended.then((code) => reject(new Error(`ken serve ended with ${code}; it said:\n${said}`)));
    child.stderr.on('data', (chunk) => {
      said += chunk;
      if (LISTENING.test(said)) resolve();
    });
  });
}

// A port of loopback that was free a moment ago: a URL has to be known before its server starts.
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

export const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The demo over HTTP: its URL and the keys that it prints.
export async function demo(ken) {
  const child = spawn(ken, ['serve', '--http', '127.0.0.1:0', '--demo'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  cleanups.push(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why) => reject(new Error(`ken serve --http --demo: ${why}; it said:\n${said}`));
    const timer = setTimeout(() => fail(`not ready after ${START_SECONDS} s`), START_SECONDS * 1000);
    ended.then((code) => fail(`ended with ${code}`));
    const hear = (chunk) => {
      said += chunk;
      const url = said.match(LISTENING)?.[1];
      const keys = [...new Set(said.match(KEY) ?? [])];
      if (url && keys.length >= 2) {
        clearTimeout(timer);
        resolve({ url, keys });
      }
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
  });
}
