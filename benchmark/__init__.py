"""The engine of nlbench: data sets, models, plans, training, the store of records."""
