// The service worker: keeps the page's files for offline use, and adds the headers by which a
// browser isolates the page, so that threads work on hosts that cannot set headers.

declare const SHELL: string[];
declare const REST: string[];
declare const USED: string[];

const scope = self as unknown as ServiceWorkerGlobalScope;
const CACHE = "impasto";
const FILES = new Set([...SHELL, ...REST, ...USED]);

scope.addEventListener("install", (event) => {
  event.waitUntil(keep(SHELL));
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([forget(), scope.clients.claim()]));
});

scope.addEventListener("message", (event) => {
  const source = event.source;
  if (event.data === "keep everything")
    event.waitUntil(keep(REST).then(() => source?.postMessage("kept everything")));
});

scope.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const ours = new URL(scope.registration.scope);
  const asked = new URL(url);
  if (method !== "GET" || asked.origin !== ours.origin || !asked.pathname.startsWith(ours.pathname))
    return;
  event.respondWith(answer(event.request));
});

async function answer(request: Request): Promise<Response> {
  const name = request.url.slice(scope.registration.scope.length).split(/[?#]/)[0];
  const file = name === "" || name === "index.html" ? "./" : name;
  const isOurs = FILES.has(file);
  const cache = await caches.open(CACHE);
  const kept = isOurs && (await cache.match(file));
  if (kept) return isolated(kept);
  const response = await fetch(request);
  if (isOurs && response.ok) await cache.put(file, response.clone());
  return isolated(response);
}

/** Fetch and keep files that are not kept yet; names change with what is in them. */
async function keep(files: string[]): Promise<void> {
  const cache = await caches.open(CACHE);
  for (const file of files) {
    const isStable = /\.[0-9A-Za-z]{8}\./.test(file);
    if (!isStable || !(await cache.match(file)))
      await cache.add(new Request(file, { cache: isStable ? "default" : "reload" }));
  }
}

/** Drop the files of earlier versions. */
async function forget(): Promise<void> {
  const cache = await caches.open(CACHE);
  const current = new Set([...FILES].map((file) => new URL(file, scope.location.href).href));
  for (const request of await cache.keys())
    if (!current.has(request.url)) await cache.delete(request);
}

function isolated(response: Response): Response {
  if (response.status === 0) return response; // opaque
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "cross-origin");
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}
