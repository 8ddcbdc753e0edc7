"""How the app looks: system fonts, nothing from other servers, light and dark."""

from __future__ import annotations

import gradio as gr

CSS = """
.gradio-container { width: 100%; max-width: 1320px !important; margin: 0 auto;
  overflow: clip !important; /* "hidden" would keep anything within from being sticky */ }
#title h1 { font-size: 1.7rem; letter-spacing: -0.02em; margin: 0 0 0.1rem; }
#title p { color: var(--body-text-color-subdued); margin: 0; }
.section h2 { font-size: 1rem; margin: 0.4rem 0 0; }
.hint, .hint p { color: var(--body-text-color-subdued); font-size: 0.85rem; }
.dark { --color-accent: var(--primary-400); }
.dark input[type=range] { --neutral-200: var(--neutral-600); }
input[type=range]::-webkit-slider-thumb { box-shadow: 0 0 0 1px var(--neutral-400) !important; }
input[type=range]::-moz-range-thumb { box-shadow: 0 0 0 1px var(--neutral-400) !important; }

/* Where the keyboard is: a radio button or checkbox shows it on the whole label. */
:is(a, button, input, textarea, [tabindex]):focus-visible,
label:has(> :is([type=radio], [type=checkbox]):focus-visible) {
  outline: 2px solid var(--color-accent) !important; outline-offset: 2px; }

/* Title and tabs are one line. */
.contain > .column { gap: 0.5rem; }
#title { margin-bottom: -3.1rem; min-height: 3rem; padding-right: 13rem !important; }
.tabs > .tab-wrapper { width: 12rem; margin-left: auto; padding: 0; }
.tabs > .tabitem { padding: 0.75rem 0 0; }

/* Photo and style, the picture beside them, and what else can be set. */
#paint-page { width: 100%; display: grid; grid-template: "form stage" auto "more stage" 1fr /
  minmax(20rem, 27rem) minmax(0, 1fr); gap: 0.75rem 1.5rem; align-items: start; }
#form { grid-area: form; gap: 0.6rem; }
#more { grid-area: more; gap: 0.6rem; }
/* The picture is what this page is about: all of it is in sight, and stays there. */
#stage { grid-area: stage; gap: 0.6rem; position: sticky; top: 0.75rem;
  --tall: calc(100dvh - 14rem); }
#view { gap: 0; }
/* Gradio lets columns wrap: a part that no longer fits would go beside the page. */
#form, #stage, #view, #more { flex: none; flex-wrap: nowrap; }
#live, #recover-live { border: none !important; background: none; }
#live :is(.image-container, .image-frame, button) { width: 100%; height: auto; }
#live img { width: 100% !important; height: auto !important; object-fit: contain;
  max-height: max(var(--tall), 16rem) !important; }
#recover-live img { height: 18rem; object-fit: contain; }
#empty { display: grid; place-items: center; height: max(var(--tall), 16rem); text-align: center;
  border: 2px dashed var(--neutral-400); border-radius: var(--radius-lg);
  color: var(--body-text-color-subdued); padding: 2rem; }
#empty b { display: block; font-size: 1.15rem; color: var(--body-text-color); }
.compare { --at: 50%; position: relative; aspect-ratio: var(--ratio); margin: 0 auto;
  width: min(100%, max(var(--tall), 16rem) * var(--ratio)); overflow: hidden;
  border-radius: var(--radius-lg); }
.compare > * { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0 !important; }
.compare .before { clip-path: inset(0 calc(100% - var(--at)) 0 0); }
.compare input { z-index: 2; opacity: 0; cursor: ew-resize; touch-action: pan-y; }
.compare input::-webkit-slider-thumb { width: 1px !important; }
.compare input::-moz-range-thumb { width: 1px !important; border: none; }
.compare .line { z-index: 1; left: var(--at); width: 2px; margin-left: -1px !important;
  background: white; box-shadow: 0 0 4px rgb(0 0 0 / 0.6); }
.compare .line i { position: absolute; top: 50%; left: 50%; translate: -50% -50%;
  font: 600 0.85rem/2.4rem system-ui; width: 2.6rem; text-align: center; border-radius: 99px;
  color: #1c1917; background: white; box-shadow: 0 1px 6px rgb(0 0 0 / 0.5); }
.compare input:focus-visible + .line i { outline: 3px solid var(--color-accent); }

/* What begins the work, and how it is getting on. */
.go { align-items: center; gap: 0.5rem 1rem; }
#go #paint, #go #cancel { flex: 0 1 14rem; }
#go #status { flex: 1 1 12rem; }
#actions { gap: 0.5rem; justify-content: center; }
#actions > * { flex: 0 1 auto; }

/* Pictures that were chosen: a click on them or on their button chooses another. */
#pictures { gap: 0.6rem; }
.picture { border-style: solid !important; }
.picture .image-frame { cursor: pointer; }
.picture .image-frame img { object-fit: contain; width: 100%; height: 100%; }
.picture .source-selection { justify-content: center; gap: 0.5rem; height: 2.6rem;
  padding: 0 0.4rem; }
.picture .source-selection button:first-child { width: auto; display: flex; gap: 0.4rem;
  align-items: center; color: var(--body-text-color); font-weight: 600; font-size: 0.82rem;
  white-space: nowrap; }
.picture .source-selection button { flex: none; }
.picture .source-selection button:first-child svg { width: 1.1rem; }
.picture .source-selection button:first-child::after { content: attr(data-label); }

#examples { gap: 0.6rem; align-items: center; }
#examples > * { flex: 1 1 0; min-width: 0 !important; }
#blend { gap: 0.3rem; }

/* Choices in one line. */
.compact { padding: 0 !important; border: none !important; background: none !important; }
.form:has(> .compact) { border: none; background: none; gap: 0.5rem; box-shadow: none; }
.compact .wrap { gap: 0.3rem; }
.compact .wrap label { padding: 0.25rem 0.5rem; font-size: 0.8rem; }
.compact .wrap label > span { margin-left: 0.3rem; }

/* Thumbnails: square, without frames, names below. */
.thumbs, .thumbs .grid-wrap { height: auto !important; min-height: 0 !important;
  max-height: none !important; overflow: visible; padding: 0 !important;
  border-width: 0 !important; background: none !important; }
.thumbs .grid-container { grid-template-columns: repeat(5, minmax(0, 1fr)) !important;
  grid-auto-rows: auto !important; gap: 0.4rem; }
#photos .grid-container { grid-template-columns: repeat(3, minmax(0, 1fr)) !important; }
#photos .caption-label { display: none; }
.thumbs .thumbnail-item { border-radius: var(--radius-md); aspect-ratio: 1; height: auto; }
#gallery .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; }
#history .grid-container { grid-template-columns: repeat(6, minmax(0, 1fr)) !important; }
.thumbs .caption-label { font-size: 0.68rem; line-height: 1.15; padding: 0.15rem;
  left: 0; right: 0; bottom: 0; max-width: 100%; white-space: normal; opacity: 1;
  border-width: 0; border-radius: 0; background: rgb(0 0 0 / 0.65); color: white;
  text-align: center; }
.thumbs .thumbnail-item:focus-visible { outline-offset: -3px !important; }
#recovered .grid-container { grid-template-columns: repeat(3, minmax(0, 1fr)) !important; }
#recovered, #recovered .grid-wrap { height: auto !important; min-height: 0 !important;
  max-height: none !important; }

/* How a job is getting on. */
.html-container { padding: 0 !important; }
.block:has(> .wrap.hide):has(> .html-container > .prose:empty) { display: none; }
.job { display: grid; gap: 0.35rem; font-size: 0.92rem; color: var(--body-text-color-subdued);
  font-variant-numeric: tabular-nums; min-height: 1.4rem; }
.job.error { color: var(--error-text-color); }
.job .bar { height: 0.45rem; border-radius: 99px; overflow: hidden;
  background: var(--border-color-primary); }
.job .bar i { display: block; height: 100%; background: var(--color-accent); border-radius: 99px;
  transition: width 0.4s linear; }
.job .bar i.unknown { width: 30%; animation: impasto-slide 1.4s ease-in-out infinite alternate; }
@keyframes impasto-slide { from { margin-left: 0; } to { margin-left: 70%; } }
@media (prefers-reduced-motion: reduce) { .job .bar i { animation: none; transition: none; } }

.swatches { display: flex; height: 1.6rem; border-radius: var(--radius-md); overflow: hidden;
  border: 1px solid var(--border-color-primary); }
.swatches i { flex: 1; }

#settings :is(.key, .value) { color: var(--body-text-color) !important; }

/* Plots are drawn on white: turned over in the dark, the hues kept. */
.dark .plot img { filter: invert(0.93) hue-rotate(180deg); }

/* A table of facts: as wide as the column, thin rules between its rows. */
.layers table { width: 100%; display: table; border-collapse: collapse; font-size: 0.85rem; }
.layers :is(table, thead, tbody, tr) { border: none !important; }
.layers :is(th, td) { border-width: 0 0 1px !important; padding: 0.35rem 0.5rem !important;
  border-color: var(--border-color-primary) !important; white-space: nowrap; }

@media (max-width: 760px) {
  #paint-page { display: flex; flex-flow: column nowrap; align-items: stretch; }
  #stage { position: static; scroll-margin-top: 0.5rem; --tall: calc(100dvh - 12.5rem); }
  #title p, .picture .source-selection button:first-child svg { display: none; }
  #title { margin-bottom: -3rem; }
  .picture .source-selection { justify-content: space-between; gap: 0.2rem; }
  .picture .source-selection button:first-child { font-size: 0.74rem; }
  #shelf { contain: inline-size; }
  #shelf .grid-container { display: flex; overflow-x: auto; }
  #shelf .gallery-item { flex: 0 0 4.6rem; }
  #history .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; }
  #empty { height: 9rem; }
  #paint, #cancel { flex-basis: 100% !important; }
  #recovered .grid-container { grid-template-columns: repeat(2, minmax(0, 1fr)) !important; }
  /* Plots keep a size at which they can be read, and make nothing else wide. */
  #maps, #grams, .layers { contain: inline-size; }
  #maps .image-frame, #grams .image-frame { overflow-x: auto; justify-content: start; }
  #maps img, #grams img { width: 46rem; max-width: none; }
}
"""
# What is around the pages: Gradio confines the media queries of ``CSS`` to the pages, and has the
# same title for all messages of a kind, of which there is but one here.
HEAD = """<style>
footer .divider { display: none; }
.toast-title, .toast-title > span { font-size: 0 !important; }
.toast-title::before { font-size: 0.95rem; content: "About this photo"; }
.toast-title.warning::before { content: "This file cannot be used"; }
.toast-title.error::before { content: "That did not work"; }
@media (max-width: 760px) {
  .gradio-container > .main { padding: 0.75rem !important; }
}
</style>"""


def theme() -> gr.themes.Base:
    """The colours and fonts."""
    base = gr.themes.Base(
        primary_hue=gr.themes.colors.indigo,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_lg,
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "SF Mono", "Menlo", "Consolas", "monospace"],
    )
    # Softer texts and buttons with a contrast of 4.5 at least.
    return base.set(
        body_background_fill="*neutral_50",
        body_text_color_subdued="*neutral_600",
        color_accent="*primary_600",
        slider_color="*color_accent",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
    )
