"""Impasto: neural style transfer."""
