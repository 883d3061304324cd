"""Notices that go out by themselves."""
