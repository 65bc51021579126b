"""One call for a GPU lent for minutes: facts, proofs, tests, speed, the study, one archive."""
