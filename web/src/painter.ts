// The page's side of the worker. Of the orders given while one is painted only the last counts.

import type { FromWorker, Order, Painted, ToWorker } from "./orders";

declare const WORKER: string;

export interface Watcher {
  loading(received: number, total: number): void;
  ready(runtime: string): void;
  painting(order: Order): void;
  painted(painted: Painted, order: Order): void;
  failed(message: string): void;
}

export class Painter {
  private worker: Worker;
  private current: Order | null = null;
  private next: Order | null = null;
  private onGpu = false;
  private gpuFailed = false;

  constructor(private readonly watcher: Watcher) {
    this.worker = this.start();
  }

  get busy(): boolean {
    return this.current !== null;
  }

  order(order: Order): void {
    this.next = order;
    if (!this.current) this.begin();
  }

  /** Change over to the GPU if there is one that paints the same. */
  useGpu(): void {
    if (!this.onGpu && !this.gpuFailed) this.send({ kind: "gpu" });
  }

  private begin(): void {
    this.current = this.next;
    this.next = null;
    if (!this.current) return;
    this.watcher.painting(this.current);
    this.send({ kind: "paint", order: this.current });
  }

  private receive(message: FromWorker): void {
    if (message.kind === "progress") this.watcher.loading(message.received, message.total);
    if (message.kind === "ready") {
      this.onGpu = message.runtime === "WebGPU";
      this.watcher.ready(message.runtime);
    }
    if (message.kind === "painted" && this.current) {
      const order = this.current;
      this.current = null;
      this.watcher.painted(message.painted, order);
      this.begin();
    }
    if (message.kind === "error") this.fail(message.message, message.broken);
  }

  /** After a fault the runtime may be in any state, so it starts afresh; from a GPU, without it. */
  private fail(message: string, broken: boolean): void {
    const again = broken && this.onGpu ? (this.next ?? this.current) : this.next;
    this.gpuFailed ||= this.onGpu;
    this.onGpu = false;
    if (broken) {
      this.worker.terminate();
      this.worker = this.start();
    }
    this.current = null;
    this.next = again;
    if (again) this.begin();
    else this.watcher.failed(message);
  }

  private start(): Worker {
    const worker = new Worker(WORKER, { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.receive(data);
    worker.onerror = () => this.fail("The painter could not be started: reload the page", false);
    return worker;
  }

  private send(message: ToWorker): void {
    this.worker.postMessage(message);
  }
}
