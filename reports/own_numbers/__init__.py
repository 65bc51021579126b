"""Accuracies from a table: numbers of any code, analysed and reported as those of a study."""
