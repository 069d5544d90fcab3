"""Tests of the processes as they are deployed."""
