"""Serve app.py in the browser: `streamlit run app.py`, whose options it takes."""

import sys
from pathlib import Path

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import cli

if __name__ == "__main__":
    # app.py names the pages itself. Streamlit would learn so in the first session only, and tell whoever comes first
    # by a link that there is no such page.
    PagesManager.uses_pages_directory = False
    cli.main(["run", str(Path(__file__).with_name("app.py")), *sys.argv[1:]], prog_name="streamlit")
