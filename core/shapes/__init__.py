"""What every layer does to a shape: sizes, parameters and multiply-adds, computed without torch.

A shape is a tuple of whole numbers, with the batch dimension first where there is one. No tensor is ever made, so a
layer of any size costs nothing; torch itself is the oracle in the tests.
"""
