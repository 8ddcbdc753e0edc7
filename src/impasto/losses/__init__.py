"""The terms of a loss, one file for each.

A term is a function, usable on batches, and an object that measures its target once and then
scores images. Terms are *relative*: a difference is divided by the size of its target. One set of
weights therefore serves every image size, layer and backbone. (Departs from Gatys et al. 2016,
whose absolute sums make the weights depend on all three; the classic terms keep their objective.)
"""

from impasto.losses.bands import Bands, band_energies, bands_loss
from impasto.losses.content import ClassicContent, Content, content_loss
from impasto.losses.gram import ClassicGram, Gram, gram_loss
from impasto.losses.neighbors import Neighbors
from impasto.losses.source import Source
from impasto.losses.statistics import Moments, moments
from impasto.losses.tones import Tones
from impasto.losses.variation import total_variation
from impasto.losses.wasserstein import W2, sqrtm, wasserstein_loss

__all__ = [
    "W2",
    "Bands",
    "ClassicContent",
    "ClassicGram",
    "Content",
    "Gram",
    "Moments",
    "Neighbors",
    "Source",
    "Tones",
    "band_energies",
    "bands_loss",
    "content_loss",
    "gram_loss",
    "moments",
    "sqrtm",
    "total_variation",
    "wasserstein_loss",
]
