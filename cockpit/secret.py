"""A secret's whereabouts: an environment variable, a file or a command; never the secret itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cockpit.captured import captured
from cockpit.errors import ConfigError, SecretLate
from cockpit.parts import Part

COMMAND_TIMEOUT_S = 10.0


class Secret(Part, frozen=True, kw_only=True):
    """Exactly one of `env`, `file` and `command` (an argument list)."""

    env: str | None = None
    file: Path | None = None
    command: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.env, self.file, self.command)) != 1:
            raise ValueError("name exactly one of env, file and command")

    def reveal(self) -> str:
        """The secret, read anew; never log it. May block up to 10 s where it is a command.

        Raises:
            SecretLate: its command takes longer.
            ConfigError: it is not where the configuration says.
        """
        if self.env is not None:
            value = os.environ.get(self.env)
            if value is None:
                raise ConfigError(f"the environment variable {self.env} is not set")
            return value
        if self.file is not None:
            return self._from_file(self.file)
        return self._from_command(self.command or ())

    @staticmethod
    def _from_file(file: Path) -> str:
        try:
            return file.read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise ConfigError(f"cannot read the secret in {file}: {error.strerror}") from error
        except UnicodeDecodeError:
            # The error's own text holds what is in the file.
            raise ConfigError(f"cannot read the secret in {file}: it is no UTF-8 text") from None
        except ValueError as error:
            raise ConfigError(f"the secret's file is no path: {error}") from None

    @staticmethod
    def _from_command(command: tuple[str, ...]) -> str:
        try:
            done = captured(command, COMMAND_TIMEOUT_S)
            done.check_returncode()
            return done.stdout.decode("utf-8").rstrip("\r\n")
        except subprocess.TimeoutExpired:
            late = f"no answer within {COMMAND_TIMEOUT_S:g} s"
            raise SecretLate(f"the secret's command {command[0]} failed: {late}") from None
        except (OSError, subprocess.SubprocessError) as error:
            # The error's own text could hold what the command printed.
            raise ConfigError(f"the secret's command {command[0]} failed: {_why(error)}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"the secret's command {command[0]} failed: it printed no UTF-8 text") from None
        except ValueError as error:
            raise ConfigError(f"the secret's command cannot be run: {error}") from None


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "not found"
    if isinstance(error, subprocess.CalledProcessError):
        return f"exit code {error.returncode}"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
