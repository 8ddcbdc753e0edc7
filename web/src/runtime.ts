// ONNX Runtime: WebAssembly everywhere, WebGPU where it paints the same and faster.

import type * as Ort from "onnxruntime-common";
import * as wasm from "onnxruntime-web/wasm";

import { catalogue, type RuntimeAssets } from "./catalogue";
import { download, type Progress } from "./download";
import { Networks, type Runtime } from "./networks";
import type { Picture } from "./picture";

const MOST_THREADS = 8;
const TOLERANCE = 2 / 255; // between the runtimes
const CHECKED = { width: 256, height: 192 };

export async function wasmRuntime(progress: Progress): Promise<Runtime> {
  const threads = self.crossOriginIsolated ? threadCount(navigator.hardwareConcurrency || 1) : 1;
  await prepare(wasm, catalogue.wasm, threads, progress);
  return runtime(wasm, `WebAssembly, ${threads} thread${threads > 1 ? "s" : ""}`, "wasm");
}

/** One for each core of two; of more, for half of them, which are mostly the real ones. */
function threadCount(cores: number): number {
  return Math.min(MOST_THREADS, Math.max(Math.min(2, cores), Math.ceil(cores / 2)));
}

/** Networks in WebGPU if there is a GPU and they pass the check against these; else null. */
export async function webgpuNetworks(ours: Networks): Promise<Networks | null> {
  if (!(await hasGpu())) return null;
  const ort = await import("onnxruntime-web/jspi");
  await prepare(ort, catalogue.webgpu, 1);
  const theirs = new Networks(Promise.resolve(runtime(ort, "WebGPU", "webgpu")));
  if (await paintsAlike(ours, theirs)) return theirs;
  await theirs.close();
  return null;
}

/** Whether there is a GPU, and what the runtime needs to wait for it (JSPI). */
async function hasGpu(): Promise<boolean> {
  if (!("Suspending" in WebAssembly) || !("gpu" in navigator)) return false;
  const gpu = navigator.gpu as { requestAdapter(): Promise<object | null> };
  return (await gpu.requestAdapter().catch(() => null)) !== null;
}

/** The self-check: the same picture, and sooner. */
async function paintsAlike(ours: Networks, theirs: Networks): Promise<boolean> {
  const picture = testPicture(CHECKED.width, CHECKED.height);
  const paint = async (networks: Networks) =>
    networks.paint(picture, await networks.encode(picture));
  await paint(theirs); // compiles its shaders
  const [expected, usual] = await timed(() => paint(ours));
  const [found, time] = await timed(() => paint(theirs));
  const same = found.rgb.every((value, i) => Math.abs(value - expected.rgb[i]) <= TOLERANCE);
  return same && time < usual;
}

/** Waves of all colours, from smooth to fine. */
function testPicture(width: number, height: number): Picture {
  const rgb = Float32Array.from({ length: 3 * width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width) % height];
    const channel = Math.floor(i / (width * height));
    return 0.5 + 0.5 * Math.sin((x * x) / (300 + 200 * channel) + y / (3 + 5 * channel));
  });
  return { width, height, rgb, alpha: null };
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const began = performance.now();
  return [await work(), performance.now() - began];
}

async function prepare(
  ort: typeof Ort,
  assets: RuntimeAssets,
  threads: number,
  progress?: Progress,
): Promise<void> {
  const binary = await download(assets.binary, progress);
  const environment = ort.env.wasm;
  environment.wasmBinary = binary.buffer;
  environment.wasmPaths = { mjs: new URL(assets.module, self.location.href).href };
  environment.numThreads = threads;
}

function runtime(ort: typeof Ort, name: string, provider: "wasm" | "webgpu"): Runtime {
  return {
    name,
    tensor: (values, shape) => new ort.Tensor("float32", values, shape),
    open: (model) => ort.InferenceSession.create(model, { executionProviders: [provider] }),
  };
}
