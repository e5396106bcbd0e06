"""The frame that every page hangs in."""
