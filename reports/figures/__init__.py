"""Figures: PNG for screens, PDF for papers, the same bytes for the same records."""
