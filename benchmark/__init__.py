"""The engine of nlbench: data sets, models, plans, training, the store of records."""

if __name__ != "nlbench.benchmark":
    raise ImportError("this folder is the package nlbench.benchmark: import it by that name")
