"""Work shared among threads, each with single-threaded operators."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    *,
    stop: Callable[[], None] | None = None,
) -> list[Result]:
    """`work` of each item, in order, by that many threads; raises what failed first.

    Many small operators scale better side by side than each split over the cores, and their
    results do not depend on the number of cores. Torch's thread count is set back afterwards.
    `stop` is called before the threads are waited for, so that long work can be told to end.
    """
    before = torch.get_num_threads()
    threads = ThreadPoolExecutor(max(workers, 1), initializer=torch.set_num_threads, initargs=(1,))
    try:
        started = [threads.submit(work, item) for item in items]
        wait(started, return_when=FIRST_EXCEPTION)
        failed = [one for one in started if one.done() and one.exception()]
        return [one.result() for one in failed or started]
    finally:
        if stop is not None:
            stop()
        threads.shutdown(cancel_futures=True)
        torch.set_num_threads(before)
