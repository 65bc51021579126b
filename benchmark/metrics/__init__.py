"""What a trained network is asked besides its accuracy: unknowns, and mislabelled samples."""
