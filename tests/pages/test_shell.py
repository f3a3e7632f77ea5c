"""The frame: who may enter, and what happens when a page fails."""

import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import COMPARE, ROOT, START_S
from ui import shell, state

STRANGER = {"is_logged_in": False}  # what st.user holds where sign-in is configured


def start():
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=START_S)


def test_without_sign_in_configured_everybody_enters(app):
    assert app().title[0].value == "Describe the workload"


def test_with_sign_in_configured_a_stranger_sees_the_way_in_and_nothing_else(monkeypatch):
    monkeypatch.setattr(st, "user", STRANGER)
    at = start().run()
    assert not at.exception
    assert [button.label for button in at.button] == ["Sign in"]
    assert not at.title
    at.switch_page(COMPARE).run()
    assert [button.label for button in at.button] == ["Sign in"]
    assert not at.title


def role_page():
    import streamlit as st

    from ui import shell

    page = st.Page("pages/architects/limits.py", title="Limits")
    shell.require_role(page)
    st.title("Entered")


def enter(monkeypatch, user, roles):
    at = AppTest.from_function(role_page, default_timeout=START_S)
    at.secrets["auth"] = {"cookie_secret": "not a secret"}
    if roles is not None:
        at.secrets["roles"] = roles
    monkeypatch.setattr(st, "user", user)
    monkeypatch.setattr(st, "Page", lambda path, title: type("Page", (), {"title": title})())
    return at.run()


def test_a_member_of_the_role_enters(monkeypatch):
    user = {"is_logged_in": True, "email": "ada@example.org"}
    assert enter(monkeypatch, user, {"architects": ["ada@example.org"]}).title[0].value == "Entered"
    assert enter(monkeypatch, user, {"architects": ["*"]}).title[0].value == "Entered"
    assert enter(monkeypatch, user, None).title[0].value == "Entered"


def test_somebody_without_the_role_does_not_enter(monkeypatch):
    at = enter(monkeypatch, {"is_logged_in": True, "email": "eve@example.org"}, {"architects": ["ada@example.org"]})
    assert not at.title
    assert "belongs to the role **architects**" in at.error[0].value


def test_a_role_without_members_lets_nobody_in(monkeypatch):
    at = enter(monkeypatch, {"is_logged_in": True, "email": "ada@example.org"}, {"architects": []})
    assert not at.title


def failing_page():
    from ui import errors

    with errors.boundary():
        raise RuntimeError("a detail that only the log may say")


def test_a_failing_page_says_so_calmly_and_logs_the_rest(caplog):
    at = AppTest.from_function(failing_page, default_timeout=START_S).run()
    assert not at.exception
    reference = at.error[0].value.split("`")[1]
    assert "a detail" not in at.error[0].value
    assert "in the address" not in at.error[0].value  # there is no scenario that could be
    assert f"reference={reference}" in caplog.text
    assert "a detail that only the log may say" in caplog.text


def test_a_failing_page_says_that_the_scenario_of_its_address_is_safe():
    at = AppTest.from_function(failing_page, default_timeout=START_S)
    at.query_params[state.LINK] = "anything"
    assert at.run().error[0].value.startswith("Your scenario is safe")


def test_every_page_is_a_file_in_the_folder_of_its_section():
    for row in shell._PAGES:
        assert (ROOT / "pages" / row.section / f"{row.name}.py").is_file()
    assert len({row.name for row in shell._PAGES}) == len(shell._PAGES)


def test_the_entry_stays_short():
    assert len((ROOT / "app.py").read_text().splitlines()) < 60
