"""Renderers: format what was computed, compute nothing."""
