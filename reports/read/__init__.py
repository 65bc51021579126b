"""From a store to the cells of tables."""
