"""Feature maps, reconstructions, measurements and plots."""
