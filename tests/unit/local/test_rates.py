from headrace.local.rates import Rates, counter_total
from headrace.local.status import describe

EXPOSITION = """\
# HELP headrace_grpc_requests_total gRPC calls answered.
# TYPE headrace_grpc_requests_total counter
headrace_grpc_requests_total{code="OK",method="/a{b}"} 3.0
headrace_grpc_requests_total{code="INTERNAL",method="/a"} 1.0
headrace_grpc_requests_created 1.7e+09
headrace_http_requests_total 2.5 1700000000
"""


def test_a_counter_is_summed_over_its_labels() -> None:
    assert counter_total(EXPOSITION, ["headrace_grpc_requests_total"]) == 4


def test_counters_of_several_names_are_summed() -> None:
    names = ["headrace_grpc_requests_total", "headrace_http_requests_total"]
    assert counter_total(EXPOSITION, names) == 6.5


def test_an_absent_counter_is_zero() -> None:
    assert counter_total(EXPOSITION, ["headrace_grpc_requests"]) == 0


def test_rates_read_as_words_and_silence_is_empty() -> None:
    assert describe(Rates(events=1203.6, requests=3)) == "1,204 events, 3 requests"
    assert describe(Rates()) == ""
