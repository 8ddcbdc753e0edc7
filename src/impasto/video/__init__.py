"""Videos: frames in, frames out, without flicker and with their sound."""
