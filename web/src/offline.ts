// Offline use and isolation, both by the service worker.

const PATIENCE = 4000; // milliseconds
const RELOADED = "impasto-reloaded";

/**
 * Let the service worker take over before anything large is fetched, so that it keeps it. Where
 * threads need its headers the page is loaded once more: then this never returns.
 */
export async function takeOver(): Promise<void> {
  const container = navigator.serviceWorker;
  if (!container) return; // not a secure place
  const active = container.register("sw.js").then(() => container.ready);
  await Promise.race([active.then(controlled), delay(PATIENCE)]).catch(() => undefined);
  const isFramed = window.top !== window; // there headers do not isolate
  if (!container.controller || crossOriginIsolated || isFramed || sessionStorage.getItem(RELOADED))
    return;
  sessionStorage.setItem(RELOADED, "yes");
  location.reload();
  await new Promise(() => undefined);
}

/** Keep all that is not kept yet; resolves when the page works offline as a whole. */
export async function keepEverything(): Promise<void> {
  const container = navigator.serviceWorker;
  if (!container?.controller) return new Promise(() => undefined);
  const kept = new Promise<void>((resolve) => {
    container.addEventListener("message", ({ data }) => data === "kept everything" && resolve());
  });
  container.controller.postMessage("keep everything");
  return kept;
}

function controlled(): Promise<void> | undefined {
  if (navigator.serviceWorker.controller) return undefined;
  return new Promise((resolve) => {
    navigator.serviceWorker.addEventListener("controllerchange", () => resolve(), { once: true });
  });
}

const delay = (time: number) => new Promise((resolve) => setTimeout(resolve, time));
