"""One run on a terminal: what is left for a person is a list, and nothing is claimed that was not measured."""

from __future__ import annotations

import io
from collections.abc import Sequence

from remediate.language.messages import use_language
from remediate.model.effect import ClientState
from remediate.model.measurement import PairMeasurement
from remediate.model.run import join_message
from remediate.report.run_text import show_run
from remediate.report.terminal import make_console
from tests.report.run_examples import measured_pairs, record_of_a_run

PAGE = "Maintenance > Security > Trusted CA certificate"


def print_run(message: str, pairs: Sequence[PairMeasurement] = ()) -> str:
    stream = io.StringIO()
    show_run(make_console(stream, color=False), record_of_a_run(message), {}, None, pairs)
    return stream.getvalue()


def test_the_steps_of_each_peer_share_their_page() -> None:
    steps = [f"On {peer}, open {PAGE} and delete CN={name}." for peer in ("expc2", "expc1") for name in ("a", "b")]

    text = print_run(join_message("4 steps are open.", steps))

    start = text.index("result: 4 steps are open.")
    assert text[start:].splitlines()[:7] == [
        "result: 4 steps are open.",
        f"  On expc2, open {PAGE} and delete:",
        "    ! CN=a.",
        "    ! CN=b.",
        f"  On expc1, open {PAGE} and delete:",
        "    ! CN=a.",
        "    ! CN=b.",
    ]


def test_a_run_that_measured_nothing_claims_nothing_of_clients() -> None:
    text = print_run("The run was interrupted.")

    assert "Not measured. This run measured no endpoint." in text
    assert "No client request was sent" not in text


def test_the_answer_of_a_card_is_french_in_whole() -> None:
    use_language("fr")

    pairs = [pair for pair in measured_pairs() if pair.client.state is ClientState.REACHED]

    text = print_run("Written and read back.", pairs)

    assert f"Succès : {len(pairs)} sur {len(pairs)}. Aucune requête n'a été refusée." in text
