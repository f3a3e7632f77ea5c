import pytest

from ui import account


@pytest.fixture(autouse=True)
def no_account(monkeypatch, tmp_path):
    for name in account._CHOICES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


def write_profiles(folder):
    (folder / "config").write_text("[profile prod]\nregion = eu-west-1\n[profile dev]\nregion = eu-west-1\n")
    (folder / "credentials").write_text("[prod]\naws_access_key_id = a\naws_secret_access_key = b\n")


def test_without_anything_configured_there_is_nothing_to_choose():
    assert account.choices() == []


def test_the_environment_comes_before_the_profiles(monkeypatch, no_account):
    write_profiles(no_account)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4000")
    assert account.choices() == ["", "dev", "prod"]
    assert [account.cloud_of(choice) for choice in account.choices()] == ["sandbox", "dev", "prod"]


@pytest.mark.parametrize(
    ("url", "cloud"),
    [
        ("http://localhost:1", "sandbox"),
        ("http://[::1]:1", "sandbox"),
        ("http://127.0.0.1.example.org", "AWS"),
        ("https://vpce.amazonaws.com", "AWS"),
        ("", "AWS"),
    ],
)
def test_only_loopback_is_called_the_sandbox(monkeypatch, url, cloud):
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    assert account.cloud_of(account.ENVIRONMENT) == cloud


def test_a_profile_does_not_follow_the_endpoint_of_the_environment(monkeypatch, no_account):
    write_profiles(no_account)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4000")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    clients = account.clients("prod")
    assert clients("sts").meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"
    assert clients("sagemaker")._request_signer._credentials.access_key == "a"
    assert clients("sts") is clients("sts")


def test_a_profile_that_is_called_sandbox_is_not_taken_for_the_sandbox(monkeypatch, no_account):
    (no_account / "config").write_text("[profile sandbox]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4000")
    found = account.identify("sandbox")
    assert found.cloud == "profile sandbox"
    assert not found.is_sandbox


def test_a_profile_that_is_not_there_is_a_problem_to_show():
    found = account.identify("nobody")
    assert found.title == "nobody · no access"
    assert "nobody" in found.problem
