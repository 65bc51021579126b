"""Labels of a run: drawn, handed over with confidences, checked against published ones."""
