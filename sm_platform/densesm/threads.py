"""Work shared among threads, each with single-threaded operators."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> list[Result]:
    """`work` of each item, in order, by that many threads; raises what the first failure raised.

    Many small operators scale better side by side than each split over the cores, and their
    results do not depend on the number of cores. Torch's thread count is set back afterwards.
    """
    before = torch.get_num_threads()
    threads = ThreadPoolExecutor(max(workers, 1), initializer=torch.set_num_threads, initargs=(1,))
    try:
        return list(threads.map(work, items))
    finally:
        threads.shutdown(cancel_futures=True)
        torch.set_num_threads(before)
