"""Pictures of pictures: sheets and strips, animations, and what encoders share."""
