// Reads, paints and answers, so that the page stays alive meanwhile. One order at a time.

import { type Asset, catalogue } from "./catalogue";
import { Refused, sentence } from "./errors";
import { Networks } from "./networks";
import type { FromWorker, Order, Painted, ToWorker } from "./orders";
import { type Picture, toBytes } from "./picture";
import { wasmRuntime, webgpuNetworks } from "./runtime";
import { Studio } from "./studio";

const scope = self as unknown as DedicatedWorkerGlobalScope;
const arrived = new Map<Asset, number>();
const networks = new Networks(wasmRuntime(tell), tell);
const studio = new Studio(networks);
let work: Promise<void> = warm();

scope.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  work = work.then(() => (data.kind === "gpu" ? tryGpu() : paint(data.order)));
};

async function warm(): Promise<void> {
  try {
    await networks.warm();
    answer({ kind: "ready", runtime: (await networks.runtime).name });
  } catch (error) {
    answer(failure(error));
  }
}

async function paint(order: Order): Promise<void> {
  const began = performance.now();
  try {
    const [photo, painting] = await studio.paint(order);
    const painted = asBytes(photo, painting, (performance.now() - began) / 1000);
    answer({ kind: "painted", painted }, [painted.before.buffer, painted.after.buffer]);
  } catch (error) {
    answer(failure(error, order));
  }
}

/** Change over to WebGPU where it passes its check; whatever fails there leaves all as it is. */
async function tryGpu(): Promise<void> {
  const faster = await webgpuNetworks(studio.networks).catch(() => null);
  if (!faster) return;
  await studio.networks.close();
  studio.networks = faster;
  answer({ kind: "ready", runtime: (await faster.runtime).name });
}

function asBytes(photo: Picture, painting: Picture, seconds: number): Painted {
  const { width, height } = photo;
  return { width, height, before: toBytes(photo), after: toBytes(painting), seconds };
}

function failure(error: unknown, order?: Order): FromWorker {
  if (error instanceof Refused) return { kind: "error", message: error.message, broken: false };
  const memory = error instanceof RangeError || /alloc|memory|abort/i.test(sentence(error));
  const message =
    memory && order
      ? `Not enough memory for ${order.size} px on this device: choose a smaller size`
      : `This did not work here: ${sentence(error)}`;
  return { kind: "error", message, broken: true };
}

/** How much has come of all that is being fetched. */
function tell(asset: Asset, received: number): void {
  arrived.set(asset, received);
  let total = 0;
  for (const one of arrived.keys()) total += one.bytes;
  const sum = [...arrived.values()].reduce((a, b) => a + b, 0);
  const first = [catalogue.wasm.binary, catalogue.models.painter, catalogue.models.encoder];
  for (const one of first) if (!arrived.has(one)) total += one.bytes;
  answer({ kind: "progress", received: sum, total });
}

function answer(message: FromWorker, transfer: Transferable[] = []): void {
  scope.postMessage(message, transfer);
}
