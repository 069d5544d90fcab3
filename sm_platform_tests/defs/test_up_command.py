"""`sm-platform up` and `prepare` refuse a wrong setting before anything is started."""

import pytest

from sm_platform.defs.commands.prepare import prepare_command
from sm_platform.defs.commands.up import up_command
from sm_platform.defs.serving import keeping
from sm_platform.errors import UsageError

WRONG = [
    ({"SM_DAILY_AT": "25:00"}, "SM_DAILY_AT is '25:00'"),
    ({"SM_TIME_ZONE": "Hanoi"}, "SM_TIME_ZONE is 'Hanoi'"),
    ({"SM_WATCH_DAYS": "abc"}, "SM_WATCH_DAYS is 'abc'"),
    ({"SM_AUTOMATION": "maybe"}, "SM_AUTOMATION is 'maybe'"),
    ({"SM_MAX_RUNS": "0"}, "SM_MAX_RUNS is '0'"),
    ({"SM_ALERT_WEBHOOK": "notaurl"}, "SM_ALERT_WEBHOOK"),
    ({"SM_ALERT_EMAIL": "a@b.vn"}, "SM_SMTP_URL"),
    ({"SM_FIRST_DAY": "soon"}, "SM_FIRST_DAY"),
]


@pytest.mark.parametrize(("told", "said"), WRONG)
def test_a_wrong_setting_is_one_line_and_nothing_starts(
    told: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(keeping, "guarded_group", lambda *_: pytest.fail("it was started"))
    for command in (lambda: up_command(3777, print), lambda: prepare_command(print)):
        with pytest.raises(UsageError, match=said):
            command()
