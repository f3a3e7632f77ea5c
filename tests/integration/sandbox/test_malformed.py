from tests.malformed_requests import send_all


def test_malformed_requests_of_every_protocol_get_an_answer_in_the_form_of_aws(sandbox):
    """A few of those that `make fuzz` sends."""
    assert send_all(sandbox, 300) == []
    assert sandbox.client("sts").get_caller_identity()["Account"] == "000000000000"
