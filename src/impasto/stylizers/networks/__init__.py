"""Networks that repaint a picture in one pass: per style, and for any style."""
