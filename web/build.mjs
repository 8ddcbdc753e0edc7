// Builds the page into a folder for any static host: `node build.mjs [FOLDER]`, default dist.

import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

import { build } from "esbuild";
import sharp from "sharp";

const here = dirname(fileURLToPath(import.meta.url));
const package_ = join(here, "../src/impasto");
const runtime = join(here, "node_modules/onnxruntime-web/dist");
const out = resolve(process.argv[2] ?? join(here, "dist"));
const THUMB = 200; // pixels, of squares shown at 100
const PHOTOS = {
  cat: "Chelsea (Stéfan van der Walt, CC0)",
  portrait: "Grace Hopper (United States Navy, public domain)",
  coffee: "Coffee (Rachel Michetti, CC0)",
};

/** Write a file under a name that changes with what is in it. */
async function put(name, data) {
  const hash = createHash("sha256").update(data).digest("hex").slice(0, 8);
  const path = `${basename(name, extname(name))}.${hash}${extname(name)}`;
  await writeFile(join(out, path), data);
  return path;
}

async function copied(path) {
  return put(basename(path), await readFile(path));
}

/** A file packed with gzip, under a name that no host takes for something to be unpacked. */
async function packed(path) {
  const data = await promisify(gzip)(await readFile(path), { level: 9 });
  return { url: await put(`${basename(path)}.bin`, data), bytes: data.length };
}

async function thumbnail(path) {
  const name = basename(path, extname(path));
  const image = sharp(path).resize(THUMB, THUMB, { position: "attention" });
  return put(`${name}-small.webp`, await image.webp({ quality: 72 }).toBuffer());
}

async function onnxRuntime(name) {
  const [module, binary] = await Promise.all([
    copied(join(runtime, `${name}.mjs`)),
    packed(join(runtime, `${name}.wasm`)),
  ]);
  return { module, binary };
}

const title = (name) => name.replaceAll("-", " ").replace(/^./, (letter) => letter.toUpperCase());

async function example(path, by) {
  const name = basename(path, extname(path));
  const [thumb, file] = await Promise.all([thumbnail(path), copied(path)]);
  return { name, title: title(name), by, thumb, file };
}

/** Names of the gallery's styles and who made them, from the header of the model file. */
async function learntStyles() {
  const file = await readFile(join(package_, "models/fast.safetensors"));
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + length).toString()).__metadata__;
  const [styles, makers] = [JSON.parse(header.styles), JSON.parse(header.attributions)];
  return Promise.all(
    styles.map(async (name, i) => {
      const thumb = await thumbnail(join(package_, `pictures/styles/${name}.webp`));
      return { name, title: title(name), by: makers[i] ?? "", thumb };
    }),
  );
}

/** The example artworks, in the order in which the package shows them. */
async function artworks() {
  const source = await readFile(join(package_, "pictures/__init__.py"), "utf8");
  const names = /^ARTWORKS = \(([^)]*)^\)/ms.exec(source)[1].match(/"[^"]+"/g);
  return Promise.all(
    names.map((name) =>
      example(
        join(package_, `pictures/artworks/${name.slice(1, -1)}.webp`),
        "Drawn by Impasto's code",
      ),
    ),
  );
}

async function catalogue() {
  const model = (name) => packed(join(package_, `models/${name}.onnx`));
  const [painter, encoder, gallery] = await Promise.all(
    ["arbitrary", "arbitrary.style", "fast"].map(model),
  );
  return {
    models: { painter, encoder, gallery },
    wasm: await onnxRuntime("ort-wasm-simd-threaded"),
    webgpu: await onnxRuntime("ort-wasm-simd-threaded.jspi"),
    artworks: await artworks(),
    photos: await Promise.all([
      example(join(package_, "pictures/photos/cat.webp"), PHOTOS.cat),
      example(join(package_, "pictures/portrait.jpg"), PHOTOS.portrait),
      example(join(package_, "pictures/photos/coffee.webp"), PHOTOS.coffee),
    ]),
    gallery: await learntStyles(),
  };
}

/** Bundle sources; returns the name of the file made of each. */
async function bundle(entries, define, hashed = true) {
  const { metafile } = await build({
    entryPoints: entries.map((name) => join(here, name)),
    absWorkingDir: here,
    outdir: out,
    entryNames: hashed ? "[name].[hash]" : "[name]",
    chunkNames: "[name].[hash]",
    bundle: true,
    splitting: hashed,
    minify: true,
    format: "esm",
    target: "es2022",
    conditions: ["onnxruntime-web-use-extern-wasm"],
    define: Object.fromEntries(
      Object.entries(define).map(([name, value]) => [name, JSON.stringify(value)]),
    ),
    metafile: true,
    logLevel: "warning",
  });
  const made = Object.entries(metafile.outputs).filter(([, { entryPoint }]) => entryPoint);
  return Object.fromEntries(
    made.map(([path, { entryPoint }]) => [entryPoint, basename(relative(here, path))]),
  );
}

async function icons() {
  const svg = join(here, "icon.svg");
  await copyFile(svg, join(out, "icon.svg"));
  for (const side of [192, 512])
    await sharp(svg).resize(side, side).png().toFile(join(out, `icon-${side}.png`));
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await icons();
await copyFile(join(here, "app.webmanifest"), join(out, "app.webmanifest"));
await copyFile(join(here, "photopea.json"), join(out, "photopea.json"));
const found = await catalogue();
const { "src/worker.ts": worker } = await bundle(["src/worker.ts"], { CATALOGUE: found });
const { "src/main.ts": main, "style.css": style } = await bundle(["src/main.ts", "style.css"], {
  CATALOGUE: found,
  WORKER: worker,
});
const page = (await readFile(join(here, "index.html"), "utf8"))
  .replace("style.css", style)
  .replace("src/main.ts", main);
await writeFile(join(out, "index.html"), page);
// What a browser keeps: at once, when all is quiet, and only if it is used.
const shell = ["./", main, style, worker, "icon.svg", "app.webmanifest"];
const used = [found.webgpu.module, found.webgpu.binary.url];
const others = [...shell, ...used, "index.html"];
const rest = (await readdir(out)).filter((name) => !others.includes(name));
await bundle(["src/sw.ts"], { SHELL: shell, REST: rest, USED: used }, false);
