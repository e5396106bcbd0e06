"""Tests mirror the tree: core against oracles, pages under AppTest, the app in a real browser."""
