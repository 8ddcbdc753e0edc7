// The plug-in for Photopea (photopea.com/api/plugins, photopea.com/api/live): this page in a panel
// of the editor. Scripts go there as text; text, files and at last "done" come back.

import manifest from "../photopea.json";

const EDITOR = "https://www.photopea.com";
const NOTHING = "nothing is open";

/** Whether this page is a panel of the editor. */
export const isPlugin = (): boolean =>
  new URLSearchParams(location.search).has("photopea") && window.parent !== window;

/** The editor's address with this page as its plug-in. */
export function editorUrl(): string {
  const { environment } = structuredClone(manifest);
  for (const plugin of environment.plugins) {
    plugin.url = new URL(plugin.url, document.baseURI).href;
    plugin.icon = new URL(plugin.icon, document.baseURI).href;
  }
  return `${EDITOR}/#${encodeURIComponent(JSON.stringify({ environment }))}`;
}

/** The picture that is open in the editor. */
export async function takePicture(): Promise<Blob> {
  const script = `if (app.documents.length) app.activeDocument.saveToOE("png"); else app.echoToOE("${NOTHING}");`;
  const answers = await run(script);
  const file = answers.find((answer) => answer instanceof ArrayBuffer);
  if (!file) throw new Error("Nothing is open in Photopea: open a photo there first");
  return new Blob([file], { type: "image/png" });
}

/** Put a painting into the open picture as a layer, or open it where there is none. */
export async function putPicture(picture: Blob): Promise<void> {
  const layer = `app.documents.length > 0`;
  await run(`app.open("${await dataUrl(picture)}", null, ${layer});`);
}

/** Let the editor run a script; its answers up to "done". */
function run(script: string): Promise<unknown[]> {
  return new Promise((resolve) => {
    const answers: unknown[] = [];
    const listen = ({ source, origin, data }: MessageEvent) => {
      if (source !== window.parent || origin !== EDITOR) return;
      if (data !== "done") return void answers.push(data);
      window.removeEventListener("message", listen);
      resolve(answers);
    };
    window.addEventListener("message", listen);
    window.parent.postMessage(script, EDITOR);
  });
}

function dataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.readAsDataURL(blob);
  });
}
