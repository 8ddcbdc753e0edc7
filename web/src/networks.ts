// The ONNX networks: what goes in and comes out, whatever runs them.

import type { InferenceSession, Tensor } from "onnxruntime-common";

import { type Asset, catalogue } from "./catalogue";
import { download, type Progress } from "./download";
import { counted, type Picture } from "./picture";

/** Moments of a style image; means over places, so codes can be mixed. */
export interface Code {
  mean: Float32Array;
  square: Float32Array;
}

/** What runs models. */
export interface Runtime {
  name: string;
  tensor(values: Float32Array, shape: number[]): Tensor;
  open(model: Uint8Array): Promise<InferenceSession>;
}

/** One runtime with the models that it has opened; both are fetched at the same time. */
export class Networks {
  private readonly sessions = new Map<string, Promise<InferenceSession>>();

  constructor(
    readonly runtime: Promise<Runtime>,
    private readonly progress?: Progress,
  ) {}

  /** Open what painting in the style of any artwork needs, ahead of time. */
  async warm(): Promise<void> {
    const { painter, encoder } = catalogue.models;
    await Promise.all([this.session(painter), this.session(encoder)]);
  }

  /** Look at an artwork. */
  async encode(artwork: Picture): Promise<Code> {
    const found = await this.run(catalogue.models.encoder, artwork);
    return { mean: found.style_mean, square: found.style_square };
  }

  /** Paint in the style of a code. */
  async paint(photo: Picture, { mean, square }: Code): Promise<Picture> {
    const style = { style_mean: mean, style_square: square };
    const { painted } = await this.run(catalogue.models.painter, photo, style);
    return { ...photo, rgb: painted };
  }

  /** Paint in a style of the gallery. */
  async paintLearnt(photo: Picture, style: number): Promise<Picture> {
    const weights = new Float32Array(catalogue.gallery.length);
    weights[style] = 1;
    const { painted } = await this.run(catalogue.models.gallery, photo, { style_weights: weights });
    return { ...photo, rgb: painted };
  }

  async close(): Promise<void> {
    for (const session of this.sessions.values()) await (await session).release();
    this.sessions.clear();
  }

  /** The outputs of a model for an image and rows of numbers, by name. */
  private async run(asset: Asset, image: Picture, rows: Record<string, Float32Array> = {}) {
    const [session, runtime] = [await this.session(asset), await this.runtime];
    const shape = [1, 4, image.height, image.width];
    const inputs: Record<string, Tensor> = { image: runtime.tensor(counted(image), shape) };
    for (const [name, row] of Object.entries(rows))
      inputs[name] = runtime.tensor(row, [1, row.length]);
    const outputs = await session.run(inputs);
    const values: Record<string, Float32Array> = {};
    for (const name of session.outputNames)
      values[name] = (await outputs[name].getData(true)) as Float32Array;
    return values;
  }

  private session(asset: Asset): Promise<InferenceSession> {
    let session = this.sessions.get(asset.url);
    if (!session) {
      session = this.open(asset);
      this.sessions.set(asset.url, session);
      session.catch(() => this.sessions.delete(asset.url)); // to be tried again
    }
    return session;
  }

  private async open(asset: Asset): Promise<InferenceSession> {
    const [model, runtime] = await Promise.all([download(asset, this.progress), this.runtime]);
    return runtime.open(model);
  }
}

/** The code of two styles as if their pixels were mixed. */
export function blend(own: Code, style: Code, share: number): Code {
  const mix = (a: Float32Array, b: Float32Array) =>
    a.map((value, i) => (1 - share) * value + share * b[i]);
  return { mean: mix(own.mean, style.mean), square: mix(own.square, style.square) };
}
