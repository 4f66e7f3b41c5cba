"""The web page of pixelcnn: `streamlit run demo/app.py`, with `-- RUN…` for runs of your own."""

from pixelcnn.app.page import main

main()
