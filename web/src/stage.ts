// Photo and painting, one over the other, with a handle between them; and what is going on.

import type { Painted } from "./orders";
import { byId } from "./page";
import { isOpaque } from "./picture";

const stage = byId("stage");
const frame = byId("frame");
const mat = byId("mat");
const before = byId<HTMLCanvasElement>("before");
const after = byId<HTMLCanvasElement>("after");
const compare = byId<HTMLInputElement>("compare");
const bar = byId("bar");
const status = byId("status");
const error = byId("error");

compare.addEventListener("input", () => split(compare.valueAsNumber));
new ResizeObserver(lay).observe(mat);

export function show(painted: Painted): void {
  draw(before, painted, painted.before);
  draw(after, painted, painted.after);
  frame.classList.toggle("see-through", !isOpaque(painted.after));
  frame.hidden = false;
  mat.style.setProperty("--ratio", String(painted.width / painted.height));
  lay();
  split(compare.valueAsNumber);
}

/** Live frames are shown without the handle. */
export function setLive(live: boolean): void {
  frame.classList.toggle("live", live);
}

/** The painting as a file; JPEG has no transparency, so it is laid on white. */
export async function saved(type: "image/png" | "image/jpeg"): Promise<Blob> {
  let canvas = after;
  if (type === "image/jpeg") {
    canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [after.width, after.height];
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(after, 0, 0);
  }
  return new Promise((resolve, reject) => {
    const done = (blob: Blob | null) =>
      blob ? resolve(blob) : reject(new Error("The browser could not write the picture"));
    canvas.toBlob(done, type, 0.95);
  });
}

export function say(text: string): void {
  status.textContent = text;
}

/** One line about what went wrong; empty: nothing did. */
export function complain(text: string): void {
  error.textContent = text;
  error.hidden = !text;
}

/** How far something is, from 0 to 1; null: nobody knows; undefined: nothing is going on. */
export function progress(part?: number | null): void {
  bar.hidden = part === undefined;
  stage.ariaBusy = String(!bar.hidden);
  bar.classList.toggle("unknown", part === null);
  if (typeof part === "number") bar.style.setProperty("--part", `${100 * part}%`);
}

function draw(canvas: HTMLCanvasElement, size: Painted, data: Uint8ClampedArray<ArrayBuffer>): void {
  [canvas.width, canvas.height] = [size.width, size.height];
  canvas.getContext("2d")?.putImageData(new ImageData(data, size.width, size.height), 0, 0);
}

/** As large as the mat allows. */
function lay(): void {
  const margin = mat.clientWidth < 600 ? 0 : 28;
  const [wide, high] = [mat.clientWidth - 2 * margin, mat.clientHeight - 2 * margin];
  const scale = Math.min(wide / after.width, high / after.height);
  frame.style.width = `${Math.floor(after.width * scale)}px`;
  frame.style.height = `${Math.floor(after.height * scale)}px`;
}

function split(percent: number): void {
  frame.style.setProperty("--split", `${percent}%`);
  compare.setAttribute("aria-valuetext", `${percent} percent photo`);
}
