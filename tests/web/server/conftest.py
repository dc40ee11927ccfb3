"""Every test of a server runs with both: the fast one and hypercorn as released (`web.server.plain`)."""

from __future__ import annotations

from typing import Any

import pytest

# Faults of hypercorn 0.18 that cannot be mended without its undocumented parts. `web.server.plain` lists the same
# ones. A test that passes all the same fails the run: the fault is mended, and its line may go.
FAULTS_OF_PLAIN_HYPERCORN = {
    "test_the_socket_of_a_client_that_left_is_closed_at_once": "it is closed when the idle time is over",
    "test_a_body_after_its_response_does_not_end_the_connection": "hypercorn's pull request 334",
    "test_bodies_after_their_response_do_not_use_up_the_connection_window": "hypercorn's pull request 334",
    "test_a_tunnel_over_http2_is_refused_without_a_traceback": "CONNECT without a path is a traceback",
    "test_a_path_or_method_that_is_not_ascii_ends_its_stream_without_a_traceback": "it is decoded as ASCII, which is a traceback",
}


def pytest_generate_tests(metafunc: Any) -> None:
    if "fast" in metafunc.fixturenames:
        fault = FAULTS_OF_PLAIN_HYPERCORN.get(metafunc.function.__name__)
        marks = [] if fault is None else [pytest.mark.xfail(reason=fault, strict=True)]
        metafunc.parametrize(
            "fast", [pytest.param(True, id="fast"), pytest.param(False, id="plain", marks=marks)]
        )
