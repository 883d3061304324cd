"""A screen as the sheets over it see it."""

from __future__ import annotations

from typing import Any, Protocol

from textual.app import App

from cockpit.screens.desk import Desk


class Wall(Protocol):
    """What sheets are laid over."""

    SCOPE: str
    desk: Desk

    @property
    def app(self) -> App[Any]:
        """The application."""

    def hint(self, text: str) -> None:
        """Say something in the bottom line."""

    def action_go(self, name: str) -> None:
        """Another screen."""

    async def run_action(self, action: str) -> None:
        """Do what a key would do."""
