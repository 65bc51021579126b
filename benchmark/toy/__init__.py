"""Flipped labels in the plane: data, training, measures."""
