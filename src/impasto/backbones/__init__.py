"""What looks at the picture: frozen feature extractors with named layers."""
