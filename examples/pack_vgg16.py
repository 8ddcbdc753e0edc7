"""Pack the convolutions of VGG-16 into the 8 bits in which the package brings them.

python examples/pack_vgg16.py vgg16_features.safetensors src/impasto/models/vgg16.safetensors
"""

import sys
from pathlib import Path

from safetensors.torch import save

from impasto.backbones.checkpoints import load_convolutions
from impasto.backbones.packed import pack
from impasto.backbones.published import read_metadata

source, target = map(Path, sys.argv[1:])
_, state = load_convolutions(source, "vgg16")
origin = read_metadata(source).get("origin", "")
target.write_bytes(save(pack(state), {"format": "pt", "origin": origin}))
