// What the build found and copied; build.mjs puts it here.

/** A file and how many bytes of it are transferred. */
export interface Asset {
  url: string;
  bytes: number;
}

/** A runtime of ONNX: its module, and its compiled part. */
export interface RuntimeAssets {
  module: string;
  binary: Asset;
}

export interface Example {
  name: string;
  title: string;
  by: string;
  thumb: string;
  file: string;
}

export interface GalleryStyle {
  name: string;
  title: string;
  by: string;
  thumb: string;
}

export interface Catalogue {
  models: { painter: Asset; encoder: Asset; gallery: Asset };
  wasm: RuntimeAssets;
  webgpu: RuntimeAssets;
  artworks: Example[];
  photos: Example[];
  gallery: GalleryStyle[];
}

declare const CATALOGUE: Catalogue;
export const catalogue = CATALOGUE;
