"""Which labels of a data set look wrong, by networks that did not see them."""
