"""Small files, small functions, honest names, no shell: the rules that keep the house readable."""

from __future__ import annotations

import ast
import re

from tests.arch.source import ROOT, SHIPPED, Source, shipped

MOST_LINES = 400
MOST_FUNCTION_LINES = 40
MOST_METHODS = 20
VAGUE = {"manager", "helper", "helpers", "util", "utils", "handler", "handlers", "processor", "data"}
FORCED = {"BaseHTTPRequestHandler"}
"""Names that a library chose: a class may say what it is derived from."""


def words(name: str) -> set[str]:
    """The words of a camel-case or snake-case name.

    >>> sorted(words("OrderDataPanel")), sorted(words("order_utils"))
    (['data', 'order', 'panel'], ['order', 'utils'])
    """
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)}


def test_there_is_something_to_test() -> None:
    assert len(shipped()) > 50
    assert {source.name.partition("/")[0] for source in shipped()} == set(SHIPPED)


def test_no_file_is_long() -> None:
    long = {source.name: source.text.count("\n") for source in shipped()}
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES} == {}


def test_no_function_is_long() -> None:
    found = {}
    for source in shipped():
        for node in source.of(ast.FunctionDef, ast.AsyncFunctionDef):
            assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines >= MOST_FUNCTION_LINES:
                found[f"{source.name}:{node.lineno} {node.name}"] = lines
    assert found == {}


def test_no_class_has_many_methods() -> None:
    found = {}
    for source in shipped():
        for node in source.of(ast.ClassDef):
            assert isinstance(node, ast.ClassDef)
            methods = sum(isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) for one in node.body)
            if methods >= MOST_METHODS:
                found[f"{source.name} {node.name}"] = methods
    assert found == {}


def test_no_name_is_vague() -> None:
    found = [source.name for source in shipped() if words(source.path.stem) & VAGUE]
    for source in shipped():
        for node in source.of(ast.ClassDef):
            assert isinstance(node, ast.ClassDef)
            bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
            if words(node.name) & VAGUE and not bases & FORCED:
                found.append(f"{source.name} {node.name}")
    assert found == []


def test_every_file_says_what_it_is_for() -> None:
    silent = [source.name for source in shipped() if source.text.strip() and not ast.get_docstring(source.tree)]
    assert silent == []


def test_nothing_goes_through_a_shell() -> None:
    found = [f"{source.name}:{node.lineno}" for source in shipped() for node in calls(source) if is_shell(node)]
    assert found == []


def calls(source: Source) -> list[ast.Call]:
    return [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]


def is_shell(call: ast.Call) -> bool:
    """Whether a shell would read a line of text."""
    if ast.unparse(call.func) in ("os.system", "os.popen", "asyncio.create_subprocess_shell", "subprocess.getoutput"):
        return True
    return any(
        word.arg == "shell" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
        for word in call.keywords
    )


def test_the_package_itself_imports_nothing() -> None:
    source = next(one for one in shipped() if one.name == "cockpit/__init__.py")
    assert list(source.of(ast.Import, ast.ImportFrom)) == []


def test_no_file_speaks_of_a_place_that_users_do_not_have() -> None:
    here = f"{ROOT}/"
    assert [source.name for source in shipped() if here in source.text] == []
    assert here not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
