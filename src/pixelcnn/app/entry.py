"""The script that `pixelcnn app` runs with Streamlit."""

from pixelcnn.app.page import run_page

if __name__ == "__main__":
    run_page()
