"""Keys that come faster than screens: a slow line delivers many at once."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.screen import Screen


def passed_on(screen: Screen[Any], event: events.Key) -> bool:
    """Whether the key was for another screen, and is there now.

    It was typed before this screen had gone, or before another lay over it; to whoever typed it, it came after.
    """
    front = screen.app.screen
    if front is screen:
        return False
    front.post_message(events.Key(event.key, event.character))
    return True
