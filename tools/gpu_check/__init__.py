"""One call on a GPU that is available for minutes: facts, proofs, tests, speed, study, archive."""
