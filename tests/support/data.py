"""Small events and songs for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.lab import Lab


def event(time: str, session: int | None = 1, item: int | None = 0, **fields: Any) -> dict[str, Any]:
    """Return an event as the app logs it.

    :param time: ISO 8601, UTC.
    """
    moment = datetime.fromisoformat(time).replace(tzinfo=UTC)
    return {
        "artist": "Des'ree",
        "auth": "Logged In",
        "firstName": "Kaylee",
        "gender": "F",
        "itemInSession": item,
        "lastName": "Summers",
        "length": 246.30812,
        "level": "free",
        "location": "Phoenix-Mesa-Scottsdale, AZ",
        "method": "PUT",
        "page": "NextSong",
        "registration": 1540344794796.0,
        "sessionId": session,
        "song": "You Gotta Be",
        "status": 200,
        "ts": int(moment.timestamp() * 1000),
        "userAgent": '"Mozilla/5.0 (Windows NT 6.1; WOW64) Chrome/35.0.1916.153 Safari/537.36"',
        "userId": "8",
        **fields,
    }


def song(song_id: str, **fields: Any) -> dict[str, Any]:
    """Return the metadata of a song."""
    return {
        "artist_id": "AR1",
        "artist_latitude": None,
        "artist_location": "London",
        "artist_longitude": None,
        "artist_name": "Des'ree",
        "duration": 246.30812,
        "num_songs": 1,
        "song_id": song_id,
        "title": "You Gotta Be",
        "year": 1994,
        **fields,
    }


def source_fields(lab: Lab) -> list[tuple[Any, ...]]:
    """Return the sampled fields, without what depends on the bucket, on the clock, and on how objects form batches."""
    return lab.query(
        "SELECT table_name, period_start, field_name, column_name, json_type, SUM(occurrences), "
        f"MIN(REPLACE(file_name, '{lab.bucket}', '')), MIN(line_number) FROM operations.source_fields "
        "WHERE period_start IS NOT NULL OR json_type <> 'missing' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"
    )
