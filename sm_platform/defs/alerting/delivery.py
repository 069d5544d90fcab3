"""Sending what was noted: each channel gets the alerts that it has not taken yet, in one message.

An alert is marked after a channel took it. A kill between the two sends it twice, never not at
all; a channel that is down keeps its alerts for the next tick.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import accumulate

from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_fixed,
)

from sm_platform.defs.alerting.addresses import AlertSettings
from sm_platform.defs.alerting.alert import LONGEST_SUBJECT, cut, moment_text
from sm_platform.defs.alerting.alert_log import NotedAlert, mark_sent, read_alerts
from sm_platform.defs.alerting.mail import mail
from sm_platform.defs.alerting.webhook import post
from sm_platform.defs.talk import counted
from sm_platform.errors import LakeError, PassingError, SmPlatformError
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.lock import locked
from sm_platform.schema.alert_tables import ALERTS

LOCK = "alert_delivery"
KEPT_FOR = timedelta(days=3)
"""A channel that comes back after a weekend gets what it missed; older alerts are in the lake."""
LONGEST_MESSAGE = 3500
"""Characters: chat services refuse what is much longer. The rest goes out a tick later."""
TRIES = 2
WAIT_S = 1.0
LATEST_RETRY_S = 10.0
"""Of what a tick has, a minute, a slow channel must not take all: the next tick tries again."""
PREFIX = "[sm-platform]"


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to a person."""

    name: str
    column: str
    """Of the table `alerts`: when this channel took an alert."""
    send: Callable[[str, str], None]
    """Takes subject and text; raises PassingError or UsageError."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a channel's message."""

    channel: str
    n_alerts: int
    problem: str | None = None
    """Why it did not go out; None: it did."""

    @property
    def told(self) -> str:
        """A sentence for people."""
        n = counted(self.n_alerts, "alert")
        if self.problem is None:
            return f"{self.channel}: {n} sent."
        return f"{self.channel}: {n} not sent, {self.problem}"


def channels_of(addresses: AlertSettings) -> list[Channel]:
    """The configured channels."""
    found = []
    if addresses.webhook:
        found.append(Channel("webhook", "posted_utc", partial(_post, addresses.webhook)))
    if addresses.server:
        send = partial(mail, addresses.server, addresses.recipients)
        found.append(Channel("e-mail", "mailed_utc", send))
    return found


def deliver(layout: Layout, channels: Sequence[Channel], now_utc: datetime) -> list[Outcome]:
    """Send what the channels have not taken yet, one message each; none where there is nothing.

    Args:
        layout: the lake.
        channels: that are configured.
        now_utc: of the wall clock.

    Raises:
        LakeError: the lake cannot be written; nothing was sent, as it could not be marked.
    """
    outcomes: list[Outcome] = []
    if not channels:
        return outcomes
    with locked(layout, LOCK):
        for channel in channels:
            waiting = _first_of(waiting_for(layout, channel.column, now_utc))
            if not waiting:
                continue
            mark_sent(layout, waiting, channel.column, None)  # proves that marking will work
            outcome = send(channel, *message_of(waiting))
            if outcome.problem is None:
                mark_sent(layout, waiting, channel.column, now_utc)
            outcomes.append(Outcome(channel.name, len(waiting), outcome.problem))
    return outcomes


def waiting_for(layout: Layout, column: str, now_utc: datetime) -> list[NotedAlert]:
    """Alerts of the last days that a channel has not taken, oldest first."""
    found = []
    for partition in store.regions_stored(layout, ALERTS):
        with suppress(LakeError):  # of a damaged file who raises alerts tells; the others go out
            found += read_alerts(layout, partition)
    open_ones = [one for one in found if getattr(one, column) is None]
    recent = [one for one in open_ones if now_utc - one.raised_utc < KEPT_FOR]
    return sorted(recent, key=lambda one: one.raised_utc)


def _first_of(waiting: Sequence[NotedAlert]) -> list[NotedAlert]:
    """As many as one message holds, at least one."""
    lengths = accumulate(len(one.subject) + len(one.alert_text) for one in waiting)
    n = sum(length <= LONGEST_MESSAGE for length in lengths)
    return list(waiting[: max(n, 1)])


def send(channel: Channel, subject: str, text: str) -> Outcome:
    """Send a message, once more where that may help; a channel that is down is told, not raised."""
    again = Retrying(
        retry=retry_if_exception_type(PassingError),
        stop=stop_after_attempt(TRIES) | stop_after_delay(LATEST_RETRY_S),
        wait=wait_fixed(WAIT_S),
        reraise=True,
    )
    try:
        again(channel.send, f"{PREFIX} {subject}", text)
    except SmPlatformError as error:
        return Outcome(channel.name, 1, str(error))
    return Outcome(channel.name, 1)


def message_of(alerts: Sequence[NotedAlert]) -> tuple[str, str]:
    """Subject and text of one message over all these alerts."""
    if len(alerts) == 1:
        return alerts[0].subject, "\n".join(_lines(alerts[0]))
    about = dict.fromkeys(one.region_id for one in alerts if one.region_id)
    regions = f": {', '.join(about)}" if about else ""
    text = "\n\n".join("\n".join([f"* {one.subject}", *_lines(one)]) for one in alerts)
    return cut(f"{len(alerts)} alerts{regions}", LONGEST_SUBJECT), text


def _lines(alert: NotedAlert) -> Iterator[str]:
    yield alert.alert_text
    yield f"({alert.alert_kind}, raised {moment_text(alert.raised_utc)})"


def _post(address: str, subject: str, text: str) -> None:
    post(address, f"{subject}\n{text}")
