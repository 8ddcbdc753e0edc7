"""How the app looks: system fonts, nothing from other servers, light and dark."""

from __future__ import annotations

import gradio as gr

CSS = """
.gradio-container { max-width: 1320px !important; margin: 0 auto; }
#title h1 { font-size: 1.7rem; letter-spacing: -0.02em; margin: 0 0 0.1rem; }
#title p { color: var(--body-text-color-subdued); margin: 0; }
.section h2 { font-size: 1rem; margin: 0.4rem 0 0; }
.hint, .hint p { color: var(--body-text-color-subdued); font-size: 0.85rem; }

/* The picture is what this page is about. */
#stage { gap: 0.8rem; }
#live img, #stage .image-container img { object-fit: contain; }
#empty { display: grid; place-items: center; min-height: 26rem; text-align: center;
  border: 2px dashed var(--border-color-primary); border-radius: var(--radius-lg);
  color: var(--body-text-color-subdued); padding: 2rem; }
#empty b { display: block; font-size: 1.15rem; color: var(--body-text-color); }

/* Thumbnails: square, without frames, names below. */
.thumbs, .thumbs .grid-wrap { height: auto !important; min-height: 0 !important;
  max-height: none !important; overflow: visible; padding: 0 !important;
  border-width: 0 !important; }
.thumbs .grid-container { grid-template-columns: repeat(5, minmax(0, 1fr)) !important;
  grid-auto-rows: auto !important; gap: 0.4rem; }
.thumbs .thumbnail-item { border-radius: var(--radius-md); aspect-ratio: 1; height: auto; }
#gallery .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; }
.thumbs .caption-label { font-size: 0.65rem; padding: 0.1rem;
  left: 0; right: 0; bottom: 0; max-width: 100%;
  border-radius: 0; background: rgb(0 0 0 / 0.55); color: white; text-align: center; }

/* How a job is getting on. */
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

@media (max-width: 640px) {
  .gradio-container { padding: 0.5rem !important; }
  #empty { min-height: 14rem; }
}
"""


def theme() -> gr.themes.Base:
    """The colours and fonts."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.indigo,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_lg,
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "SF Mono", "Menlo", "Consolas", "monospace"],
    )
