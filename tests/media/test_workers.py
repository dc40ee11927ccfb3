"""Whatever bytes arrive, a worker gives a picture or a refusal in a sentence, in bounded time."""

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
    Variant("thumb", 32, "webp", 80, "test", crop=True),
    Variant("thumb", 32, "avif", 50, "test", crop=True),
)
SEEDS = [samples.telling(kind) for kind in ("JPEG", "PNG", "WEBP", "AVIF", "GIF")] + [samples.HEIC]
BOUNDED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Keeper:
    """One worker, replaced when it is no longer sound."""

    def __init__(self) -> None:
        self.worker = Worker(512, SECONDS)

    def try_on(self, data: bytes) -> None:
        if not self.worker.is_reusable:
            self.worker.stop()
            self.worker = Worker(512, SECONDS)
        try:
            picture = self.worker.render(data, VARIANTS, SECONDS)
        except BadImage as refusal:
            said = refusal.message
        else:
            assert all(samples.SECRET.encode() not in file.data for file in picture.files)
            said = f"{len(picture.files)} files."
        assert said.endswith(".")
        assert len(said) < 300


@pytest.fixture(scope="module")
def keeper() -> Iterator[Keeper]:
    keeper = Keeper()
    yield keeper
    keeper.worker.stop()


@BOUNDED
@given(seed=st.sampled_from(SEEDS), share=st.floats(0, 1))
def test_a_file_cut_off_anywhere(keeper, seed, share):
    keeper.try_on(seed[: int(len(seed) * share)])


@BOUNDED
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12),
)
def test_a_file_with_changed_bytes(keeper, seed, changes):
    data = bytearray(seed)
    for share, byte in changes:
        data[int(share * (len(data) - 1))] = byte
    keeper.try_on(bytes(data))


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
    keeper.try_on(seed[:at] + instead + seed[at + length :])


@BOUNDED
@given(head=st.sampled_from([seed[:16] for seed in SEEDS]), tail=st.binary(max_size=2000))
def test_a_good_beginning_and_then_anything(keeper, head, tail):
    keeper.try_on(head + tail)
