"""nlbench: learning with noisy labels, compared fairly."""
