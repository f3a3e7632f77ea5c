"""Athena as boto3 sees it, over real HTTP: executions, work groups, named queries."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests import sandboxed
from tests.lake import BUCKET, RESULTS, connected, rows

ENDLESS = """
    SELECT count(*) FROM UNNEST(sequence(1, 100000)) a(x) CROSS JOIN UNNEST(sequence(1, 100000)) b(y)
    WHERE x * y % 7 = 3
"""


class TestService:
    def run(self, athena, statement, **more):
        return athena.start_query_execution(
            QueryString=statement, ResultConfiguration={"OutputLocation": RESULTS}, **more
        )["QueryExecutionId"]

    def ended(self, athena, identity):
        def state():
            found = athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
            return found if found["Status"]["State"] not in {"QUEUED", "RUNNING"} else None

        return sandboxed.until(state)

    def test_results_come_in_pages_with_the_names_first(self, sandbox, s3):
        athena = sandbox.client("athena")
        identity = self.run(athena, "SELECT x FROM UNNEST(sequence(1, 5)) AS t(x) ORDER BY x")
        self.ended(athena, identity)
        page = athena.get_query_results(QueryExecutionId=identity, MaxResults=4)
        assert [row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]] == ["x", "1", "2", "3"]
        last = athena.get_query_results(QueryExecutionId=identity, NextToken=page["NextToken"])
        assert [row["Data"][0]["VarCharValue"] for row in last["ResultSet"]["Rows"]] == ["4", "5"]
        assert "NextToken" not in last
        content = s3.get_object(Bucket=BUCKET, Key=f"results/{identity}.csv")["Body"].read()
        assert content == b'"x"\n"1"\n"2"\n"3"\n"4"\n"5"\n'
        statistics = athena.get_query_runtime_statistics(QueryExecutionId=identity)["QueryRuntimeStatistics"]
        assert statistics["Rows"] == {"InputBytes": 0, "OutputRows": 5}

    def test_a_query_that_is_stopped_is_cancelled(self, sandbox, s3):
        athena = sandbox.client("athena")
        identity = self.run(athena, ENDLESS)
        sandboxed.until(
            lambda: (
                athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]["Status"]["State"] == "RUNNING"
            )
        )
        athena.stop_query_execution(QueryExecutionId=identity)
        assert self.ended(athena, identity)["Status"]["State"] == "CANCELLED"
        with pytest.raises(ClientError, match="Final query state: CANCELLED"):
            athena.get_query_results(QueryExecutionId=identity)

    @pytest.mark.parametrize("operator", [" OR ", " AND ", " = "])
    def test_a_chain_too_long_to_plan_is_refused(self, sandbox, operator):
        with pytest.raises(ClientError, match="statement is too large"):
            self.run(sandbox.client("athena"), f"SELECT {operator.join(['true'] * 20_000)}")

    def test_a_chain_too_long_to_analyse_fails(self, sandbox, s3):
        athena = sandbox.client("athena")
        ended = self.ended(athena, self.run(athena, f"SELECT {' + '.join(['1'] * 2_000)}"))
        assert ended["Status"]["StateChangeReason"].startswith("STACK_OVERFLOW: statement is too large")

    def test_the_same_token_starts_a_query_once(self, sandbox, s3):
        athena = sandbox.client("athena")
        token = "t" * 32
        assert self.run(athena, "SELECT 1", ClientRequestToken=token) == self.run(
            athena, "SELECT 1", ClientRequestToken=token
        )
        with pytest.raises(ClientError, match="Idempotent parameters do not match"):
            self.run(athena, "SELECT 2", ClientRequestToken=token)

    def test_work_groups_enforce_where_results_go(self, sandbox, s3):
        athena = sandbox.client("athena")
        athena.create_work_group(
            Name="team",
            Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/team/"}},
        )
        found = self.ended(athena, self.run(athena, "SELECT 1", WorkGroup="team"))
        assert found["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{BUCKET}/team/")
        assert [g["Name"] for g in athena.list_work_groups()["WorkGroups"]] == ["primary", "team"]
        athena.delete_work_group(WorkGroup="team")
        with pytest.raises(ClientError, match="WorkGroup team is not found"):
            self.run(athena, "SELECT 1", WorkGroup="team")

    def test_no_place_for_results_is_refused(self, sandbox):
        with pytest.raises(ClientError, match="No output location provided"):
            sandbox.client("athena").start_query_execution(QueryString="SELECT 1")

    def test_a_place_for_results_that_does_not_exist_is_refused(self, sandbox):
        with pytest.raises(ClientError, match="Unable to verify/create output bucket nowhere-at-all"):
            sandbox.client("athena").start_query_execution(
                QueryString="SELECT 1", ResultConfiguration={"OutputLocation": "s3://nowhere-at-all/x/"}
            )

    def test_named_queries_are_kept(self, sandbox):
        athena = sandbox.client("athena")
        identity = athena.create_named_query(Name="daily", Database="shop", QueryString="SELECT 1")["NamedQueryId"]
        assert athena.get_named_query(NamedQueryId=identity)["NamedQuery"]["QueryString"] == "SELECT 1"
        assert athena.list_named_queries()["NamedQueryIds"] == [identity]
        athena.delete_named_query(NamedQueryId=identity)
        assert athena.batch_get_named_query(NamedQueryIds=[identity])["NamedQueries"] == []

    def test_eight_threads_get_their_own_answers(self, sandbox, numbers):
        def ask(number):
            with connected(sandbox).cursor() as cursor:
                return [rows(cursor, "SELECT name FROM numbers WHERE n = %(n)d", {"n": number + k}) for k in range(3)]

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(ask, range(0, 80, 10)))
        assert answers == [[[(f"name {n + k}",)] for k in range(3)] for n in range(0, 80, 10)]


def test_a_killed_sandbox_keeps_results_and_fails_what_ran(own_sandbox):
    own_sandbox.client("s3").create_bucket(Bucket=BUCKET)
    service = TestService()
    athena = own_sandbox.client("athena")
    done = service.run(athena, "SELECT 'kept' AS word")
    assert service.ended(athena, done)["Status"]["State"] == "SUCCEEDED"
    running = service.run(athena, ENDLESS)
    own_sandbox.kill()
    own_sandbox.start_again()
    athena = own_sandbox.client("athena")
    page = athena.get_query_results(QueryExecutionId=done)
    assert [row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]] == ["word", "kept"]
    status = athena.get_query_execution(QueryExecutionId=running)["QueryExecution"]["Status"]
    assert status["State"] == "FAILED"
    assert "The sandbox stopped while this query was under way" in status["StateChangeReason"]


def test_a_query_that_takes_too_long_fails(tmp_path, monkeypatch):
    monkeypatch.setenv("HOSTFIT_SANDBOX_QUERY_S", "0.5")
    running = sandboxed.start(tmp_path / "state")
    try:
        running.client("s3").create_bucket(Bucket=BUCKET)
        athena = running.client("athena")
        service = TestService()
        status = service.ended(athena, service.run(athena, ENDLESS))["Status"]
        assert (status["State"], status["StateChangeReason"]) == ("FAILED", "Query timeout")
        assert service.ended(athena, service.run(athena, "SELECT 1"))["Status"]["State"] == "SUCCEEDED"
    finally:
        running.stop()
