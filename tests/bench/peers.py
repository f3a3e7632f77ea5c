"""One job on another simulator: `build/peers/bin/python tests/bench/peers.py NAME [FILE]` prints its speed as JSON.

Runs in an environment of its own (`make peers`) and imports nothing of the program.
"""

import json
import math
import random
import sys
import time
import warnings
from collections.abc import Callable

SERVERS, RATE = 4, 3.2  # M/M/4 at 80 % load, service of mean 1


def simpy_queue() -> dict[str, float]:
    """M/M/4 with a process for each customer."""
    import simpy

    customers, generator, took = 60_000, random.Random(1), []  # noqa: S311 no secret

    def customer(world: simpy.Environment, team: simpy.Resource):
        arrived = world.now
        with team.request() as turn:
            yield turn
            yield world.timeout(generator.expovariate(1.0))
        took.append(world.now - arrived)

    def source(world: simpy.Environment, team: simpy.Resource):
        for _ in range(customers):
            yield world.timeout(generator.expovariate(RATE))
            world.process(customer(world, team))

    def play() -> None:
        took.clear()
        world = simpy.Environment()
        world.process(source(world, simpy.Resource(world, capacity=SERVERS)))
        world.run()

    return fastest(play, customers) | {"mean_s": sum(took) / len(took)}


def ciw_queue() -> dict[str, float]:
    """M/M/4 as a network of one node."""
    import ciw

    customers, records = 20_000, []
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=RATE)],
        service_distributions=[ciw.dists.Exponential(rate=1.0)],
        number_of_servers=[SERVERS],
    )

    def play() -> None:
        ciw.seed(1)
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_customers(customers)
        records[:] = simulation.get_all_records()

    found = fastest(play, customers)
    return found | {"mean_s": sum(one.exit_date - one.arrival_date for one in records) / len(records)}


def simfaas_scenario() -> dict[str, float]:
    """The scenario of SimFaaS's README: 0.9 requests/s, 1.991 s warm, 2.244 s cold, gone after 600 s."""
    from simfaas.ServerlessSimulator import ServerlessSimulator

    seen: dict[str, float] = {}

    def play() -> None:
        simulation = ServerlessSimulator(
            arrival_rate=0.9,
            warm_service_rate=1 / 1.991,
            cold_service_rate=1 / 2.244,
            expiration_threshold=600,
            max_time=60_000,
        )
        simulation.generate_trace(debug_print=False, progress=False)
        seen["requests"] = simulation.total_req_count
        seen["cold_ratio"] = simulation.total_cold_count / simulation.total_req_count

    found = fastest(play, 1)
    return {"per_s": found["per_s"] * seen["requests"], **seen}


def libcachesim_lru(file: str) -> dict[str, float]:
    """An LRU of 100 models over a trace of requests that a file holds in libCacheSim's own form."""
    import libcachesim

    requests, misses = 0, 0

    def reader() -> libcachesim.TraceReader:
        parameters = libcachesim.ReaderInitParam(ignore_obj_size=True)
        return libcachesim.TraceReader(file, libcachesim.TraceType.ORACLE_GENERAL_TRACE, parameters)

    best_s = math.inf
    for _ in range(3):
        trace, cache = reader(), libcachesim.LRU(cache_size=100)
        requests = trace.get_num_of_req()
        started = time.perf_counter()
        missed, _ = cache.process_trace(trace)
        best_s = min(best_s, time.perf_counter() - started)
        misses = round(missed * requests)
    return {"per_s": requests / best_s, "requests": requests, "misses": misses}


def fastest(play: Callable[[], None], requests: int) -> dict[str, float]:
    """Requests per second of the best of three runs."""
    best_s = math.inf
    for _ in range(3):
        started = time.perf_counter()
        play()
        best_s = min(best_s, time.perf_counter() - started)
    return {"per_s": requests / best_s, "requests": requests}


JOBS = {"simpy": simpy_queue, "ciw": ciw_queue, "simfaas": simfaas_scenario, "libcachesim": libcachesim_lru}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    json.dump(JOBS[sys.argv[1]](*sys.argv[2:]), sys.stdout)
