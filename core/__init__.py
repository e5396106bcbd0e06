"""The subject matter: every number on screen comes from here.

Importing `core` loads neither torch nor streamlit; modules that train import torch themselves.
"""
