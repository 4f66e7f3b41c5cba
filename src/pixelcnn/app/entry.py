"""What `pixelcnn app` gives to Streamlit to run."""

from pixelcnn.app.page import main

if __name__ == "__main__":
    main()
