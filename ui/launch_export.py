"""What a person may take along instead of launching here: the template, a script, the parameters."""

import streamlit as st

from launch import export
from launch.plan import Plan


def draw(plan: Plan) -> None:
    """Draw the downloads and the template."""
    name = plan.request.name
    files = (
        ("Template", export.as_yaml(plan), f"{name}-template.yaml", "application/yaml"),
        ("boto3 script", export.as_script(plan), f"{name}.py", "text/x-python"),
        ("Parameters", export.as_parameters(plan), f"{name}-parameters.json", "application/json"),
    )
    with st.container(horizontal=True):
        for title, text, file_name, mime in files:
            st.download_button(
                title,
                data=text,
                file_name=file_name,
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"lch_{file_name.rpartition('.')[2]}",
            )
    with st.expander("The CloudFormation template", icon=":material/code:", key="lch_template"):
        st.code(files[0][1], language="yaml", height=420)
