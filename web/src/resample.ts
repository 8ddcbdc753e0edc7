// Pillow's antialiased resampling, so that a photo has the same pixels here as in Python.

export interface Kernel {
  support: number;
  weight(distance: number): number;
}

const A = -0.5; // of the cubic (Keys 1981)

const BICUBIC: Kernel = {
  support: 2,
  weight(distance) {
    const x = Math.abs(distance);
    if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
  },
};

export const BILINEAR: Kernel = {
  support: 1,
  weight: (distance) => Math.max(0, 1 - Math.abs(distance)),
};

/** A plane at another size, clipped to [0, 1]. */
export function resample(
  plane: Float32Array,
  width: number,
  height: number,
  newWidth: number,
  newHeight: number,
  kernel = BICUBIC,
): Float32Array {
  const rows = along(plane, height, width, newWidth, kernel, 1, width, 1, newWidth);
  const out = along(rows, newWidth, height, newHeight, kernel, newWidth, 1, newWidth, 1);
  for (let i = 0; i < out.length; i++) out[i] = Math.min(1, Math.max(0, out[i]));
  return out;
}

/** Resample `lines` lines of `length` values; steps from value to value and from line to line. */
function along(
  source: Float32Array,
  lines: number,
  length: number,
  newLength: number,
  kernel: Kernel,
  step: number,
  lineStep: number,
  newStep: number,
  newLineStep: number,
): Float32Array {
  const out = new Float32Array(lines * newLength);
  const scale = length / newLength;
  const stretch = Math.max(1, scale);
  const support = kernel.support * stretch;
  for (let at = 0; at < newLength; at++) {
    const center = (at + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(length, Math.trunc(center + support + 0.5));
    const weights: number[] = [];
    for (let i = first; i < end; i++) weights.push(kernel.weight((i - center + 0.5) / stretch));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let line = 0; line < lines; line++) {
      let sum = 0;
      const start = line * lineStep + first * step;
      for (let i = 0; i < weights.length; i++) sum += source[start + i * step] * weights[i];
      out[line * newLineStep + at * newStep] = sum / total;
    }
  }
  return out;
}
