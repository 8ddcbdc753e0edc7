"""Many pictures at once: folders, styles by contents, a manifest, local or on a Ray cluster."""

from impasto.batch.engine import Summary, run
from impasto.batch.items import Item, plan
from impasto.batch.manifest import Manifest
from impasto.batch.work import Setup

__all__ = ["Item", "Manifest", "Setup", "Summary", "plan", "run"]
