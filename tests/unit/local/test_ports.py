import socket
from pathlib import Path

from deploy.local import ports

NAMES = ("valkey", "postgres", "mail")


def test_the_ports_of_one_choice_differ_and_are_free(tmp_path: Path) -> None:
    chosen = ports.choose(tmp_path, NAMES)
    assert len(set(chosen.values())) == len(NAMES)
    assert all(ports.is_free(port) for port in chosen.values())


def test_ports_are_remembered(tmp_path: Path) -> None:
    assert ports.choose(tmp_path, NAMES) == ports.choose(tmp_path, NAMES)


def test_a_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    chosen = ports.choose(tmp_path, NAMES)
    with socket.create_server((ports.HOST, chosen["valkey"])):
        again = ports.choose(tmp_path, NAMES)
    assert again["valkey"] != chosen["valkey"]
    assert again["postgres"] == chosen["postgres"]


def test_a_memory_that_was_cut_short_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"valkey": 1')
    assert set(ports.choose(tmp_path, NAMES)) == set(NAMES)
