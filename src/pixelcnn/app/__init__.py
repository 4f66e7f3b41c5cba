"""The web page: draw, complete, ask, compare. It uses the Python API and nothing of `pixelcnn.cli`.

`pixelcnn app` and `streamlit run demo/app.py` run `page.main` once for every visitor and every
click; whatever must outlive a click is in `streamlit.session_state`, and whatever visitors share
is a model (`models`), which is only read, or the queue of those who compute (`turns`).
"""
