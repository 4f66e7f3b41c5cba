"""What was typed, turned into images, conditions and metrics."""
