"""Whatever bytes arrive, a worker returns a picture or a refusal with a reason, in bounded time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.images import BadImage, Variant
from media.workers import Worker
from tests.media import samples

SECONDS = 5.0
VARIANTS = (
    Variant("federated", 4096, "jpeg", 80, "test"),
    Variant("thumb", 32, "webp", 80, "test", ratio=1),
    Variant("thumb", 32, "avif", 50, "test", ratio=1),
)
SEEDS = [samples.with_secrets(kind) for kind in ("JPEG", "PNG", "WEBP", "AVIF", "GIF")] + [samples.HEIC]
BOUNDED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class WorkerKeeper:
    """One worker, replaced when it is no longer reusable."""

    def __init__(self) -> None:
        self.worker = Worker(512)

    def render(self, data: bytes) -> None:
        if not self.worker.is_reusable:
            self.worker.stop()
            self.worker = Worker(512)
        try:
            picture = self.worker.render(data, VARIANTS, SECONDS, cpu_seconds=int(SECONDS))
        except BadImage as refusal:
            outcome = refusal.message
        else:
            assert all(samples.SECRET.encode() not in file.data for file in picture.files)
            outcome = f"{len(picture.files)} files."
        assert outcome.endswith(".")
        assert len(outcome) < 300


@pytest.fixture(scope="module")
def keeper() -> Iterator[WorkerKeeper]:
    keeper = WorkerKeeper()
    yield keeper
    keeper.worker.stop()


@BOUNDED
@given(seed=st.sampled_from(SEEDS), share=st.floats(0, 1))
def test_a_file_cut_off_anywhere(keeper, seed, share):
    keeper.render(seed[: int(len(seed) * share)])


@BOUNDED
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12),
)
def test_a_file_with_changed_bytes(keeper, seed, changes):
    data = bytearray(seed)
    for share, byte in changes:
        data[int(share * (len(data) - 1))] = byte
    keeper.render(bytes(data))


@BOUNDED
@given(
    seed=st.sampled_from(SEEDS),
    start=st.floats(0, 1),
    length=st.integers(0, 400),
    instead=st.one_of(
        st.binary(max_size=200), st.sampled_from([b"\xff" * 64, bytes(64), b"\x7f\xff\xff\xff" * 8])
    ),
)
def test_a_file_with_a_piece_replaced(keeper, seed, start, length, instead):
    at = int(start * len(seed))
    keeper.render(seed[:at] + instead + seed[at + length :])


@BOUNDED
@given(head=st.sampled_from([seed[:16] for seed in SEEDS]), tail=st.binary(max_size=2000))
def test_a_good_beginning_and_then_anything(keeper, head, tail):
    keeper.render(head + tail)
