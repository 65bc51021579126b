"""What the drainage node absorbs: detection of mislabelled samples, and how the node fails."""
