// What the page asks of its worker, and what comes back.

/** An artwork, or a style of the gallery by its place. */
export type Style = { artwork: Source } | { learnt: number };

/** A picture to be read; the same id stands for the same picture. */
export interface Source {
  id: string;
  image: Blob | ImageBitmap;
}

export interface Order {
  photo: Source;
  style: Style;
  size: number; // longer side of the result, at most
  strength: number; // from 0, the photo, to 1, the style as it is
  styleSize: number; // longer side at which the artwork is looked at
  keepColors: boolean;
}

/** Photo and painting, RGBA, of one size. */
export interface Painted {
  width: number;
  height: number;
  before: Uint8ClampedArray<ArrayBuffer>;
  after: Uint8ClampedArray<ArrayBuffer>;
  seconds: number;
}

export type ToWorker = { kind: "paint"; order: Order } | { kind: "gpu" };

export type FromWorker =
  | { kind: "progress"; received: number; total: number }
  | { kind: "ready"; runtime: string }
  | { kind: "painted"; painted: Painted }
  | { kind: "error"; message: string; broken: boolean };
