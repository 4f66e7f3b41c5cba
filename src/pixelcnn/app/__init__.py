"""The web page: sample, complete, query, compare. It uses the Python API, not `pixelcnn.cli`.

`pixelcnn app` and `streamlit run demo/app.py` run `page.run_page` once for every visitor and click.
State that outlives a click is in `streamlit.session_state`. Visitors share the models (`models`),
which are only read, and the queue for the processor (`scheduler`).
"""
