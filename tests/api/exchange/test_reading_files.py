"""A file is read before anything else is done with it: outside of transactions, in its turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO

from casework.domain.exchange.importing import FileKind
from casework.workflows.exchange import importing
from casework.workflows.exchange.importing import NewImport
from tests.api.conftest import WORKER, Api
from tests.api.exchange.test_imports import ALPHA, PROVIDERS, TWO, sent
from tests.api.shared.test_hygiene import services


class Watching:
    """Reads files, and notes whether a connection of the database was held meanwhile."""

    def __init__(self, api: Api) -> None:
        self._pool: Any = api.application.engine.pool
        self._sheets = api.application.import_tools().sheets
        self.write, self.held = self._sheets.write, list[int]()

    def read(self, source: BinaryIO) -> Iterator[tuple[int, list[str]]]:
        """The rows."""
        for row in self._sheets.read(source):
            self.held.append(self._pool.checkedout())
            yield row


def test_a_file_is_read_outside_of_any_transaction(api: Api) -> None:
    watching = Watching(api)
    tools = replace(api.application.import_tools(), sheets=watching)
    with services(api, import_tools=tools):
        assert sent(api, WORKER, "residents", TWO).status_code == 201
    wanted = NewImport(kind=FileKind.RESIDENTS)
    importing.receive(api.context(WORKER), tools, wanted, BytesIO(TWO.encode()))
    assert set(watching.held) == {0}
    # The control: read in the middle of a transaction, as it once was, it is found.
    with api.context(WORKER).work("import.write"):
        list(watching.read(BytesIO(TWO.encode())))
    assert set(watching.held) == {0, 1}


def test_a_kind_that_one_may_not_send_is_refused_before_it_is_read(api: Api) -> None:
    watching = Watching(api)
    tools = replace(api.application.import_tools(), sheets=watching)
    with services(api, import_tools=tools):
        answer = sent(api, WORKER, "providers", PROVIDERS + ALPHA)
    assert (answer.status_code, watching.held) == (403, [])
