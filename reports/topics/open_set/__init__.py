"""Open-set recognition: who tells unknown images from known ones, with intervals and verdicts."""
