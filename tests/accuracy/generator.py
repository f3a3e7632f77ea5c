"""Sends requests at given times, however late the answers are: `python -m tests.accuracy.generator`.

A process of its own, so that neither the endpoint nor the simulator takes its time. Plans come as JSON on standard
input, one a line, the times go as JSON to standard output. A request that is due is sent on a connection of its own if
all others wait for answers, and its latency counts from when it was due: a slow answer delays no later request.
"""

import asyncio
import json
import sys
from dataclasses import dataclass, field

SIGNED = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0"
BODY = b"1"
LEAD_S = 0.2


@dataclass
class Plan:
    """What is sent where, and when."""

    host: str
    port: int
    endpoint: str
    due_s: list[float] | None  # from the start, sorted; None: callers ask again as soon as they have an answer
    models: list[str] = field(default_factory=list)  # of each request; none: no model is named
    requests: int = 0  # without due times
    callers: int = 1


async def main(plan: Plan) -> dict[str, list[float]]:
    """Send everything; gives lateness, latency and what the model said, in the order of the plan."""
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    clock = asyncio.get_running_loop().time
    count = plan.requests if plan.due_s is None else len(plan.due_s)
    late, latency, work, over, loaded = ([0.0] * count for _ in range(5))

    async def ask(number: int, due: float) -> None:
        late[number] = clock() - due
        connection = idle.pop() if idle else await asyncio.open_connection(plan.host, plan.port)
        reader, writer = connection
        writer.write(request(plan, number))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        latency[number] = clock() - due
        assert head.startswith(b"http/1.1 200"), body
        work[number], over[number], loaded[number] = json.loads(body)
        idle.append(connection)

    if plan.due_s is None:
        numbers = iter(range(count))

        async def call() -> None:
            for number in numbers:
                await ask(number, clock())

        began = clock()
        await asyncio.gather(*(call() for _ in range(plan.callers)))
        took = clock() - began
    else:
        took = 0.0
        start = clock() + LEAD_S
        tasks = []
        for number, due_s in enumerate(plan.due_s):
            if (pause := start + due_s - clock()) > 0:
                await asyncio.sleep(pause)
            tasks.append(asyncio.create_task(ask(number, start + due_s)))
        await asyncio.gather(*tasks)
    for _, writer in idle:
        writer.close()
    return {"late_s": late, "latency_s": latency, "work_s": work, "over_s": over, "loaded_s": loaded, "took_s": [took]}


def request(plan: Plan, number: int) -> bytes:
    """The bytes of one request."""
    model = f"x-amzn-sagemaker-target-model: {plan.models[number]}\r\n" if plan.models else ""
    head = (
        f"POST /endpoints/{plan.endpoint}/invocations HTTP/1.1\r\nhost: {plan.host}:{plan.port}\r\n{model}"
        f"authorization: {SIGNED}\r\ncontent-type: text/csv\r\ncontent-length: {len(BODY)}\r\n\r\n"
    )
    return head.encode() + BODY


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(asyncio.run(main(Plan(**json.loads(line))))), flush=True)
