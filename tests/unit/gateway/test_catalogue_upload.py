"""Files of items: what counts, and what is reported of the rest."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest

from headrace.contracts.items import NewItem, Price
from headrace.errors import InvalidInput, Unavailable
from services.gateway.catalogue.lines import LINE_BYTES, Format
from services.gateway.catalogue.upload import BATCH, LINES_TOLD, UNDER_WAY, Report, Upload


class Shelf:
    """Keeps what is stored, refuses repeats in a batch, and counts batches."""

    def __init__(self) -> None:
        self.items: dict[str, NewItem] = {}
        self.batches: list[int] = []
        self.away_after = 10**9

    async def store(self, items: Sequence[NewItem]) -> None:
        if len(self.batches) >= self.away_after:
            raise Unavailable("Postgres did not answer")
        assert len({item.item_id for item in items}) == len(items)
        self.batches.append(len(items))
        self.items.update({item.item_id: item for item in items})


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def upload(
    shelf: Shelf,
    data: bytes | str,
    format: Format = "csv",  # noqa: A002
    size: int = 7,
) -> Report:
    encoded = data.encode() if isinstance(data, str) else data
    return await Upload(shelf.store).run(pieces(encoded, size), format)


HEADER = (
    "item_id,title,description,categories,tags,price,currency,picture_url,availability,"
    "publish_at,expire_at,attributes.year,text_attributes.brand\n"
)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_every_column_of_a_csv_arrives(shelf: Shelf, mark: str, end: str, size: int) -> None:
    line = (
        '1,"Knife, ""big""","Two\nlines",Home>Kitchen|Gifts,steel | new,19.99,EUR,/1.jpg,preorder,'
        "2026-01-01T00:00:00Z,,2026,Mill\n"
    )
    report = await upload(shelf, mark + (HEADER + line).replace("\n", end), size=size)
    assert (report.stored, report.refused, report.lines) == (1, 0, [])
    assert shelf.items["1"] == NewItem(
        item_id="1",
        title='Knife, "big"',
        description=f"Two{end}lines",
        categories=("Home > Kitchen", "Gifts"),
        tags=("steel", "new"),
        price=Price(amount=1999, currency="EUR"),
        picture_url="/1.jpg",
        availability="preorder",
        publish_at=datetime(2026, 1, 1, tzinfo=UTC),
        attributes={"year": 2026.0},
        text_attributes={"brand": "Mill"},
    )


@pytest.mark.parametrize("delimiter", [";", "\t"])
async def test_other_delimiters_are_recognised(shelf: Shelf, delimiter: str) -> None:
    await upload(shelf, delimiter.join(("item_id", "title")) + "\n" + delimiter.join(("1", "A, B")))
    assert shelf.items["1"].title == "A, B"


@pytest.mark.parametrize("delimiter", [";", "\t"])
async def test_where_commas_part_no_cells_they_begin_decimals(shelf: Shelf, delimiter: str) -> None:
    lines = (
        ("item_id", "title", "price", "currency", "attributes.width"),
        ("1", "A, 5", "49,90", "EUR", "-0,5"),
        ("2", "B", "49.90", "EUR", "2"),
        ("3", "C", "1.234,50", "EUR", "1"),
        ("4", "D", "1,234", "EUR", "1"),
    )
    report = await upload(shelf, "\n".join(delimiter.join(line) for line in lines))
    first, second = shelf.items["1"], shelf.items["2"]
    assert first.title == "A, 5"
    assert first.price == second.price == Price(amount=4990, currency="EUR")
    assert first.attributes == {"width": -0.5}
    # Dots and commas may be thousands; guessing would sell for a thousandth.
    assert [(one.line, one.column) for one in report.lines] == [(4, "price"), (5, "price")]


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("1", "", "1 cells, the header has 4"),
        ("1,,5,EUR", "title", "Field required"),
        ("1,A,5.999,EUR", "price", "2 decimals"),
        ("1,A,5.5,JPY", "price", "0 decimals"),
        ("1,A,cheap,EUR", "price", "must be a number"),
        ("1,A,-1,EUR", "price", "from 0"),
        ("1,A,NaN,EUR", "price", "from 0"),
        ("1,A,5,", "currency", "missing"),
        ("1,A,5,eur", "price.currency", "pattern"),
        (f"1,{'x' * 501},5,EUR", "title", "500"),
        ('1,"A"B,5,EUR', "", "CSV"),
    ],
)
async def test_a_broken_line_is_told_and_the_others_count(
    shelf: Shelf, line: str, column: str, reason: str
) -> None:
    text = f"item_id,title,price,currency\n0,Before,1,EUR\n{line}\n2,After,1,EUR\n"
    report = await upload(shelf, text)
    assert (report.stored, report.refused, set(shelf.items)) == (2, 1, {"0", "2"})
    (refused,) = report.lines
    assert (refused.line, refused.column) == (3, column)
    assert reason in refused.reason


async def test_bytes_that_are_not_utf_8_refuse_their_line_alone(shelf: Shelf) -> None:
    report = await upload(shelf, b"item_id,title\n1,caf\xe9\n2,caf\xc3\xa9\n")
    assert [(one.line, one.column) for one in report.lines] == [(2, "")]
    assert "byte 6 of the line is 0xe9" in report.lines[0].reason
    assert shelf.items["2"].title == "café"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
async def test_a_file_in_another_encoding_is_refused_as_a_whole(
    shelf: Shelf, encoding: str
) -> None:
    with pytest.raises(InvalidInput, match="must be UTF-8"):
        await upload(shelf, "item_id,title\n1,A\n".encode(encoding))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("item_id,name", "'name' is none of"),
        ("item_id,price", "title is missing"),
        ("item_id,title,title", "twice"),
        ("item_id,title,attributes.", "none of"),
    ],
)
async def test_a_header_that_cannot_be_used_is_told(shelf: Shelf, header: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=f"header: .*{reason}"):
        await upload(shelf, f"{header}\n1,A\n")


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("{", ""),
        ("[]", ""),
        ("[" * 100_000, ""),
        ('{"item_id": "1"}', "title"),
        ('{"item_id": "1", "title": "A", "price": {"amount": 1}}', "price.currency"),
        ('{"item_id": "1", "title": "A", "colour": "red"}', "colour"),
        ('{"item_id": "1", "title": "A\\u0000"}', "title"),
    ],
)  # fmt: skip
async def test_json_lines_are_checked_one_by_one(shelf: Shelf, line: str, column: str) -> None:
    text = f'{{"item_id": "0", "title": "Before"}}\n{line}\n\n{{"item_id": "2", "title": "After"}}'
    report = await upload(shelf, text, "json_lines", size=1_000)
    assert [(one.line, one.column) for one in report.lines] == [(2, column)]
    assert set(shelf.items) == {"0", "2"}


@pytest.mark.parametrize("format", ["csv", "json_lines"])
async def test_a_line_without_end_takes_no_memory_and_ends_at_the_next_one(
    shelf: Shelf,
    format: Format,  # noqa: A002
) -> None:
    endless = b"x" * (3 * LINE_BYTES)
    if format == "csv":
        data = b"item_id,title\n" + endless + b"\n2,After\n"
    else:
        data = endless + b'\n{"item_id": "2", "title": "After"}\n'
    report = await upload(shelf, data, format, size=64 * 1024)
    assert report.refused == 1
    assert "longer than" in report.lines[0].reason
    assert set(shelf.items) == {"2"}


async def test_a_quote_that_is_never_closed_is_told_with_the_line_that_opens_it(
    shelf: Shelf,
) -> None:
    report = await upload(shelf, 'item_id,title\n1,A\n2,"B\n3,C\n')
    assert set(shelf.items) == {"1"}
    assert [(one.line, one.reason) for one in report.lines] == [
        (3, "a quote is opened and never closed")
    ]


async def test_the_later_of_two_lines_with_one_id_counts(shelf: Shelf) -> None:
    report = await upload(shelf, "item_id,title\n1,First\n1,Second\n")
    assert (report.stored, shelf.items["1"].title) == (2, "Second")


class SlowShelf(Shelf):
    """Stores a batch once so many are under way, and the first one long after that."""

    def __init__(self, at_once: int) -> None:
        super().__init__()
        self._at_once = at_once
        self._under_way = 0
        self._enough = asyncio.Event()

    async def store(self, items: Sequence[NewItem]) -> None:
        self._under_way += 1
        turns = 1_000 if self._under_way == 1 else 0
        if self._under_way == self._at_once:
            self._enough.set()
        await asyncio.wait_for(self._enough.wait(), 10.0)
        for _ in range(turns):
            await asyncio.sleep(0)
        await super().store(items)


def numbered(count: int) -> str:
    return "".join(f"{n},Item {n}\n" for n in range(count))


async def test_batches_are_stored_while_others_are_read() -> None:
    shelf = SlowShelf(at_once=UNDER_WAY)
    report = await upload(shelf, "item_id,title\n" + numbered(5 * BATCH), size=5_000)
    assert (report.stored, len(shelf.items), len(shelf.batches)) == (5 * BATCH, 5 * BATCH, 5)


async def test_the_later_of_two_lines_counts_where_the_earlier_is_still_being_stored() -> None:
    shelf = SlowShelf(at_once=1)
    again = f"{BATCH - 1},Later\n"
    report = await upload(shelf, f"item_id,title\n{numbered(2 * BATCH)}{again}", size=5_000)
    assert (report.stored, len(shelf.items)) == (2 * BATCH + 1, 2 * BATCH)
    assert shelf.items[str(BATCH - 1)].title == "Later"


async def test_the_first_batch_that_fails_is_told_and_the_others_end() -> None:
    shelf = SlowShelf(at_once=UNDER_WAY)
    shelf.away_after = 1
    with pytest.raises(Unavailable, match=r"Postgres did not answer\. About"):
        await upload(shelf, "item_id,title\n" + numbered(3 * BATCH), size=5_000)
    assert len(asyncio.all_tasks()) == 1


async def test_one_broken_line_in_a_hundred_leaves_the_others(shelf: Shelf) -> None:
    lines = [f"{n},Item {n}" if n % 100 else f"{n}" for n in range(2_000)]
    report = await upload(shelf, "item_id,title\n" + "\n".join(lines), size=5_000)
    assert (report.stored, report.refused, len(shelf.items)) == (1_980, 20, 1_980)
    assert max(shelf.batches) == BATCH


async def test_a_report_is_bounded(shelf: Shelf) -> None:
    report = await upload(shelf, "item_id,title\n" + "x\n" * (LINES_TOLD + 5), size=5_000)
    assert (report.refused, len(report.lines)) == (LINES_TOLD + 5, LINES_TOLD)


async def test_what_was_stored_before_the_store_went_away_is_told(shelf: Shelf) -> None:
    shelf.away_after = 1
    lines = "\n".join(f"{n},Item" for n in range(BATCH + 1))
    with pytest.raises(Unavailable, match=f"About {BATCH} lines were stored"):
        await upload(shelf, f"item_id,title\n{lines}\n", size=5_000)


async def test_an_empty_file_stores_nothing(shelf: Shelf) -> None:
    assert (await upload(shelf, "")).stored == 0
