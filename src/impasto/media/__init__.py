"""Sheets and strips of pictures, animations, and shared parts of encoders."""
