"""The real services, asked for their smallest: only with `pytest -m live`, by who has accounts.

    .venv/bin/python -m pytest -m live sm_platform_tests/live

Each case is skipped, naming the variable, where its account is lacking. Addresses and options of
the services are those of the file that SM_SOURCES names, where it is set; else their own.
"""
