"""How the app looks: system fonts, nothing from other servers, light and dark."""

from __future__ import annotations

import gradio as gr

CSS = """
.gradio-container { max-width: 1320px !important; margin: 0 auto;
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

/* The picture is what this page is about: it stays in sight beside the fields. */
.column:has(> #stage) { position: sticky; top: 1rem; }
#stage { gap: 0.8rem; }
#live img, #stage .image-container img { object-fit: contain; }
#empty { display: grid; place-items: center; min-height: 38rem; text-align: center;
  border: 2px dashed var(--neutral-400); border-radius: var(--radius-lg);
  color: var(--body-text-color-subdued); padding: 2rem; }
#empty b { display: block; font-size: 1.15rem; color: var(--body-text-color); }

/* The button is in sight however long the fields are. */
#go { position: sticky; bottom: 0; z-index: 10; margin: -0.75rem 0; padding: 0.75rem 0;
  background: linear-gradient(transparent, var(--body-background-fill) 40%); }

/* Thumbnails: square, without frames, names below. */
.thumbs, .thumbs .grid-wrap { height: auto !important; min-height: 0 !important;
  max-height: none !important; overflow: visible; padding: 0 !important;
  border-width: 0 !important; background: none !important; }
.thumbs .grid-container { grid-template-columns: repeat(5, minmax(0, 1fr)) !important;
  grid-auto-rows: auto !important; gap: 0.4rem; }
.thumbs .thumbnail-item { border-radius: var(--radius-md); aspect-ratio: 1; height: auto; }
#gallery .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; }
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

/* Plots are drawn on white: turned over in the dark, the hues kept. */
.dark .plot img { filter: invert(0.93) hue-rotate(180deg); }

/* A table of facts: as wide as the column, thin rules between its rows. */
.layers table { width: 100%; display: table; border-collapse: collapse; font-size: 0.85rem; }
.layers :is(table, thead, tbody, tr) { border: none !important; }
.layers :is(th, td) { border-width: 0 0 1px !important; padding: 0.35rem 0.5rem !important;
  border-color: var(--border-color-primary) !important; white-space: nowrap; }

@media (max-width: 640px) {
  .column:has(> #stage) { position: static; }
  #stage { scroll-margin-top: 0.75rem; }
  #empty { min-height: 14rem; }
  #go { position: fixed; inset: auto 0 0; margin: 0; padding: 0.75rem; z-index: 50;
    background: var(--body-background-fill); border-top: 1px solid var(--border-color-primary); }
  .thumbs .grid-container { grid-template-columns: repeat(3, minmax(0, 1fr)) !important; }
  #recovered .grid-container { grid-template-columns: repeat(2, minmax(0, 1fr)) !important; }
  /* Plots keep a size at which they can be read, and make nothing else wide. */
  #maps, #grams, .layers { contain: inline-size; }
  #maps .image-frame, #grams .image-frame { overflow-x: auto; justify-content: start; }
  #maps img, #grams img { width: 46rem; max-width: none; }
}
"""
# What is around the pages, on a phone: Gradio confines the media queries of ``CSS`` to the pages.
HEAD = """<style>
@media (max-width: 640px) {
  .gradio-container > .main { padding: 0.75rem 0.75rem 5rem !important; }
  footer .divider { display: none; }
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
