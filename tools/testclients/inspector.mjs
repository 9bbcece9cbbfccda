// The MCP Inspector's command line.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { tempDir } from './ken.mjs';

const launcher = fileURLToPath(new URL('node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js', import.meta.url));
const home = tempDir(); // it keeps a catalogue and tokens in its home

// Starts the Inspector.
export function inspector(args) {
  return spawn(process.execPath, [launcher, ...args], {
    env: { ...process.env, HOME: home, USERPROFILE: home, PATH: '/nowhere', MCP_AUTO_OPEN_ENABLED: 'true' }, // no browser is found there: it prints the URL
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

// Runs the Inspector and returns its exit code, JSON output and error output.
export function inspect(target, args) {
  const child = spawn(process.execPath, [launcher, '--cli', ...target, '--format', 'json', ...args], {
    env: { ...process.env, HOME: home, USERPROFILE: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (d) => (out += d));
  child.stderr.on('data', (d) => (err += d));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      let json;
      try {
        json = JSON.parse(out);
      } catch {
        // what is no JSON is shown as it is
      }
      resolve({ code, json: json?.result ?? json, out, err });
    });
  });
}
