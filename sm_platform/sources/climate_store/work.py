"""The work folder of the Climate Data Store: pieces that were fetched, and requests on their way.

    <work>/<area>_<days>_<hours>_<stamp>.nc     a piece, whole
    <work>/<the same>.job                       id of its request while there is no piece yet
    <work>/<area>_<month>_<stamp>.lock          held by whoever asks for pieces of a month

Many days wait for one piece, in several threads or processes: the first asks, the others wait for
the lock, and then find the piece, or the reason why there is none. A run that was stopped leaves
the id behind, and the next one goes on with the same request.
"""

import fcntl
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sm_platform.errors import DeniedError, PassingError, SourceError
from sm_platform.sources.climate_store.jobs import SERVICE, Jobs, LostRequestError, TooLargeError
from sm_platform.sources.climate_store.netcdf_excerpt import times_in
from sm_platform.sources.climate_store.pieces import (
    Area,
    Piece,
    half_of,
    midnight_of,
    month_around,
    pieces_in,
    stamp_of_month,
)

KEPT = timedelta(days=14)
"""How long a piece is kept after it was last used."""
PIECE, NOTE = ".nc", ".job"
TOO_LARGE_S = 24 * 3600.0
LOCK_PAUSE_S = 0.1
LOCK_WAIT_S = 6 * 3600.0
KINDS: dict[str, type[SourceError]] = {
    kind.__name__: kind for kind in (SourceError, PassingError, DeniedError, TooLargeError)
}


@dataclass(frozen=True, slots=True)
class Work:
    """Pieces of one account's requests in a folder."""

    folder: Path
    jobs: Jobs

    def hours_of(self, area: Area, day: date, now: datetime) -> list[Path]:
        """Files that hold the day's 24 hours and 00 UTC of the next day, the day's first.

        Raises:
            PassingError: the store did not answer, or has not finished at the deadline.
            SourceError: it refuses, now and later.
        """
        return [
            self._file(area, day, now, only_midnight=False),
            self._file(area, day + timedelta(days=1), now, only_midnight=True),
        ]

    def _file(self, area: Area, day: date, now: datetime, *, only_midnight: bool) -> Path:
        """A file that holds the day, or 00 UTC of it; asked for when there is none."""
        stamp, began = stamp_of_month(day, now), time.time()
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked(f"{area.tag}_{day:%Y%m}_{stamp}"):
            own = [one for one in pieces_in(self.folder, area, PIECE) if one.stamp == stamp]
            for piece in own:
                if piece.holds(day, only_midnight=only_midnight):
                    os.utime(self._path(piece, PIECE))
                    return self._path(piece, PIECE)
            if only_midnight:
                piece = midnight_of(area, day, now)
            else:
                self._sweep()
                piece = self._on_its_way(area, day, stamp) or month_around(area, day, now, own)
            got = self._ask_less(piece, day, began)
            if not got.holds(day, only_midnight=only_midnight):
                raise _not_whole(day)
            return self._path(got, PIECE)

    def _ask_less(self, piece: Piece, day: date, began: float) -> Piece:
        """Fetch a piece, or of one that is too large the half with the day, and so on."""
        while True:
            while piece.n_days > 1 and piece.n_days >= self._refused_days(piece.area):
                piece = half_of(piece, day)
            try:
                return self._ask(piece, began)
            except TooLargeError:
                if piece.n_days == 1:
                    raise

    def _refused_days(self, area: Area) -> float:
        """So many days, and more, were too many for one request within the last day."""
        refused = [math.inf]
        for piece in pieces_in(self.folder, area, NOTE):
            told = _read(self._path(piece, NOTE))
            is_size = told.get("kind") == TooLargeError.__name__ and not piece.is_midnight
            if is_size and float(told.get("failed_at", 0)) > time.time() - TOO_LARGE_S:
                refused.append(piece.n_days)
        return min(refused)

    def _on_its_way(self, area: Area, day: date, stamp: str) -> Piece | None:
        """A piece with the day whose request was sent by a run that was stopped."""
        for piece in pieces_in(self.folder, area, NOTE):
            is_sent = "request_id" in _read(self._path(piece, NOTE))
            if is_sent and piece.stamp == stamp and piece.holds(day, only_midnight=False):
                return piece
        return None

    def _ask(self, piece: Piece, began: float) -> Piece:
        """Fetch a piece; who had to wait for the lock hears what the one before heard.

        Returns what came of it: the newest day may lack hours.
        """
        note = self._path(piece, NOTE)
        told = _read(note)
        if float(told.get("failed_at", 0)) >= began:
            raise _error(told)
        try:
            if "request_id" not in told:
                told = {"request_id": self.jobs.send(piece)}
                _write(note, told)
            got = self._collect(piece, str(told["request_id"]))
        except LostRequestError as error:
            _write(note, _failure(error.told))
            raise error.told from error
        except SourceError as error:
            known = {name: told[name] for name in ("request_id",) if name in told}
            _write(note, known | _failure(error))
            raise
        note.unlink(missing_ok=True)
        return got

    def _collect(self, piece: Piece, request_id: str) -> Piece:
        aside = self._path(piece, f".{os.getpid()}")
        try:
            self.jobs.collect(request_id, aside)
            try:
                got = piece.whole_days(times_in(aside))
            except SourceError as error:
                raise LostRequestError(PassingError(str(error))) from error
            if got is None:
                raise LostRequestError(_not_whole(piece.first))
            aside.replace(self._path(got, PIECE))
            return got
        finally:
            aside.unlink(missing_ok=True)

    def forget(self, files: Sequence[Path]) -> None:
        """Take damaged or incomplete pieces away, so that they are asked for again."""
        for path in files:
            path.unlink(missing_ok=True)

    def _path(self, piece: Piece, suffix: str) -> Path:
        return self.folder / f"{piece.name}{suffix}"

    def _sweep(self) -> None:
        """Take away what was not used for two weeks."""
        oldest = time.time() - KEPT.total_seconds()
        for path in self.folder.iterdir():
            with suppress(OSError):
                if path.suffix != ".lock" and path.stat().st_mtime < oldest:
                    path.unlink()

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        ends_at = time.monotonic() + LOCK_WAIT_S
        with (self.folder / f"{name}.lock").open("w") as held:
            while True:
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > ends_at:
                        raise PassingError(
                            f"{name}: another run asks the Climate Data Store for it since "
                            f"{LOCK_WAIT_S / 3600:.0f} hours: try again later."
                        ) from None
                    time.sleep(LOCK_PAUSE_S)
            yield


def _not_whole(day: date) -> SourceError:
    return SourceError(f"{SERVICE.title} has not all hours of {day} yet: fetch it again tomorrow.")


def _failure(error: SourceError) -> dict[str, object]:
    return {
        "failed_at": time.time(),
        "kind": type(error).__name__,
        "failure": str(error),
        "retry_after_s": error.retry_after_s if isinstance(error, PassingError) else None,
    }


def _error(told: dict[str, Any]) -> SourceError:
    """The error that another thread met, from its note."""
    kind, text = KINDS.get(str(told["kind"]), SourceError), str(told["failure"])
    if issubclass(kind, PassingError):
        return kind(text, told["retry_after_s"])
    return kind(text)


def _read(note: Path) -> dict[str, Any]:
    """What is known of a request; nothing when there is no note, or half of one."""
    try:
        told = json.loads(note.read_text())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _write(note: Path, told: dict[str, Any]) -> None:
    aside = note.with_name(f"{note.name}.{os.getpid()}")
    aside.write_text(json.dumps(told))
    aside.replace(note)
