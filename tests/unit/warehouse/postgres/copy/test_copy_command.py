"""Parsing COPY statements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.warehouse.postgres.copy import CopyCommand, CopySyntaxError, parse_copy

HEAD = "COPY t FROM 's3://bucket/key' IAM_ROLE default "
SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


def parse(options: str) -> CopyCommand:
    return parse_copy(f"{HEAD} FORMAT AS JSON 'auto' {options}")


def test_all_options_in_any_case_and_order():
    command = parse_copy(
        """
        -- comments do not matter
        copy "Sales".Events ("Artist", level, ts) from 's3://logs/2018/11' /* nor these */
        maxerror as 5 gzip region as 'us-west-2' iam_role 'arn:aws:iam::0123456789012:role/Reader'
        timeformat as 'epochmillisecs' truncatecolumns blanksasnull emptyasnull acceptinvchars as '^'
        format as json as 's3://logs/paths.json' manifest compupdate off statupdate on;
        """
    )
    assert command == CopyCommand(
        schema="sales",
        table="events",
        columns=("artist", "level", "ts"),
        bucket="logs",
        prefix="2018/11",
        json="s3://logs/paths.json",
        manifest=True,
        compression="gzip",
        timeformat="epochmillisecs",
        maxerror=5,
        truncatecolumns=True,
        blanksasnull=True,
        emptyasnull=True,
        acceptinvchars="^",
        region="us-west-2",
        iam_role="arn:aws:iam::0123456789012:role/Reader",
    )
    assert command.url == "s3://logs/2018/11"


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("JSON", "auto"),
        ("JSON 'auto'", "auto"),
        ("JSON AS 'auto ignorecase'", "auto ignorecase"),
        ("AS JSON 'auto'", "auto"),
        ("FORMAT JSON 'auto'", "auto"),
        ("FORMAT AS JSON 's3://b/p'", "s3://b/p"),
    ],
)
def test_ways_to_write_the_format(spelling: str, expected: str):
    assert parse_copy(HEAD + spelling).json == expected


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("ACCEPTINVCHARS", "acceptinvchars", "?"),
        ("ACCEPTINVCHARS '#'", "acceptinvchars", "#"),
        ("MAXERROR 100000", "maxerror", 100_000),
        ("bzip2", "compression", "bzip2"),
        ("ZSTD", "compression", "zstd"),
        ("TIMEFORMAT 'auto'", "timeformat", "auto"),
        ("TIMEFORMAT 'epochsecs'", "timeformat", "epochsecs"),
    ],
)
def test_option(option: str, field: str, value: object):
    assert getattr(parse(option), field) == value


@pytest.mark.parametrize("mode", ["", "ON", "TRUE", "OFF", "FALSE"])
def test_updates_of_encodings_and_statistics_are_accepted(mode: str):
    """PostgreSQL has no encodings, and updates statistics by itself."""
    expected = parse("GZIP")
    assert parse(f"COMPUPDATE {mode} GZIP STATUPDATE {mode}") == parse("COMPUPDATE PRESET GZIP") == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("DELIMITER ','", "option DELIMITER is not supported by the local engine; supported: IAM_ROLE"),
        ("NULL AS 'x'", "option NULL is not supported"),
        ("DATEFORMAT 'auto'", "option DATEFORMAT is not supported"),
        ("ROUNDEC", "option ROUNDEC is not supported"),
        ("FROBNICATE", "option FROBNICATE is not supported"),
        ("TIMEFORMAT 'MM.DD.YYYY'", "TIMEFORMAT with a pattern is not supported"),
        ("TIMEFORMAT 'EPOCHSECS'", "TIMEFORMAT with a pattern"),
        ("GZIP GZIP", "give one of GZIP, BZIP2 and ZSTD"),
        ("BZIP2 ZSTD", "give one of GZIP, BZIP2 and ZSTD"),
        ("LZOP", "option LZOP is not supported by the local engine; supported: .* GZIP, BZIP2, ZSTD"),
        ("JSON 'auto'", "option JSON is given twice"),
        ("STATUPDATE ON STATUPDATE OFF", "option STATUPDATE is given twice"),
        ("STATUPDATE PRESET", "option PRESET is not supported"),
        ("IAM_ROLE default", "option IAM_ROLE is given twice"),
        ("MAXERROR 100001", "MAXERROR needs a number from 0 to 100000"),
        ("MAXERROR -1", "MAXERROR needs a number"),
        ("MAXERROR '5'", "MAXERROR needs a number"),
        ("ACCEPTINVCHARS 'ab'", "one ASCII character"),
        ("ACCEPTINVCHARS 'é'", "one ASCII character"),
        ("ACCESS_KEY_ID 'a' SECRET_ACCESS_KEY 'b'", "give either IAM_ROLE, or CREDENTIALS"),
        ("SESSION_TOKEN 'a'", "give either IAM_ROLE, or CREDENTIALS"),
        ("REGION", "REGION needs a string in single quotes at the end"),
        ("FORMAT", "FORMAT must be JSON"),
        ("; SELECT 1", "only one statement"),
        ("; ;", "only one statement"),
        (", GZIP", "is not supported by the local engine"),
    ],
)
def test_unsupported_option(options: str, message: str):
    with pytest.raises(CopySyntaxError, match=message):
        parse(options)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT 1", "expected COPY"),
        ("COPY t FROM STDIN", "FROM needs a string"),
        ("COPY t FROM 'dynamodb://table' IAM_ROLE default JSON", "FROM must be an S3 URL"),
        ("COPY t FROM 's3:///key' IAM_ROLE default JSON", "FROM must be an S3 URL"),
        ("COPY t FROM 's3://b/m' JSON MANIFEST ACCESS_KEY_ID 'a'", "give either IAM_ROLE"),
        ("COPY t FROM 's3://b' IAM_ROLE default JSON MANIFEST", "FROM must name the manifest file"),
        ("COPY t FROM 's3://b/k' IAM_ROLE default", "reads JSON only"),
        ("COPY t FROM 's3://b/k' IAM_ROLE default FORMAT CSV", "FORMAT must be JSON"),
        ("COPY t FROM 's3://b/k' IAM_ROLE default JSON 'noshred'", "'noshred' is not supported"),
        ("COPY t FROM 's3://b/k' IAM_ROLE default JSON 'AUTO'", "JSON takes 'auto', 'auto ignorecase' or"),
        ("COPY t FROM 's3://b/k' IAM_ROLE default JSON 's3://b/'", "full key of the JSONPaths file"),
        ("COPY t (a, A) FROM 's3://b/k' JSON", "listed twice"),
        ("COPY t () FROM 's3://b/k' JSON", "expected a column name"),
        ("COPY 't' FROM 's3://b/k' JSON", "expected a table name"),
        ("COPY a.b.c FROM 's3://b/k' JSON", "expected FROM"),
        ("COPY t FROM 's3://b/k", "not closed"),
    ],
)
def test_unsupported_statement(sql: str, message: str):
    with pytest.raises(CopySyntaxError, match=message):
        parse_copy(sql)


KEYS = [
    f"ACCESS_KEY_ID 'AKIAEXAMPLE' SECRET_ACCESS_KEY '{SECRET}'",
    f"ACCESS_KEY_ID 'AKIAEXAMPLE' SECRET_ACCESS_KEY '{SECRET}' SESSION_TOKEN '{SECRET}'",
    f"WITH CREDENTIALS AS 'aws_access_key_id=AKIAEXAMPLE;aws_secret_access_key={SECRET}'",
]


@pytest.mark.parametrize("keys", KEYS)
def test_keys_are_accepted_and_not_kept(keys: str):
    command = parse_copy(f"COPY t FROM 's3://b/k' {keys} JSON")
    assert SECRET not in repr(command)
    assert "AKIAEXAMPLE" not in repr(command)
    assert command.iam_role is None


@pytest.mark.parametrize(
    "tail",
    ["DELIMITER ','", f"'{SECRET}'", SECRET, f"x{SECRET} JSON", f"MAXERROR '{SECRET}'", f"'{SECRET}", f'"{SECRET}'],
)
@pytest.mark.parametrize("keys", KEYS)
def test_no_error_contains_a_secret(keys: str, tail: str):
    with pytest.raises(CopySyntaxError) as failure:
        parse_copy(f"COPY t FROM 's3://b/k' {keys} {tail}")
    assert SECRET.upper() not in str(failure.value).upper()
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__ or failure.value.__context__ is None


OPTIONS = {
    "GZIP": ("compression", "gzip"),
    "MANIFEST": ("manifest", True),
    "TRUNCATECOLUMNS": ("truncatecolumns", True),
    "MAXERROR 7": ("maxerror", 7),
    "TIMEFORMAT 'auto'": ("timeformat", "auto"),
    "FORMAT JSON 'auto ignorecase'": ("json", "auto ignorecase"),
    "IAM_ROLE 'r'": ("iam_role", "r"),
}


@given(st.permutations(sorted(OPTIONS)))
def test_the_order_of_options_does_not_matter(order: list[str]):
    command = parse_copy(f"COPY t FROM 's3://b/k' {' '.join(order)}")
    for field, value in OPTIONS.values():
        assert getattr(command, field) == value
