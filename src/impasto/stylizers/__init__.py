"""Stylizers: one contract for repainting pictures, and three ways to fulfil it."""
