"""The charts of the pages, a module each: constant specs, and the data that they draw."""
