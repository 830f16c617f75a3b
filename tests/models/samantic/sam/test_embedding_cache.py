"""The embedding cache: computed once, kept in bounds, the same from everywhere, never in the way."""

import gc
import logging
import random
import stat
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from samantic.sam import EmbeddingCache, EmbeddingKey

SIZE = 3 * 1000 * 2  # bytes of one kept entry of `Encoder`


def a_key(number=0):
    return EmbeddingKey(f"image {number}", "axis 2 slice 5", "ct", "tiny", "weights")


class Encoder:
    """An encoder that counts its passes, and can be held in one."""

    def __init__(self, seed=0):
        self.passes = 0
        self.started = threading.Event()
        self.may_end = threading.Event()
        self.may_end.set()
        self._seed = seed
        self._lock = threading.Lock()

    def __call__(self):
        with self._lock:
            self.passes += 1
        self.started.set()
        assert self.may_end.wait(20)
        generator = torch.Generator().manual_seed(self._seed)
        return {"image_embedding": torch.randn(3, 10, 100, generator=generator)}

    def hold(self):
        self.may_end.clear()
        return self


def never():
    raise AssertionError("the encoder must not run here")


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "embeddings"


@pytest.fixture
def cache(folder):
    with EmbeddingCache(folder) as cache:
        yield cache


def files(folder):
    return sorted(folder.glob("*.safetensors"))


# ---- the key


def test_every_part_of_the_key_counts():
    key = a_key()
    others = [replace(key, **{name: "other"}) for name in ("content_hash", "view", "window", "encoder", "weights_hash")]
    assert len({key.digest, *(other.digest for other in others)}) == 6


def test_parts_of_a_key_cannot_run_into_one_another():
    assert EmbeddingKey("a", "bc", "w", "e", "h").digest != EmbeddingKey("ab", "c", "w", "e", "h").digest


# ---- computed once, the same from everywhere


def test_the_second_click_does_not_run_the_encoder(cache):
    encoder = Encoder()
    first = cache.get_or_compute(a_key(), encoder)
    assert same(first, cache.get_or_compute(a_key(), never))
    assert encoder.passes == 1
    assert (cache.statistics.computed, cache.statistics.ram_hits) == (1, 1)


def test_the_answer_is_the_same_to_the_last_bit_computed_from_memory_and_from_disk(folder, cache):
    tensors = {
        "small": torch.randn(4, 5),
        "large": torch.randn(4, 5) * 1e6,
        "turned": torch.randn(4, 5, dtype=torch.float64).T,
        "scalar": torch.tensor(0.1),
        "nothing": torch.zeros(0, 3),
        "bf16": torch.randn(7, dtype=torch.bfloat16),
        "shape": torch.tensor([256, 256]),
        "flag": torch.tensor([True, False]),
    }
    computed = cache.get_or_compute(a_key(), lambda: tensors)
    assert same(computed, cache.get_or_compute(a_key(), never))
    assert same(computed, EmbeddingCache(folder).get_or_compute(a_key(), never))
    assert computed["small"].dtype == computed["turned"].dtype == torch.float32
    assert computed["shape"].dtype == torch.int64
    torch.testing.assert_close(computed["small"], tensors["small"], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(computed["large"], tensors["large"])  # would be infinite in half precision


def test_what_a_caller_does_to_an_answer_does_not_reach_the_next(cache):
    first = cache.get_or_compute(a_key(), Encoder())
    kept = first["image_embedding"].clone()
    first["image_embedding"].zero_()
    assert torch.equal(cache.get_or_compute(a_key(), never)["image_embedding"], kept)


def test_source_says_where_an_embedding_would_come_from(folder):
    with EmbeddingCache(folder, ram_bytes=SIZE) as cache:
        assert cache.source(a_key(0)) is None
        cache.get_or_compute(a_key(0), Encoder())
        assert cache.source(a_key(0)) == "ram"
        cache.get_or_compute(a_key(1), Encoder())
        assert cache.source(a_key(0)) == "disk"


def test_without_a_folder_everything_stays_in_memory():
    cache = EmbeddingCache(None)
    cache.get_or_compute(a_key(), Encoder())
    assert cache.source(a_key()) == "ram"
    assert cache.clear() == 0
    assert cache.source(a_key()) is None


@pytest.mark.parametrize("answer", [None, {}, [1], {"x": 1}, {1: torch.zeros(1)}, {"x": torch.zeros(1) * 1j}])
def test_an_encoder_that_returns_no_tensors_is_a_plain_error_and_leaves_nothing_behind(folder, cache, answer):
    with pytest.raises(TypeError, match="an embedding must"):
        cache.get_or_compute(a_key(), lambda: answer)
    assert cache.source(a_key()) is None
    assert not files(folder)


def test_clear_forgets_memory_disk_and_leftovers(folder, cache):
    for number in range(3):
        cache.get_or_compute(a_key(number), Encoder())
    leftover = folder / ".samantic-tmp-0123.safetensors"
    leftover.write_bytes(b"half")
    foreign = folder / "notes.txt"
    foreign.write_text("mine")
    assert cache.clear() == 3
    assert cache.source(a_key()) is None
    assert list(folder.iterdir()) == [foreign]


# ---- bounds


def test_memory_keeps_what_was_used_last_within_its_budget():
    cache = EmbeddingCache(None, ram_bytes=2 * SIZE)
    for number in (0, 1, 0, 2):
        cache.get_or_compute(a_key(number), Encoder())
    assert [cache.source(a_key(number)) for number in range(3)] == ["ram", None, "ram"]
    assert cache.statistics.ram_bytes == 2 * SIZE


def test_the_disk_keeps_what_was_used_last_within_its_budget(folder):
    cache = EmbeddingCache(folder, ram_bytes=0, disk_bytes=int(2.5 * SIZE))
    for number in (0, 1, 0, 2):
        cache.get_or_compute(a_key(number), Encoder())
        time.sleep(0.02)  # file times are coarse
    assert [cache.source(a_key(number)) for number in range(3)] == ["disk", None, "disk"]
    assert cache.statistics.disk_bytes <= 2.5 * SIZE


def test_a_budget_holds_for_what_earlier_runs_left(folder):
    big = EmbeddingCache(folder)
    for number in range(10):
        big.get_or_compute(a_key(number), Encoder())
    EmbeddingCache(folder, disk_bytes=4 * SIZE).get_or_compute(a_key(10), Encoder())
    assert sum(path.stat().st_size for path in files(folder)) <= 4 * SIZE


def test_an_entry_larger_than_the_budgets_is_answered_but_not_kept(folder):
    cache = EmbeddingCache(folder, ram_bytes=SIZE - 1, disk_bytes=SIZE - 1)
    encoder = Encoder()
    assert same(cache.get_or_compute(a_key(), encoder), cache.get_or_compute(a_key(), encoder))
    assert encoder.passes == 2
    assert cache.source(a_key()) is None
    assert not files(folder)


def test_a_large_entry_does_not_push_the_others_out():
    cache = EmbeddingCache(None, ram_bytes=SIZE)
    cache.get_or_compute(a_key(0), Encoder())
    cache.get_or_compute(a_key(1), lambda: {"x": torch.zeros(10 * SIZE)})
    assert cache.source(a_key(0)) == "ram"


# ---- privacy and a hostile or broken disk


def test_nobody_else_may_read_the_folder_or_its_files(folder, cache):
    cache.get_or_compute(a_key(), Encoder())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in files(folder)] == [0o600]


def test_a_folder_of_ours_that_was_opened_to_others_is_closed_again(folder):
    EmbeddingCache(folder).get_or_compute(a_key(), Encoder())
    folder.chmod(0o755)
    assert EmbeddingCache(folder).source(a_key()) == "disk"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_open_folder_with_other_people_s_files_is_left_alone_with_one_warning(folder, caplog):
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    (folder / "thesis.txt").write_text("mine")
    cache = EmbeddingCache(folder)
    for number in range(3):
        cache.get_or_compute(a_key(number), Encoder())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "thesis.txt" in caplog.text


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:7],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:-10] + bytes([data[-10] ^ 1]) + data[-9:],
        lambda data: bytes(len(data)),
        lambda data: b"\xff" * len(data),
        lambda data: (2**63).to_bytes(8, "little") + data[8:],
        lambda _: b"not a safetensors file at all",
        lambda _: (2).to_bytes(8, "little") + b"{}",
    ],
)
def test_a_damaged_file_is_computed_anew_and_replaced(folder, damage):
    computed = EmbeddingCache(folder).get_or_compute(a_key(), Encoder())
    (path,) = files(folder)
    path.write_bytes(damage(path.read_bytes()))
    encoder = Encoder()
    assert same(EmbeddingCache(folder).get_or_compute(a_key(), encoder), computed)
    assert encoder.passes == 1
    assert same(EmbeddingCache(folder).get_or_compute(a_key(), never), computed)


def test_the_embedding_of_another_image_under_this_name_is_not_believed(folder):
    EmbeddingCache(folder).get_or_compute(a_key(1), Encoder(seed=1))
    (path,) = files(folder)
    path.rename(folder / f"{a_key(0).digest}.safetensors")
    encoder = Encoder(seed=0)
    EmbeddingCache(folder).get_or_compute(a_key(0), encoder)
    assert encoder.passes == 1


def test_a_folder_in_place_of_a_file_is_no_obstacle(folder):
    cache = EmbeddingCache(folder, ram_bytes=0)
    (folder / f"{a_key().digest}.safetensors").mkdir(parents=True)
    assert cache.source(a_key()) is None
    assert cache.get_or_compute(a_key(), Encoder())


def test_a_folder_that_cannot_be_made_costs_one_warning_and_the_cache_works_from_memory(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    cache = EmbeddingCache(tmp_path / "file" / "embeddings")
    for number in (0, 1, 2, 0, 1, 2):
        cache.get_or_compute(a_key(number), Encoder())
    assert (cache.statistics.computed, cache.statistics.ram_hits) == (3, 3)
    assert len(caplog.records) == 1
    assert "in memory only" in caplog.text
    assert cache.clear() == 0


def test_a_folder_that_vanishes_while_running_is_made_again(folder, cache):
    cache.get_or_compute(a_key(0), Encoder())
    files(folder)[0].unlink()
    folder.rmdir()
    cache.get_or_compute(a_key(1), Encoder())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(files(folder)) == 1


def in_a_process(folder, script):
    code = f"""
import os, resource, signal, sys, threading, time, logging
import torch
from pathlib import Path
from samantic.sam import EmbeddingCache, EmbeddingKey
logging.basicConfig(stream=sys.stdout, format="%(levelname)s")
folder = Path({str(folder)!r})
def a_key(number=0):
    return EmbeddingKey(f"image {{number}}", "axis 2 slice 5", "ct", "tiny", "weights")
{script}
"""
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a Unix thing")
def test_a_full_disk_costs_one_warning_leaves_no_half_files_and_still_serves_what_it_holds(folder):
    EmbeddingCache(folder).get_or_compute(a_key(9), Encoder())
    process = in_a_process(
        folder,
        """
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
cache = EmbeddingCache(folder)
for number in (0, 1, 9, 2, 0):
    cache.get_or_compute(a_key(number), lambda: {"x": torch.zeros(1000)})
print(cache.statistics.computed, cache.statistics.ram_hits, cache.statistics.disk_hits)
""",
    )
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert output.splitlines() == ["WARNING", "3 1 1"]
    assert [path.name for path in folder.iterdir()] == [f"{a_key(9).digest}.safetensors"]


# ---- many at once


def test_many_who_ask_for_one_slice_share_one_encoder_pass(cache):
    encoder = Encoder().hold()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(cache.get_or_compute, a_key(), encoder) for _ in range(8)]
        while cache.statistics.joined < 7:
            time.sleep(0.005)
        encoder.may_end.set()
        results = [answer.result(20) for answer in answers]
    assert encoder.passes == 1
    assert all(same(results[0], result) for result in results)
    assert len({result["image_embedding"].data_ptr() for result in results}) == 8


def test_different_slices_are_computed_side_by_side(cache):
    slow = Encoder().hold()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(cache.get_or_compute, a_key(0), slow)
        assert slow.started.wait(20)
        cache.get_or_compute(a_key(1), Encoder())
        assert not waiting.done()
        slow.may_end.set()
        waiting.result(20)


def test_a_failure_reaches_all_who_wait_and_the_next_request_tries_again(cache):
    started, may_fail = threading.Event(), threading.Event()

    def fail():
        started.set()
        assert may_fail.wait(20)
        raise RuntimeError("out of memory")

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(cache.get_or_compute, a_key(), fail) for _ in range(4)]
        while cache.statistics.joined < 3:
            time.sleep(0.005)
        may_fail.set()
        for answer in answers:
            with pytest.raises(RuntimeError, match="out of memory"):
                answer.result(20)
    assert cache.source(a_key()) is None
    assert cache.statistics.failed == 1
    assert same(cache.get_or_compute(a_key(), Encoder()), cache.get_or_compute(a_key(), never))


def test_an_encoder_that_asks_for_its_own_answer_is_told_so_instead_of_waiting_forever(cache):
    with pytest.raises(RuntimeError, match="asked for that same embedding"):
        cache.get_or_compute(a_key(), lambda: cache.get_or_compute(a_key(), never))


def test_twenty_threads_on_a_cache_that_is_too_small_always_get_the_right_answer(folder):
    expected = [Encoder(seed)() for seed in range(12)]
    with EmbeddingCache(folder, ram_bytes=3 * SIZE, disk_bytes=6 * SIZE) as cache:

        def client(seed):
            order = random.Random(seed)
            for _ in range(60):
                number = order.randrange(12)
                if order.random() < 0.2:
                    cache.prefetch([(a_key(n), Encoder(n)) for n in range(number, min(12, number + 3))])
                answer = cache.get_or_compute(a_key(number), Encoder(number))
                half = expected[number]["image_embedding"].half().float()
                assert torch.equal(answer["image_embedding"], half)
                if order.random() < 0.02:
                    cache.clear()
            return True

        with ThreadPoolExecutor(20) as pool:
            assert all(pool.map(client, range(20)))
        assert cache.statistics.ram_bytes <= 3 * SIZE
        assert cache.statistics.disk_bytes <= 6 * SIZE


def test_two_processes_may_share_the_folder(folder):
    script = """
import random
cache = EmbeddingCache(folder, ram_bytes=0, disk_bytes=40_000)
order = random.Random(seed)
for turn in range(150):
    number = order.randrange(12)
    answer = cache.get_or_compute(a_key(number), lambda: {"x": torch.full((3000,), float(number))})
    assert (answer["x"] == number).all()
print(cache.statistics.disk_bytes <= 40_000 + 2 * 6_200)  # each process may be one entry ahead
"""
    processes = [in_a_process(folder, f"seed = {seed}\n{script}") for seed in range(2)]
    assert [process.communicate(timeout=120)[0] for process in processes] == ["True\n", "True\n"]
    assert all(process.returncode == 0 for process in processes)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_after_a_kill_the_first_click_is_served_from_disk(folder):
    process = in_a_process(
        folder,
        """
cache = EmbeddingCache(folder)
cache.get_or_compute(a_key(), lambda: {"x": torch.arange(3.0)})
print("ready", flush=True)
time.sleep(60)
""",
    )
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.wait(20)
    fresh = EmbeddingCache(folder)
    assert fresh.source(a_key()) == "disk"
    assert fresh.get_or_compute(a_key(), never)["x"].tolist() == [0, 1, 2]
    assert fresh.statistics.disk_hits == 1


# ---- prefetching


def test_neighbours_are_computed_in_the_background_in_order(cache):
    order = []
    jobs = [(a_key(n), lambda n=n: order.append(n) or Encoder(n)()) for n in (3, 1, 2)]
    cache.prefetch(jobs)
    assert cache.wait_for_prefetch(20)
    assert order == [3, 1, 2]
    assert [cache.source(a_key(n)) for n in (1, 2, 3)] == ["ram"] * 3


def test_what_is_in_memory_is_not_prefetched_and_what_is_on_disk_is_only_read(folder):
    EmbeddingCache(folder).get_or_compute(a_key(0), Encoder())
    cache = EmbeddingCache(folder)
    cache.get_or_compute(a_key(1), Encoder())
    cache.prefetch([(a_key(0), never), (a_key(1), never)])
    assert cache.wait_for_prefetch(20)
    assert cache.source(a_key(0)) == "ram"
    assert (cache.statistics.failed, cache.statistics.disk_hits) == (0, 1)


def test_a_click_on_a_slice_being_prefetched_joins_it(cache):
    encoder = Encoder().hold()
    cache.prefetch([(a_key(), encoder)])
    assert encoder.started.wait(20)
    with ThreadPoolExecutor(1) as pool:
        click = pool.submit(cache.get_or_compute, a_key(), never)
        while not cache.statistics.joined:
            time.sleep(0.005)
        encoder.may_end.set()
        assert click.result(20)
    assert encoder.passes == 1


def test_a_click_elsewhere_does_not_wait_for_the_queue_and_nothing_is_started_meanwhile(cache):
    running, queued, clicked = Encoder().hold(), Encoder(), Encoder().hold()
    cache.prefetch([(a_key(0), running), (a_key(1), queued)])
    assert running.started.wait(20)
    with ThreadPoolExecutor(1) as pool:
        click = pool.submit(cache.get_or_compute, a_key(2), clicked)
        assert clicked.started.wait(20)  # although the prefetch in progress has not ended
        running.may_end.set()
        assert not queued.started.wait(0.2)
        clicked.may_end.set()
        assert click.result(20)
        assert queued.started.wait(20)


def test_nothing_is_prefetched_while_a_click_is_being_decoded(cache):
    encoder = Encoder()
    with cache.hold_prefetch():
        cache.prefetch([(a_key(), encoder)])
        assert not encoder.started.wait(0.2)
        assert not cache.wait_for_prefetch(0.01)
    assert encoder.started.wait(20)


def test_a_newer_request_replaces_what_an_older_one_has_not_started(cache):
    running, old, new = Encoder().hold(), Encoder(), Encoder()
    cache.prefetch([(a_key(0), running), (a_key(1), old)])
    assert running.started.wait(20)
    cache.prefetch([(a_key(2), new)])
    running.may_end.set()
    assert cache.wait_for_prefetch(20)
    assert (running.passes, old.passes, new.passes) == (1, 0, 1)


def test_a_failing_prefetch_harms_neither_the_next_one_nor_the_click(cache):
    def fail():
        raise RuntimeError("broken slice")

    cache.prefetch([(a_key(0), fail), (a_key(1), Encoder())])
    assert cache.wait_for_prefetch(20)
    assert cache.source(a_key(1)) == "ram"
    assert cache.get_or_compute(a_key(0), Encoder())


def test_close_waits_for_the_pass_in_progress_and_starts_no_more(cache):
    running, queued = Encoder().hold(), Encoder()
    cache.prefetch([(a_key(0), running), (a_key(1), queued)])
    assert running.started.wait(20)
    threading.Timer(0.1, running.may_end.set).start()
    cache.close()
    assert cache.source(a_key(0)) == "ram"
    cache.prefetch([(a_key(2), queued)])
    assert cache.wait_for_prefetch(20)
    assert queued.passes == 0
    assert cache.get_or_compute(a_key(1), Encoder())


def test_a_prefetched_image_is_not_held_on_to(cache):
    class Image:
        pass

    image = Image()
    gone = weakref.ref(image)

    def encode(image=image):
        assert image is not None
        return Encoder()()

    cache.prefetch([(a_key(), encode)])
    assert cache.wait_for_prefetch(20)
    del image, encode
    deadline = time.monotonic() + 10
    while gone() is not None and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    assert gone() is None
