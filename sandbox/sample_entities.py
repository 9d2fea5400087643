"""The artists, songs and users of the generated data.

Every name is composed from the word lists below, by number: song 17 of seed 42 is always the same song, so nothing is
stored and a catalogue of any size takes no memory.

Only :meth:`random.Random.random` is used: it is the only method that guarantees the same sequence in every Python
version (https://docs.python.org/3/library/random.html#notes-on-reproducibility).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


def _words(text: str) -> list[str]:
    return text.split()


# fmt: off
ADJECTIVES = _words(
    "Amber Azul Bitter Blind Blue Bright Broken Burning Café Calm Careless Cold Crimson Crooked Dancing "
    "Distant Dizzy Drifting Dusty Early Electric Élan Empty Endless Faded Falling Feral Fragile Frozen "
    "Gentle Gilded Golden Größere Hidden Hollow Honest Humble Hungry Idle Invisible Iron Jagged Jolly "
    "Kind Last Late Lazy Little Lonely Long Lost Loud Lucky Midnight Mild Naïve Narrow Neon Nervous Noble "
    "Nova Odd Old Pale Paper Patient Plastic Proud Purple Quiet Restless Río Rolling Rusty Sacred Salty "
    "Second Shallow Silent Silver Simple Sleepy Slow Small Soft Southern Spare Static Stolen Strange "
    "Sudden Sweet Tender Thirsty Tiny Twisted Velvet Violet Wandering Warm Wild"
)
NOUNS = _words(
    "Anchor Apple Arrow Atlas Attic Avenue Balcony Ballroom Basement Beacon Bell Bicycle Bird Boulevard "
    "Bridge Candle Canyon Carnival Castle Cathedral Chapel Cinema Circle Circus Clock Cloud Coast Cœur "
    "Comet Compass Corner Cousin Crow Curtain Daughter Desert Diamond Doctor Door Dream Driver Echo "
    "Elevator Ember Engine Family Feather Festival Field Fire Fjörd Flame Flower Forest Fountain Fox "
    "Garden Ghost Giant Glass Guitar Harbor Heart Highway Holiday Horizon Hotel Hour Island Jacket Jungle "
    "Kettle Kitchen Ladder Lake Lantern Letter Lion Łódka Lullaby Machine Magnet Mañana Market Meadow "
    "Mirror Moon Morning Mother Mountain Museum Night Ocean Orchard Palace Parade Pavement Pearl Piano "
    "Pilot Planet Pocket Radio Rain River Road Room Sailor Season Shadow Shore Sister Sky Smile Snow "
    "Stairway Star Station Stone Storm Straße Stranger Street Summer Sunday Theatre Thunder Tiger Tower "
    "Train Tunnel Umbrella Valley Village Voice Wagon Water Whisper Wind Window Winter Wolf Wonder Yard "
    "Море 夜"
)
TITLES = (
    "{a} {n}", "The {a} {n}", "My {a} {n}", "{n} of the {a}", "{a} Like a {n}", "Don't Wake the {a} {n}",
    "{a} {n} (Live)", "{a} {n} (Album Version)", "{n}, {a} {n}", "Waiting for a {a} {n}", "{n} / {a} Days",
    'The "{a}" {n}', "I Was a {a} {n}", "Goodbye {a} {n}", "{n} Is {a}", "Too {a} for the {n}", "{a} & {n}",
    "{n} (In a {a} Mood)",
)
BANDS = (
    "The {a} {n}", "{a} {n}", "{a} {n}s", "DJ {a} {n}", "{n} and the {a}s", "{a} {n} Orchestra",
    "MC {n} {a}", "{n} & {a}", "Los {n} {a}", "{a} {n} Trio",
)
FIRST_NAMES = {
    "F": _words(
        "Ada Amélie Aria Brenda Carla Chloe Daisy Dora Ella Emilia Fiona Gloria Hana Ines Isla Ivy "
        "Jasmine Judith Kira Lena Lily Mara Mia Nadia Nora Olive Paula Priya Rosa Ruth Sofía Stella "
        "Tessa Uma Vera Wendy Yara Zoë"
    ),
    "M": _words(
        "Adam Aiden Amir Boris Caleb Cedric Dario Dylan Elias Ethan Felix Gavin Hector Hugo Ivan "
        "Jonas José Karim Leon Liam Marco Milo Nathan Nils Omar Oscar Pablo Quinn Ravi Rory Samuel "
        "Theo Tobias Umar Viktor Wes Yusuf Zane"
    ),
}
LAST_NAMES = _words(
    "Abbott Acosta Adeyemi Baker Barros Bennett Björk Brandt Carver Chen Costa Cruz D'Angelo Dalton Diaz "
    "Ellison Evans Farrow Fischer Flores Garner Gupta Haas Hale Hwang Ivers Jansen Jensen Kaplan Kelly "
    "Kowalski Lambert Lee Lindqvist Lowell Mercer Moreau Müller Nash Nguyen Núñez O'Hara Okafor Ortega "
    "Park Patel Pierce Quigley Ramsey Reyes Rossi Santos Sato Shaw Singh Stone Tanaka Torres Ueda Vance "
    "Vega Walsh Weber Whitaker Xu Young Zapata Zimmer"
)
# The largest metropolitan areas first: they have the most listeners.
METROS = (
    "New York-Newark-Jersey City, NY-NJ-PA", "Los Angeles-Long Beach-Anaheim, CA",
    "Chicago-Naperville-Elgin, IL-IN-WI", "Dallas-Fort Worth-Arlington, TX",
    "Houston-The Woodlands-Sugar Land, TX", "Washington-Arlington-Alexandria, DC-VA-MD-WV",
    "Miami-Fort Lauderdale-West Palm Beach, FL", "Philadelphia-Camden-Wilmington, PA-NJ-DE-MD",
    "Boston-Cambridge-Newton, MA-NH", "Phoenix-Mesa-Scottsdale, AZ", "San Francisco-Oakland-Hayward, CA",
    "Detroit-Warren-Dearborn, MI", "Seattle-Tacoma-Bellevue, WA", "Minneapolis-St. Paul-Bloomington, MN-WI",
    "San Diego-Carlsbad, CA", "Tampa-St. Petersburg-Clearwater, FL", "St. Louis, MO-IL",
    "Denver-Aurora-Lakewood, CO", "Baltimore-Columbia-Towson, MD", "Charlotte-Concord-Gastonia, NC-SC",
    "Pittsburgh, PA", "Portland-Vancouver-Hillsboro, OR-WA", "San Antonio-New Braunfels, TX",
    "Sacramento--Roseville--Arden-Arcade, CA", "Kansas City, MO-KS", "Cleveland-Elyria, OH", "Columbus, OH",
    "San Juan-Carolina-Caguas, PR", "Nashville-Davidson--Murfreesboro, TN",
    "Milwaukee-Waukesha-West Allis, WI", "Oklahoma City, OK", "Salt Lake City, UT", "Tucson, AZ",
    "Urban Honolulu, HI", "Madison, WI", "Spokane-Spokane Valley, WA", "Santa Fe, NM", "Ithaca, NY",
    "Bozeman, MT", "Juneau, AK",
)
# The homes of artists: a place, its latitude and longitude in degrees.
PLACES = (
    ("New York, NY", 40.71278, -74.00594), ("Los Angeles, CA", 34.05223, -118.24368),
    ("Austin, TX", 30.26715, -97.74306), ("London, England", 51.50735, -0.12776),
    ("Berlin, Germany", 52.52001, 13.40495), ("Paris, France", 48.85661, 2.35222),
    ("São Paulo, Brazil", -23.55052, -46.63331), ("Malmö, Sweden", 55.60498, 13.00382),
    ("Tokyo, Japan", 35.68949, 139.69171), ("Lagos, Nigeria", 6.52438, 3.37921),
    ("Montréal, Québec", 45.50169, -73.56726), ("Melbourne, Australia", -37.81363, 144.96306),
    ("Glasgow, Scotland", 55.86424, -4.25181), ("Kraków, Poland", 50.06465, 19.94498),
    ("Medellín, Colombia", 6.2442, -75.58121), ("Portland, OR", 45.51223, -122.65872),
    ("Athens, GA", 33.95193, -83.35757), ("Zürich, Switzerland", 47.37689, 8.54169),
    ("Dublin, Ireland", 53.34981, -6.26031), ("Reykjavík, Iceland", 64.14661, -21.94261),
    ("Detroit / Windsor", 42.31494, -83.03638),
)
# Chrome and Safari report themselves in quotes, Firefox and Internet Explorer without.
_CHROME = '"Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537.36"'
_FIREFOX = "Mozilla/5.0 ({0}; rv:{1}) Gecko/20100101 Firefox/{1}"
_IOS = (
    '"Mozilla/5.0 ({0}; CPU {1} like Mac OS X) AppleWebKit/{2} (KHTML, like Gecko) '
    'Version/{3} Mobile/{4} Safari/{5}"'
)
_DESKTOPS = ("Windows NT 6.1; WOW64", "Macintosh; Intel Mac OS X 10_13_6", "X11; Linux x86_64")
AGENTS = [
    *(_CHROME.format(system, build) for system in _DESKTOPS for build in ("70.0.3538.77", "49.0.2623.112")),
    *(_FIREFOX.format(system.replace("10_13_6", "10.13"), v) for system in _DESKTOPS for v in ("63.0", "31.0")),
    '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_13_6) AppleWebKit/605.1.15 (KHTML, like Gecko) '
    'Version/12.0 Safari/605.1.15"',
    _IOS.format("iPhone", "iPhone OS 12_0", "605.1.15", "12.0", "15E148", "604.1"),
    _IOS.format("iPad", "OS 9_3_5", "601.1.46", "9.0", "13G36", "601.1"),
    _CHROME.format("Linux; Android 8.0.0; SM-G950U", "69.0.3497.100 Mobile"),
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)",
]
# fmt: on
# Deciles of the songs' durations, in seconds.
DECILES = (20.0, 140.0, 174.0, 196.0, 213.0, 230.0, 248.0, 270.0, 302.0, 366.0, 900.0)
# The artists that the first song may be by.
ARTISTS = 12
CODES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def spell(value: object) -> str:
    r"""Return JSON in the spelling of the public data: non-ASCII letters as \uXXXX, and a slash as \/."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def skewed(random: Random, values: Sequence[T]) -> T:
    """Return one of the values; the first ones are the most likely."""
    draw = random.random()
    return values[int(draw * draw * len(values))]


class Person(NamedTuple):
    """A user's attributes, which never change."""

    first: str
    last: str
    gender: str
    location: str
    agent: str


def person(random: Random) -> Person:
    """Return a random person."""
    gender = "F" if random.random() < 0.55 else "M"
    first = skewed(random, FIRST_NAMES[gender])
    return Person(first, skewed(random, LAST_NAMES), gender, skewed(random, METROS), skewed(random, AGENTS))


class Artist(NamedTuple):
    """An artist; the coordinates are in degrees, None if unknown."""

    artist_id: str
    name: str
    location: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class Track:
    """A song; its duration is in seconds, its year 0 if unknown."""

    track_id: str
    song_id: str
    title: str
    artist: Artist
    credit: str
    duration: float
    year: int

    def document(self) -> bytes:
        """Return the song's JSON; numeric names are numbers, as in the public data."""
        return spell(
            {
                "artist_id": self.artist.artist_id,
                "artist_latitude": self.artist.latitude,
                "artist_location": self.artist.location,
                "artist_longitude": self.artist.longitude,
                "artist_name": int(self.credit) if self.credit.isdecimal() else self.credit,
                "duration": self.duration,
                "num_songs": 1,
                "song_id": self.song_id,
                "title": int(self.title) if self.title.isdecimal() else self.title,
                "year": self.year,
            }
        ).encode()


class Music:
    """All songs that can be played: first those of the catalogue, then those without metadata.

    Title and artist together are unique, so a play has one length and belongs to one song.

    :param seed: another seed gives other songs.
    :param songs: the number of songs in the catalogue.
    """

    def __init__(self, seed: int, songs: int) -> None:
        self.seed = seed
        self.songs = songs
        self.others = max(10_000, 20 * songs)
        self.play = lru_cache(maxsize=32_768)(self._play)
        self._artist = lru_cache(maxsize=8_192)(self.artist)

    def artist(self, number: int) -> Artist:
        """Return the artist with a number."""
        random = Random(f"{self.seed}/artist/{number}")
        code = _code(random, CODES + "0123456789")
        # As in the public data, a few names are numeric.
        name = str(200 + number) if number % 149 == 148 else _name(number, self.seed, BANDS)
        artist_id = f"AR{code}1187B{(number * 0x9E3779 + self.seed) % 2**24:06X}"
        known = random.random()
        if known < 0.45:
            return Artist(artist_id, name, "", None, None)
        place, latitude, longitude = skewed(random, PLACES)
        if known < 0.65:
            return Artist(artist_id, name, place, None, None)
        if known > 0.995:  # the public data has places longer than a VARCHAR(256)
            place = "; ".join(skewed(random, PLACES)[0] for _ in range(24))
        return Artist(artist_id, name, place, latitude, longitude)

    def track(self, number: int) -> Track:
        """Return the song with a number; those below :attr:`songs` are in the catalogue."""
        cover = number % 25 == 24  # by another artist than the original, which is the song before it
        random = Random(f"{self.seed}/track/{number}")
        draw = Random(f"{self.seed}/track/{number - 1}").random() if cover else random.random()
        # The pool grows with the songs: the popular ones, which come first, are by few artists.
        pool = ARTISTS + (number - cover) // 3
        artist = self._artist((int(draw * pool) + cover) % pool)
        credit = artist.name
        if random.random() < 0.06:
            guest = self._artist(int(random.random() * pool)).name
            credit += f" / {guest}" if random.random() < 0.2 else f" feat. {guest}"
        original = number - cover
        title = str(100 + original // 331) if original % 331 == 330 else _name(original, self.seed, TITLES)
        tenth, part = divmod(random.random() * 10, 1)
        low, high = DECILES[int(tenth) : int(tenth) + 2]
        year = 0 if random.random() < 0.3 else 2010 - int(50 * random.random() * random.random())
        code = _code(random, CODES)
        return Track(
            f"TRA{code[1:]}128F{(number * 0x9E3779B + self.seed) % 2**28:07X}",
            f"SO{code}12A{(number * 0x9E3779B1 + self.seed) % 2**32:08X}",
            title,
            artist,
            credit,
            round(low + part * (high - low), 5),
            year,
        )

    def choose(self, random: Random, share: float) -> int:
        """Return the number of a random song; low numbers are the most popular, by Zipf's law.

        :param share: the probability that it is in the catalogue, 0 to 1.
        """
        first, size = (0, self.songs) if random.random() < share else (self.songs, self.others)
        # Zipf-Mandelbrot with offset 10, inverted: no table of the songs' weights is needed.
        return first + min(int(10 * ((size + 10) / 10) ** random.random() - 10), size - 1)

    def _play(self, number: int) -> tuple[str, str, str, int]:
        track = self.track(number)
        # Whole seconds: the public data starts the next song when the last full second of this one is over.
        return spell(track.credit), spell(track.duration), spell(track.title), int(track.duration) * 1000


def _code(random: Random, alphabet: str) -> str:
    return "".join([alphabet[int(random.random() * len(alphabet))] for _ in range(5)])


def _name(number: int, seed: int, patterns: Sequence[str]) -> str:
    """Return the name with a number; names are unique."""
    count = len(patterns) * len(ADJECTIVES) * len(NOUNS)
    # A prime that divides no list's length: adjacent names differ, and every name occurs once per round.
    rest, pattern = divmod((number * 1_000_003 + seed * 7_919) % count, len(patterns))
    noun, adjective = divmod(rest, len(ADJECTIVES))
    name = patterns[pattern].format(a=ADJECTIVES[adjective], n=NOUNS[noun])
    return name if number < count else f"{name}, Part {number // count + 1}"
