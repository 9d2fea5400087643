"""Scripts of SQL: split them into statements, name a statement in logs, and read its command.

The command of a statement is read with sqlparse's lexer, which is lazy: it costs the tokens up to the table, however
long the statement is. Whole scripts are only searched for strings, quoted names, comments and semicolons: to parse them
takes longer than to execute a small load.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from sqlparse import lexer, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

# The commands that write rows, each with the word that may precede the table.
WRITES = {"INSERT": "INTO", "UPDATE": "", "DELETE": "FROM", "MERGE": "INTO", "COPY": "", "TRUNCATE": "TABLE"}
# Those that may follow WITH. PostgreSQL also allows them within it: WITH deleted AS (DELETE FROM ...).
_AFTER_WITH = {"INSERT", "UPDATE", "DELETE", "MERGE"}
_TEMPORARY = {"TEMP", "TEMPORARY"}
_MODIFIERS = {"OR", "REPLACE", "UNIQUE", "LOCAL"}
_IF_NOT_EXISTS = {"IF", "NOT", "EXISTS"}

# Strings, quoted names, comments, and the end of a statement.
_PARTS = re.compile(r"""'[^']*'|"[^"]*"|--[^\n]*|/\*.*?\*/|;""", re.DOTALL)


class Command(NamedTuple):
    """The command of a statement.

    :param verb: in upper case: ``SELECT``, ``INSERT``, ``LOCK``, ``CREATE TABLE``, ``CREATE TEMP TABLE``; of a
        statement that begins with WITH, the command after it; empty if there is none.
    :param names: the tables that it writes to or locks, or the object that it creates, as they are written; empty for
        other commands.
    :param following: the word after the names, in upper case, such as the ``AS`` of CREATE TABLE ... AS.
    :param if_not_exists: whether it has IF NOT EXISTS.
    """

    verb: str
    names: tuple[str, ...] = ()
    following: str = ""
    if_not_exists: bool = False


def statements(sql: str) -> list[str]:
    """Return the statements of a script, each with its comments; comments without a statement are omitted."""
    ends = [0, *(part.end() for part in _PARTS.finditer(sql) if part[0] == ";"), len(sql)]
    return [statement for start, end in pairwise(ends) if body(statement := sql[start:end].strip())]


def without_comments(sql: str) -> str:
    """Return a script, each of its comments replaced by a blank."""
    return _PARTS.sub(lambda part: " " if part[0].startswith(("--", "/*")) else part[0], sql)


def body(statement: str) -> str:
    """Return a statement without the comments before it."""
    start = 0
    for kind, text in _tokens(statement):
        if not _is_ignored(kind):
            break
        start += len(text)
    return statement[start:].strip()


@lru_cache(maxsize=64)  # the guard, the log and the dialect ask for the same statement
def command(statement: str) -> Command:
    """Return the command of a statement.

    >>> command("WITH b AS (SELECT 1) /* all */ DELETE FROM a USING b").names
    ('a',)
    """
    words = _words(statement)
    verb = next(words, "").upper()
    if verb == "WITH":
        verb = _verb_after_with(words)
    if verb in WRITES:
        return _with_names(verb, words, {WRITES[verb]})
    if verb == "LOCK":
        return _with_names(verb, words, {"TABLE"})
    if verb != "CREATE":
        return Command(verb)
    temporary = ""
    for word in words:
        kind = word.upper()
        if kind in _TEMPORARY:
            temporary = " TEMP"
        elif kind not in _MODIFIERS:
            return _with_names(f"CREATE{temporary} {kind}", words, _IF_NOT_EXISTS)
    return Command(verb)


def label(statement: str) -> str:
    r"""Return the name of a statement in logs: its leading comment, else its first words.

    The comment before DDL describes the table, not the statement.

    >>> label("-- Take the newest.\nSELECT 1")
    'Take the newest'
    >>> label("CREATE TABLE IF NOT EXISTS songs (song_id VARCHAR)")
    'CREATE TABLE IF NOT EXISTS songs'
    """
    if comment := re.match(r"((?:\s*--[^\n]*\n)+)", statement):
        verb = command(statement).verb
        if verb.startswith(("CREATE", "DROP")) and not verb.startswith("CREATE TEMP"):
            return label(body(statement))
        text = " ".join(line.strip().removeprefix("--").strip() for line in comment[1].splitlines())
        return re.split(r"(?<=[^.])[.:](?:\s|$)", text.strip())[0]
    return re.split(r"\s*[(\n]", statement, maxsplit=1)[0][:80]


def _tokens(statement: str) -> Iterator[tuple[tokens._TokenType, str]]:
    return lexer.tokenize(statement)  # type: ignore[no-any-return, no-untyped-call]


def _is_ignored(kind: tokens._TokenType) -> bool:
    return kind in tokens.Comment or kind in tokens.Whitespace


def _words(statement: str) -> Iterator[str]:
    """Yield the tokens of a statement without comments. Quoted names keep their quotes, so they equal no keyword."""
    for kind, text in _tokens(statement):
        if kind in tokens.Keyword:
            yield from text.split()  # the lexer returns IF NOT EXISTS as one token
        elif not _is_ignored(kind):
            yield text


def _verb_after_with(words: Iterator[str]) -> str:
    depth, previous = 0, ""
    for word in words:
        verb = word.upper()
        if verb in _AFTER_WITH and (previous == "(" or (previous == ")" and depth == 0)):
            return verb
        if verb == "SELECT" and previous == ")" and depth == 0:
            return verb
        depth += (word == "(") - (word == ")")
        previous = word
    return "WITH"


def _with_names(verb: str, words: Iterator[str], optional: set[str]) -> Command:
    """Return the command with the names that follow.

    :param optional: words that may precede the names.
    """
    word, passed = next(words, ""), set()
    while word.upper() in optional and word:
        passed.add(word.upper())
        word = next(words, "")
    names = [word]
    following = ""
    for word in words:
        if word == ".":
            names[-1] += "." + next(words, "")
        elif word == ",":
            names.append(next(words, ""))
        else:
            following = word.upper()
            break
    return Command(verb, tuple(names), following, passed == _IF_NOT_EXISTS)
