"""A page without a player."""

import streamlit as st

st.write("Nothing is drawn here.")
