"""Puts the page without a server on the site, below `try/`; mkdocs-gen-files runs it."""

from __future__ import annotations

from pathlib import Path

import mkdocs_gen_files

BUILT = Path(__file__).resolve().parents[1] / "web" / "dist"
LACKING = """<!doctype html>
<html lang="en">
<title>Impasto</title>
<p>The page was not built when this site was:
<code>npm ci --prefix web &amp;&amp; npm run build --prefix web</code>.</p>
</html>
"""

for path in sorted(BUILT.iterdir()) if BUILT.is_dir() else ():
    with mkdocs_gen_files.open(f"try/{path.name}", "wb") as file:
        file.write(path.read_bytes())
if not BUILT.is_dir():
    with mkdocs_gen_files.open("try/index.html", "w") as file:
        file.write(LACKING)
