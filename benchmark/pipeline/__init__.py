"""From a data set to the batches that a training step sees."""
