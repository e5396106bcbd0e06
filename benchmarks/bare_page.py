"""The least that Streamlit can do: one toggle and one line. What a page of ours is compared with."""

import streamlit as st

on = st.toggle("toggle")
st.markdown(f"on: {on}")
