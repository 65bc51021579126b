"""Made-up accuracies of known truth: how often the verdicts of a report are right."""
