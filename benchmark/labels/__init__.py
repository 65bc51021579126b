"""Labels of a run: drawn, passed on with confidences, checked against published ones."""
