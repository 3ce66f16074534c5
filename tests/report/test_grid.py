"""The grid at every width: no name, port or cause is split, and what is alike shares a row on a screen alone."""

from __future__ import annotations

import io
import re

import pytest

from remediate.model.identity import Address, EndpointId
from remediate.report.grid import GridRow, print_grid
from remediate.report.terminal import make_console

DOMAIN = "communications.example-entreprise.fr"
SITES = ("paris", "lyon1", "bruxelles", "madrid")
STYLES = {"✓": "green", "✗": "red", "✗→✓": "green"}


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def row(name: str, port: int, cells: tuple[str, ...], note: str = "", product: str = "cucm") -> GridRow:
    address = Address(f"{name}.{DOMAIN}")
    return GridRow(EndpointId(address, port), product, cells, note, not note)  # type: ignore[arg-type]  # a product


def rows(peers: int) -> list[GridRow]:
    broken = ("✗→✓",) * peers
    alike = [row(f"cucm-{site}-sub{number}", 8443, broken, "issuer-unknown") for site in SITES for number in (1, 2)]
    phones = [row(f"cucm-{site}-sub{number}", 6972, broken, "self-signed-untrusted") for site in SITES for number in (1, 2)]
    return [*phones, *alike, row("cucm-paris-pub", 8443, ("✓",) * peers)]


def printed(columns: int, peers: int, *, tty: bool = True, fold: bool = True, bands: tuple[str, ...] = ("",)) -> list[str]:
    stream: io.StringIO = Terminal() if tty else io.StringIO()
    console = make_console(stream, color=False)
    console.width = columns
    addresses = [f"expressway-c{number}.{DOMAIN}" for number in range(1, peers + 1)]
    grid = [GridRow(r.endpoint, r.product, r.cells * len(bands), r.note, r.is_good) for r in rows(peers)]
    print_grid(console, addresses, grid, STYLES, bands=bands, fold=fold)
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()


@pytest.mark.parametrize("peers", [1, 3, 6])
@pytest.mark.parametrize("columns", range(40, 201, 10))
def test_nothing_is_split_at_any_width(columns: int, peers: int) -> None:
    lines = printed(columns, peers)
    text = "\n".join(lines)

    assert all(line == line.rstrip() for line in lines)
    longest_name = len(f"peer 1 = expressway-c1.{DOMAIN}")
    assert max(map(len, lines)) <= max(columns, longest_name)
    for word in ("issuer-unknown", "self-signed-untrusted", "Sign-in (8443)", "Phone configuration (6972)", DOMAIN):
        assert word in text


def test_what_is_alike_shares_a_row_on_a_screen() -> None:
    lines = printed(80, 6)

    assert len(lines) <= 14
    assert any("and 7 more" in line or "and 6 more" in line for line in lines)


def test_a_cause_that_leaves_no_room_for_names_stands_below() -> None:
    lines = printed(80, 6, bands=("certificates", "clients"))

    cause = lines.index("    self-signed-untrusted")
    assert lines[cause - 1].split() == ["✗→✓"] * 12
    assert not any("self-signed-untrusted" in line for line in lines if line != lines[cause])


def test_without_folding_every_endpoint_has_its_row() -> None:
    text = "\n".join(printed(120, 6, fold=False))

    assert all(text.count(f"cucm-{site}-sub2") == 2 for site in SITES)


def test_a_pipe_has_whole_names_whatever_the_width() -> None:
    lines = printed(40, 6, tty=False)

    assert all(sum(line.startswith(f"cucm-{site}-sub1.{DOMAIN}:6972 ") for line in lines) == 1 for site in SITES)
    assert not any(line != line.rstrip() for line in lines)


def test_services_come_in_the_order_in_which_users_miss_them() -> None:
    text = "\n".join(printed(100, 3))

    assert text.index("Sign-in") < text.index("Phone configuration")


def test_what_is_broken_comes_before_what_is_good() -> None:
    text = "\n".join(printed(120, 3, fold=False))

    assert text.index("cucm-madrid-sub2") < text.index("cucm-paris-pub")


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_two_bands_have_their_titles(columns: int) -> None:
    text = "\n".join(printed(columns, 3, bands=("certificates", "clients")))

    assert "certificates" in text
    assert "clients" in text


def test_a_name_longer_than_the_screen_stands_alone() -> None:
    stream = Terminal()
    console = make_console(stream, color=False)
    console.width = 80
    long = "cucm-" + "x" * 70 + ".test"
    print_grid(console, ["expc1.test"], [GridRow(EndpointId(Address(long), 8443), "cucm", ("✗",), "expired", False)], STYLES)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()

    assert f"  {long}" in lines
    assert lines[lines.index(f"  {long}") + 1].split() == ["✗", "expired"]


def test_a_title_of_a_band_has_room_over_few_peers() -> None:
    stream = Terminal()
    console = make_console(stream, color=False)
    console.width = 100
    rows = [GridRow(EndpointId(Address("cucm.test"), 8443), "cucm", ("✗", "✓", "·", "·"), "expired", False)]
    print_grid(console, ["10.0.0.1", "10.0.0.2"], rows, STYLES, bands=("certificates", "clients"))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()

    assert lines[-4:] == [
        "            certificates  clients",
        "            1 2           1 2",
        "Sign-in (8443)",
        "  cucm.test ✗ ✓           · ·      expired",
    ]


@pytest.mark.parametrize(("columns", "heads"), [(80, ["1", "2", "3", "4", "5", "6"]), (120, [f"edge{n}" for n in range(1, 7)])])
def test_peers_are_columns_by_name_where_every_row_still_fits(columns: int, heads: list[str]) -> None:
    addresses = [f"192.0.2.{number}" for number in range(1, 7)]
    names = {Address(address): f"edge{number}.uc.test" for number, address in enumerate(addresses, start=1)}
    stream = Terminal()
    console = make_console(stream, color=False)
    console.width = columns
    print_grid(console, addresses, rows(6), STYLES, system_names=names)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()

    legend = "1 = edge1 (192.0.2.1)" if columns == 80 else "edge1 = 192.0.2.1"
    assert legend in lines[0]
    assert heads in [line.split() for line in lines]
