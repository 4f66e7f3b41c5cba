"""The web page of pixelcnn: `streamlit run demo/app.py`, or with `-- RUN…` for your own runs."""

from pixelcnn.app.page import run_page

run_page()
