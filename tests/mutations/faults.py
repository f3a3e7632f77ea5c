"""The faults: what is changed where, and which small tests have to notice it.

A text to change stands in its file exactly once. After a change of the program that moves it, change it here too.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: the text `old` of a file becomes `new`; one of `tests`, `module:function`, has to fail."""

    name: str
    file: str  # in fitness/simulation
    old: str
    new: str
    tests: tuple[str, ...]


QUEUE = ("test_queues:test_one_queue_plays_as_a_list_of_events_does",)
ROUTE = (
    "test_queues:test_the_least_outstanding_instance_is_the_one_that_has_finished",
    "test_queues:test_routed_instances_play_as_lists_of_requests_do",
)
SANDBOX = ("test_sandboxes:test_sandboxes_play_as_a_list_of_events_does",)
CACHE = ("test_caches:test_a_cache_misses_as_an_ordered_dictionary_does",)
TIERS = ("test_caches:test_two_tiers_miss_as_two_ordered_dictionaries_do",)
MODELS = (
    "test_caches:test_instances_that_load_models_play_as_lists_of_requests_do",
    "test_caches:test_an_instance_that_comes_begins_without_models_and_one_that_goes_is_paid_until_its_work_is_done",
    "test_caches:test_an_instance_that_comes_back_has_lost_its_models",
)
BATCH = ("test_batches:test_batches_are_gathered_as_moment_by_moment",)
APART = ("test_batches:test_batches_of_one_play_as_requests_that_are_routed_at_random",)
FILES = ("test_batches:test_files_are_worked_off_whole_by_their_instance",)
BACKLOG = (
    "test_backlog:test_the_cooldown_delays_the_next_scaling_out",
    "test_backlog:test_instances_that_are_starting_count_so_that_no_more_are_asked_for",
    "test_backlog:test_scaling_in_waits_until_the_backlog_is_below_the_factor_of_the_target",
    "test_backlog:test_a_scaled_queue_plays_as_a_list_of_events_does",
)


def control(*names: str) -> tuple[str, ...]:
    """Tests of the control loop."""
    return tuple(f"test_control:test_{name}" for name in names)


FAULTS = (
    Fault(
        name="one server too few takes part",
        file="servers.py",
        old="        for k in range(width):\n            free[k] = max(",
        new="        for k in range(width - 1):\n            free[k] = max(",
        tests=QUEUE,
    ),
    Fault(
        name="scaling in takes the server that is busy the longest",
        file="servers.py",
        old="        for k in range(width):\n            free[k] = free[k + 1]\n",
        new="        free[last] = NEVER_S\n",
        tests=QUEUE,
    ),
    Fault(
        name="servers change at arrivals, not before starts",
        file="queue_kernels.py",
        old="        while next_s <= begin_s:",
        new="        while next_s <= arrivals[i]:",
        tests=QUEUE,
    ),
    Fault(
        name="a server that drains is not paid",
        file="queue_kernels.py",
        old="paid_at(max(free[0], at_s), requests)",
        new="paid_at(at_s, requests)",
        tests=QUEUE,
    ),
    Fault(
        name="the time-out covers waiting alone",
        file="loops.py",
        old="is_late = took_s > requests.timeout_s",
        new="is_late = begin_s - arrival_s > requests.timeout_s",
        tests=QUEUE,
    ),
    Fault(
        name="an instance that drains is not paid",
        file="route_kernels.py",
        old="paid_at(max(free[order[leaver], slots - 1], at_s), requests)",
        new="paid_at(at_s, requests)",
        tests=ROUTE,
    ),
    Fault(
        name="an instance works with one worker too few",
        file="route_kernels.py",
        old="        occupy(free[instance], slots, finish_s, False)",
        new="        occupy(free[instance], max(slots - 1, 1), finish_s, False)",
        tests=ROUTE,
    ),
    Fault(
        name="finished requests still count as outstanding",
        file="route_kernels.py",
        old="while ends > 0 and ends_s[0] <= now_s:",
        new="while ends > 0 and ends_s[0] < now_s - 1.0:",
        tests=ROUTE,
    ),
    Fault(
        name="sandboxes stay for twice the idle time-out",
        file="sandbox_kernels.py",
        old="while oldest < idle_end and free[oldest] + ttl_s <= now_s:",
        new="while oldest < idle_end and free[oldest] + 2 * ttl_s <= now_s:",
        tests=SANDBOX,
    ),
    Fault(
        name="a sandbox outlives its idle time-out by a moment",
        file="sandbox_kernels.py",
        old="while oldest < idle_end and free[oldest] + ttl_s <= now_s:",
        new="while oldest < idle_end and free[oldest] + ttl_s < now_s:",
        tests=SANDBOX,
    ),
    Fault(
        name="sandboxes never expire",
        file="sandbox_kernels.py",
        old="while oldest < idle_end and free[oldest] + ttl_s <= now_s:",
        new="while False:",
        tests=SANDBOX,
    ),
    Fault(
        name="the least recently used sandbox takes the request",
        file="sandbox_kernels.py",
        old="            idle_end -= 1\n            place = idle_end\n",
        new=(
            "            idle_end -= 1\n            place = idle_end\n"
            "            free[oldest : place + 1] = np.roll(free[oldest : place + 1], -1)\n"
        ),
        tests=(
            *SANDBOX,
            "test_sandboxes:test_the_most_recently_used_sandbox_takes_the_next_request_so_that_the_other_expires",
        ),
    ),
    Fault(
        name="one sandbox more than the limit",
        file="sandbox_kernels.py",
        old="        elif end - oldest < most:",
        new="        elif end - oldest <= most:",
        tests=SANDBOX,
    ),
    Fault(
        name="the most recently used model goes",
        file="cache_kernels.py",
        old="            oldest = before[head]\n            before[head] = before[oldest]\n            after[before[oldest]] = head\n",
        new="            oldest = after[head]\n            after[head] = after[oldest]\n            before[after[oldest]] = head\n",
        tests=CACHE,
    ),
    Fault(
        name="the model that came first goes, used or not",
        file="cache_kernels.py",
        old="        if after[head] != model:",
        new="        if False:",
        tests=CACHE,
    ),
    Fault(
        name="a full cache counts as too full",
        file="cache_kernels.py",
        old="        while used > capacity:",
        new="        while used >= capacity and before[head] != head:",
        tests=CACHE,
    ),
    Fault(
        name="a model larger than the cache gets in",
        file="cache_kernels.py",
        old="    elif sizes[model] <= capacity:",
        new="    elif sizes[model] <= capacity + 1:",
        tests=CACHE,
    ),
    Fault(
        name="the disk is touched by every request",
        file="cache_kernels.py",
        old="        if not found:\n            memory_misses += 1\n            if disk.capacity >= 0:",
        new="        memory_misses += not found\n        if True:\n            if disk.capacity >= 0:",
        tests=TIERS,
    ),
    Fault(
        name="a request does not wait for a load under way",
        file="model_kernels.py",
        old="ready_s = max(begin_s, loaded_s[instance, model])",
        new="ready_s = begin_s",
        tests=MODELS,
    ),
    Fault(
        name="loading does not occupy the worker",
        file="model_kernels.py",
        old="        occupy(free[instance], slots, finish_s, False)",
        new="        occupy(free[instance], slots, finish_s - (ready_s - begin_s), False)",
        tests=MODELS,
    ),
    Fault(
        name="an instance that comes back has kept its models",
        file="cache_kernels.py",
        old="    tier.after[instance, :head] = -1\n",
        new="",
        tests=MODELS,
    ),
    Fault(
        name="a batch goes without waiting for its window",
        file="batch_kernels.py",
        old="        gathered_s = arrivals[first] + window_s",
        new="        gathered_s = arrivals[first]",
        tests=BATCH,
    ),
    Fault(
        name="a batch takes one request more than its largest size but one",
        file="batch_kernels.py",
        old="and size < largest and",
        new="and size < max(largest - 1, 1) and",
        tests=BATCH,
    ),
    Fault(
        name="the files go to one instance",
        file="batch_kernels.py",
        old="        instance = file % instances",
        new="        instance = 0",
        tests=FILES,
    ),
    Fault(
        name="a scaled queue has no cooldown",
        file="backlog_kernels.py",
        old="        if now_s - state.changed_s[0] >= policy.out_cooldown_s:\n            wanted = max(",
        new="        if now_s >= 0.0:\n            wanted = max(",
        tests=BACKLOG,
    ),
    Fault(
        name="instances that are starting do not count",
        file="backlog_kernels.py",
        old="if backlog > policy.target * now[DESIRED] else 0",
        new="if backlog > policy.target * now[READY] else 0",
        tests=BACKLOG,
    ),
    Fault(
        name="scaling in at the target instead of 0.9 of it",
        file="backlog_kernels.py",
        old="if backlog < policy.in_factor * policy.target * now[DESIRED]",
        new="if backlog < policy.target * now[DESIRED]",
        tests=BACKLOG,
    ),
    Fault(
        name="scaling out after one datapoint too many",
        file="backlog_kernels.py",
        old="now[ABOVE] >= policy.out_points",
        new="now[ABOVE] > policy.out_points",
        tests=BACKLOG,
    ),
    Fault(
        name="who waits for the first instance after zero does not start cold",
        file="backlog_kernels.py",
        old="                if now[READY] == 0:",
        new="                if now[READY] > 0:",
        tests=("test_backlog:test_an_endpoint_at_zero_wakes_after_two_ticks_and_a_launch",),
    ),
    Fault(
        name="the control loop has no cooldown after scaling out",
        file="control_loop.py",
        old="            if now_s - last_out_s >= watch.out_cooldown_s:\n                wanted = _more(",
        new="            if True:\n                wanted = _more(",
        tests=control("the_next_scale_out_waits_for_the_cooldown"),
    ),
    Fault(
        name="the control loop has no cooldown after scaling in",
        file="control_loop.py",
        old="now_s - last_in_s >= watch.in_cooldown_s",
        new="now_s >= 0.0",
        tests=control("the_next_scale_in_waits_for_the_cooldown"),
    ),
    Fault(
        name="the control loop forgets instances that are starting",
        file="control_loop.py",
        old="metric > out_above * desired",
        new="metric > out_above * ready",
        tests=control("instances_that_are_starting_count_as_capacity", "cooldowns_are_respected"),
    ),
    Fault(
        name="the control loop scales in at the target",
        file="rules.py",
        old="OUT_POINTS, IN_POINTS, IN_RATIO = 3, 15, 0.9",
        new="OUT_POINTS, IN_POINTS, IN_RATIO = 3, 15, 1.0",
        tests=control("a_metric_between_nine_tenths_and_the_target_holds"),
    ),
    Fault(
        name="the control loop scales out on two datapoints",
        file="rules.py",
        old="OUT_POINTS, IN_POINTS, IN_RATIO = 3, 15, 0.9",
        new="OUT_POINTS, IN_POINTS, IN_RATIO = 2, 15, 0.9",
        tests=control("two_datapoints_above_the_target_start_nothing"),
    ),
    Fault(
        name="the control loop scales in on fourteen datapoints",
        file="rules.py",
        old="OUT_POINTS, IN_POINTS, IN_RATIO = 3, 15, 0.9",
        new="OUT_POINTS, IN_POINTS, IN_RATIO = 3, 14, 0.9",
        tests=control("fifteen_datapoints_below_nine_tenths_of_the_target_scale_in"),
    ),
    Fault(
        name="the control loop does not pay for draining",
        file="control_loop.py",
        old="paid_by[minute] -= event_delta[event] * min(rest_s, 60.0) / 60.0",
        new="paid_by[minute] -= 0.0",
        tests=control("who_was_taken_out_is_billed_until_it_has_drained"),
    ),
    Fault(
        name="a quiet minute scales in",
        file="control_loop.py",
        old="        elif metric > 0.0 or watch.emits_zero:",
        new="        elif True:",
        tests=control("without_traffic_there_is_no_datapoint_and_nothing_scales_in"),
    ),
    Fault(
        name="what leads an instance's batches counts",
        file="batch_kernels.py",
        old="            leads[instance],\n",
        new="            0,\n",
        tests=APART,
    ),
    Fault(
        name="an instance finds the servers of the one before busy",
        file="batch_kernels.py",
        old="        free[:servers] = requests.start_s\n",
        new="",
        tests=APART,
    ),
    Fault(
        name="steps in front of a queue look at the requests of a minute",
        file="control.py",
        old="kind=BACKLOG if policy.watches_backlog else REQUESTS",
        new="kind=REQUESTS",
        tests=("test_step_scaling:test_steps_on_a_backlog_add_what_the_farthest_step_says",),
    ),
    Fault(
        name="an instance that starts takes a queue over",
        file="fluid.py",
        old="np.zeros(ready - waiting.size)",
        new="np.full(ready - waiting.size, waiting.max(initial=0.0))",
        tests=("test_fluid:test_an_instance_that_starts_has_no_queue",),
    ),
    Fault(
        name="the requests of a lead are counted",
        file="tally.py",
        old="        what = fate[lead + i]",
        new="        what = fate[i]",
        tests=("test_tally:test_each_request_after_the_lead_counts_as_often_as_its_weight_says",),
    ),
    Fault(
        name="a slice of a large endpoint has all of its instances",
        file="endpoints.py",
        old="    one = most / numbers.get(SLICES, 1.0)",
        new="    one = most",
        tests=("test_endpoints:test_a_slice_has_its_part_of_a_maximum_that_the_caller_fixed",),
    ),
    Fault(
        name="a slice of a large endpoint has all of its load",
        file="endpoints.py",
        old="_with_share(inputs, 1 / slices, seed)",
        new="inputs",
        tests=("test_endpoints:test_a_slice_of_a_cache_has_its_part_of_the_load",),
    ),
    Fault(
        name="the quiet time after a month's minutes is not paid",
        file="months.py",
        old=" + float(paid[-1]) * self.quiet_hours",
        new="",
        tests=("test_months:test_instance_hours_count_every_minute_and_the_quiet_time_after_them",),
    ),
    Fault(
        name="records of a job that is played in part take as long as all that they stand for",
        file="jobs.py",
        old="    used = min(slots, max(math.ceil(slots * played / records), played // LONG_ROW))",
        new="    used = min(slots, played)",
        tests=("test_jobs:test_a_part_of_many_records_waits_for_no_record_that_is_too_long",),
    ),
)
