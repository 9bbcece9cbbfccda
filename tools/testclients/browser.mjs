// The smallest browser that can sign in: it follows redirects and keeps cookies.

// Opens the URL and follows until `until` accepts a URL, which is not opened
// but returned; without it, until a page that is no redirect.
export async function browse(url, until = () => false) {
  const jar = new Map(); // origin to cookies
  for (let hops = 0; hops < 20; hops++) {
    if (until(url)) return url;
    const { origin } = new URL(url);
    const cookies = jar.get(origin) ?? jar.set(origin, new Map()).get(origin);
    const res = await fetch(url, { redirect: 'manual', headers: { cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join('; ') } });
    for (const line of res.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    const next = res.headers.get('location');
    if (!next) {
      const page = await res.text();
      if (!res.ok) throw new Error(`${url} answered ${res.status}: ${page.slice(0, 500)}`);
      return url;
    }
    url = new URL(next, url).href;
  }
  throw new Error(`too many redirects, the last to ${url}`);
}
