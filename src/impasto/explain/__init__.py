"""What a network sees and what a run does: feature maps, reconstructions, measurements, plots."""
