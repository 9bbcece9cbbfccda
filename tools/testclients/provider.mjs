// A real authorization server on loopback: oidc-provider, in memory. Whoever
// comes is signed in as `who` and consents to everything.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const SCOPES = 'ken.read ken.fetch';

// What the provider stores; it outlives a change of its keys.
class Memory {
  static all = new Map();

  constructor(kind) {
    this.kind = kind;
  }

  key(id) {
    return `${this.kind}:${id}`;
  }

  async upsert(id, payload) {
    Memory.all.set(this.key(id), payload);
  }

  async find(id) {
    return Memory.all.get(this.key(id));
  }

  async findBy(field, value) {
    for (const [key, payload] of Memory.all) {
      if (key.startsWith(`${this.kind}:`) && payload[field] === value) return payload;
    }
    return undefined;
  }

  async findByUid(uid) {
    return this.findBy('uid', uid);
  }

  async findByUserCode(code) {
    return this.findBy('userCode', code);
  }

  async consume(id) {
    Memory.all.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    Memory.all.delete(this.key(id));
  }

  async revokeByGrantId(grant) {
    for (const [key, payload] of Memory.all) {
      if (payload.grantId === grant) Memory.all.delete(key);
    }
  }
}

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
}

// Starts the provider for one resource. Its state can be changed while it runs:
// `who` signs in next, `format` is that of the next tokens, rotate() replaces the keys.
export async function startProvider(resource) {
  const state = { who: 'ines', groups: { ines: [] }, format: 'jwt', lifetime: 600, flows: [] };
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const introspector = { client_id: 'ken', client_secret: randomUUID(), redirect_uris: [], response_types: [], grant_types: [] };
  let keys = [newKey()];
  let provider;

  const make = () => {
    provider = new Provider(issuer, {
      adapter: Memory,
      jwks: { keys },
      clients: [introspector],
      cookies: { keys: ['one'] },
      scopes: ['openid', 'offline_access', ...SCOPES.split(' ')],
      pkce: { required: () => true },
      ttl: { AccessToken: () => state.lifetime },
      features: {
        devInteractions: { enabled: false },
        registration: { enabled: true },
        revocation: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        resourceIndicators: {
          enabled: true,
          useGrantedResource: () => true,
          defaultResource: () => resource,
          getResourceServerInfo: (_ctx, asked) => ({
            scope: SCOPES, audience: asked, accessTokenTTL: state.lifetime, accessTokenFormat: state.format, jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
      extraTokenClaims: (_ctx, token) => ({ groups: state.groups[token.accountId] }),
      issueRefreshToken: () => true,
      findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
      interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
      clientBasedCORS: () => true,
    });
    provider.use(unpinned);
    provider.use(noted);
    return provider.callback();
  };

  // A client registers with the scope of the first challenge; the provider
  // would hold it to that and refuse to step up.
  async function unpinned(ctx, next) {
    if (ctx.method === 'POST' && ctx.path === '/reg') {
      const chunks = [];
      for await (const chunk of ctx.req) chunks.push(chunk);
      const { scope, ...rest } = JSON.parse(Buffer.concat(chunks).toString());
      ctx.req.body = rest;
    }
    await next();
  }

  async function noted(ctx, next) {
    if (ctx.path === '/auth') state.flows.push(Object.fromEntries(new URLSearchParams(ctx.querystring)));
    await next();
  }

  async function interact(req, res) {
    const { prompt, params, grantId, session } = await provider.interactionDetails(req, res);
    if (prompt.name === 'login') {
      await provider.interactionFinished(req, res, { login: { accountId: state.who } });
      return;
    }
    const grant = (grantId && (await provider.Grant.find(grantId))) || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(`openid offline_access ${SCOPES}`);
    grant.addResourceScope(params.resource ?? resource, params.scope ?? SCOPES);
    await provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
  }

  let callback = make();
  server.on('request', (req, res) => {
    if (req.url.startsWith('/interaction/')) {
      interact(req, res).catch((e) => res.writeHead(500).end(String(e.stack)));
    } else {
      callback(req, res);
    }
  });

  return Object.assign(state, {
    issuer,
    introspector,
    rotate() {
      keys = [newKey()];
      callback = make();
    },
    async revoke(client, token) {
      const body = new URLSearchParams({ token, client_id: client.client_id, ...(client.client_secret ? { client_secret: client.client_secret } : {}) });
      const res = await fetch(`${issuer}/token/revocation`, { method: 'POST', body });
      if (!res.ok) throw new Error(`revocation answered ${res.status}: ${await res.text()}`);
    },
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  });
}
