"""Parse COPY statements: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html ."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import TokenError
from sqlglot.tokens import Token, TokenType

from sparkify.warehouse.postgres.copy.command import CopyCommand, CopySyntaxError, split_url

if TYPE_CHECKING:
    from collections.abc import Callable

_MAXERROR_LIMIT = 100_000  # "Data load operations": MAXERROR
_SUPPORTED = (
    "IAM_ROLE, CREDENTIALS, ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN, FORMAT, JSON, MANIFEST, GZIP, BZIP2, "
    "ZSTD, REGION, TIMEFORMAT, MAXERROR, TRUNCATECOLUMNS, BLANKSASNULL, EMPTYASNULL, ACCEPTINVCHARS, COMPUPDATE, "
    "STATUPDATE"
)
# Options of Redshift that this engine does not support. If a statement contains keys, errors name no other words:
# they may be a part of a badly quoted secret.
_UNSUPPORTED = re.compile(
    "ACCEPTANYDATE|AVRO|COMPROWS|CSV|DATEFORMAT|DELIMITER|ENCODING|ENCRYPTED|ESCAPE|EXPLICIT_IDS|"
    "FILLRECORD|FIXEDWIDTH|IGNOREALLERRORS|IGNOREBLANKLINES|IGNOREHEADER|LZOP|MASTER_SYMMETRIC_KEY|"
    "NOLOAD|NULL|ORC|PARQUET|QUOTE|READRATIO|REMOVEQUOTES|ROUNDEC|SHAPEFILE|SSH|TRIMBLANKS"
)


def parse_copy(sql: str) -> CopyCommand:
    """Return the command of a COPY statement.

    :param sql: the statement, with or without a semicolon at its end.
    :raises CopySyntaxError: if it is not a COPY of JSON from S3 with supported options.
    """
    return _Parser(sql).parse()


class _Parser:
    """A recursive descent parser of one statement."""

    def __init__(self, sql: str) -> None:
        try:
            self._tokens: list[Token] = Redshift().tokenize(sql)
        except TokenError:
            # The tokenizer's error quotes the statement, which may contain a secret.
            raise CopySyntaxError("COPY: a quoted string, name or comment is not closed") from None
        self._index = 0
        self._values: dict[str, Any] = {}
        self._given: set[str] = set()  # names of all options

    def parse(self) -> CopyCommand:
        self._expect("COPY")
        schema, table = None, self._name("a table name")
        if self._accept("."):
            schema, table = table, self._name("a table name")
        columns = self._column_list()
        self._expect("FROM")
        bucket, prefix = split_url(self._string("FROM"), "FROM")
        while self._peek() is not None and not self._accept(";"):
            self._option()
        if self._peek() is not None:
            raise CopySyntaxError("COPY: only one statement can run at a time; remove what follows the semicolon")
        self._check_authorization()
        if "json" not in self._values:
            raise CopySyntaxError("COPY: the local engine reads JSON only; add FORMAT AS JSON 'auto'")
        if "manifest" in self._values and not prefix:
            raise CopySyntaxError("COPY: with MANIFEST, FROM must name the manifest file itself (error 8001)")
        return CopyCommand(
            table=table,
            schema=schema,
            columns=columns,
            bucket=bucket,
            prefix=prefix,
            **self._values,
        )

    def _peek(self) -> Token | None:
        return self._tokens[self._index] if self._index < len(self._tokens) else None

    def _word(self) -> str:
        """Return the next token as an upper-case keyword; empty for a quoted token and at the end."""
        token = self._peek()
        if token is None or token.token_type in (TokenType.STRING, TokenType.IDENTIFIER):
            return ""
        return token.text.upper()

    def _accept(self, *words: str) -> str | None:
        word = self._word()
        if word and word in words:
            self._index += 1
            return word
        return None

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise CopySyntaxError(f"COPY: expected {word} at {self._place()}")

    def _place(self) -> str:
        token = self._peek()
        return f"line {token.line}, column {token.col}" if token else "the end of the statement"

    def _name(self, what: str) -> str:
        token = self._peek()
        quoted = token is not None and token.token_type == TokenType.IDENTIFIER
        if token is None or not (quoted or re.fullmatch(r"[^\W\d][\w$]*", self._word())):
            raise CopySyntaxError(f"COPY: expected {what} at {self._place()}")
        self._index += 1
        # Unless enable_case_sensitive_identifier is on, Redshift folds quoted names too ("Names and identifiers").
        return token.text.lower()

    def _column_list(self) -> tuple[str, ...]:
        if not self._accept("("):
            return ()
        columns = [self._name("a column name")]
        while self._accept(","):
            columns.append(self._name("a column name"))
        self._expect(")")
        if len(set(columns)) < len(columns):
            raise CopySyntaxError("COPY: a column is listed twice")
        return tuple(columns)

    def _string(self, option: str) -> str:
        if not self._at_string():
            raise CopySyntaxError(f"COPY: {option} needs a string in single quotes at {self._place()}")
        self._index += 1
        return self._tokens[self._index - 1].text

    def _at_string(self) -> bool:
        token = self._peek()
        return token is not None and token.token_type == TokenType.STRING

    def _option(self) -> None:
        word = self._word()
        place = self._place()
        if word == "FORMAT":
            self._index += 1
            self._accept("AS")
            word = self._word()
            if word != "JSON":
                raise CopySyntaxError(f"COPY: FORMAT must be JSON for the local engine, at {self._place()}")
        elif word in ("AS", "WITH"):  # [[FORMAT] [AS] data_format], [WITH] CREDENTIALS
            self._index += 1
            allowed = "JSON" if word == "AS" else "CREDENTIALS"
            if (word := self._word()) != allowed:
                raise CopySyntaxError(f"COPY: expected {allowed} at {self._place()}")
        reader = _READERS.get(word)
        if reader is None:
            known = _UNSUPPORTED.fullmatch(word) or (not self._given & _KEYS and re.fullmatch(r"\w+", word))
            name = f"option {word}" if known else f"text at {place}"
            raise CopySyntaxError(f"COPY {name} is not supported by the local engine; supported: {_SUPPORTED}")
        self._index += 1
        field, value = reader(self, word)
        if field in self._given:
            raise CopySyntaxError(f"COPY: option {word} is given twice")
        self._given.add(field)
        if field not in _NOT_KEPT:
            self._values[field] = value

    def _check_authorization(self) -> None:
        """Check the combination of authorization parameters.

        Unlike on Redshift, it may be empty: this process reads S3, with its own credentials.
        """
        given = self._given & _AUTHORIZATION
        if given - {"session_token"} not in (
            set(),
            {"iam_role"},
            {"credentials"},
            {"access_key_id", "secret_access_key"},
        ) or ("session_token" in given and "access_key_id" not in given):
            raise CopySyntaxError(
                "COPY: give either IAM_ROLE, or CREDENTIALS, or ACCESS_KEY_ID with SECRET_ACCESS_KEY, "
                "and SESSION_TOKEN only with the latter"
            )

    def read_flag(self, word: str) -> tuple[str, object]:
        return word.lower(), True

    def read_compression(self, word: str) -> tuple[str, object]:
        if "compression" in self._values:
            raise CopySyntaxError("COPY: give one of GZIP, BZIP2 and ZSTD, and give it once")
        return "compression", word.lower()

    def read_json(self, word: str) -> tuple[str, object]:
        self._accept("AS")
        value = self._string(word) if self._at_string() else "auto"  # the default of "Data format parameters"
        if value == "noshred":
            raise CopySyntaxError("COPY option JSON 'noshred' is not supported by the local engine; use JSON 'auto'")
        if value not in ("auto", "auto ignorecase"):
            _, key = split_url(value, "COPY: JSON takes 'auto', 'auto ignorecase' or a JSONPaths file; the latter")
            if not key:
                raise CopySyntaxError("COPY: JSON needs the full key of the JSONPaths file")
        return "json", value

    def read_timeformat(self, word: str) -> tuple[str, object]:
        self._accept("AS")
        value = self._string(word)
        if value not in ("auto", "epochsecs", "epochmillisecs"):  # "keywords are case-sensitive"
            raise CopySyntaxError(
                "COPY option TIMEFORMAT with a pattern is not supported by the local engine; "
                "supported: 'auto', 'epochsecs', 'epochmillisecs'"
            )
        return "timeformat", value

    def read_maxerror(self, word: str) -> tuple[str, object]:
        self._accept("AS")
        number = self._word()
        if not re.fullmatch(r"[0-9]{1,6}", number) or int(number) > _MAXERROR_LIMIT:
            raise CopySyntaxError(f"COPY: MAXERROR needs a number from 0 to {_MAXERROR_LIMIT}, at {self._place()}")
        self._index += 1
        return "maxerror", int(number)

    def read_acceptinvchars(self, word: str) -> tuple[str, object]:
        named = self._accept("AS")
        value = self._string(word) if named or self._at_string() else "?"
        if len(value) != 1 or not value.isascii() or value == "\0":
            raise CopySyntaxError("COPY: ACCEPTINVCHARS takes one ASCII character other than NUL")
        return "acceptinvchars", value

    def read_update(self, word: str) -> tuple[str, object]:
        """Accept COMPUPDATE and STATUPDATE: PostgreSQL has no encodings, and autovacuum updates statistics."""
        modes = ("ON", "TRUE", "OFF", "FALSE")
        return word.lower(), self._accept(*modes, *(["PRESET"] if word == "COMPUPDATE" else []))

    def read_region(self, word: str) -> tuple[str, object]:
        self._accept("AS")
        return "region", self._string(word)

    def read_iam_role(self, word: str) -> tuple[str, object]:
        return "iam_role", "default" if self._accept("DEFAULT") else self._string(word)

    def read_secret(self, word: str) -> tuple[str, object]:
        if word == "CREDENTIALS":
            self._accept("AS")
        self._string(word)
        return word.lower(), None


_KEYS = frozenset({"credentials", "access_key_id", "secret_access_key", "session_token"})
_AUTHORIZATION = _KEYS | {"iam_role"}
_NOT_KEPT = _KEYS | {"compupdate", "statupdate"}
_READERS: dict[str, Callable[[_Parser, str], tuple[str, object]]] = {
    "JSON": _Parser.read_json,
    "TIMEFORMAT": _Parser.read_timeformat,
    "MAXERROR": _Parser.read_maxerror,
    "ACCEPTINVCHARS": _Parser.read_acceptinvchars,
    **dict.fromkeys(("COMPUPDATE", "STATUPDATE"), _Parser.read_update),
    "REGION": _Parser.read_region,
    "IAM_ROLE": _Parser.read_iam_role,
    **dict.fromkeys(("GZIP", "BZIP2", "ZSTD"), _Parser.read_compression),
    **dict.fromkeys(("MANIFEST", "TRUNCATECOLUMNS", "BLANKSASNULL", "EMPTYASNULL"), _Parser.read_flag),
    **dict.fromkeys(("CREDENTIALS", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"), _Parser.read_secret),
}
