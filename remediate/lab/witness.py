"""A client of the lab's own, which signs in to each Expressway-E and asks for every endpoint through every peer."""

from __future__ import annotations

import base64
import http.client
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from remediate.lab.edge import Edge
from remediate.lab.errors import LabError
from remediate.lab.front import COOKIE, DOMAIN, FRONT_PORT, PASSED, PEER_HEADER, SIGN_IN, encode_target
from remediate.lab.state import SimulatedPeer
from remediate.lab.verdict import JudgeAnswer, JudgeName, Target

_ANSWER_S = 30.0


class Witness:
    """A client with an account of its own, whose requests are not in the lab's log.

    It signs in once to each edge, and again after its session ended there.
    """

    def __init__(self, edges: Sequence[Edge], login: tuple[str, str], judge: JudgeName) -> None:
        self._edges = tuple(edges)
        self._authorization = f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"
        self._judge = judge
        self._cookies: dict[str, str] = {}
        # The edges are the lab's own: a certificate would show nothing.
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE

    def ask(self, peer: SimulatedPeer, target: Target) -> JudgeAnswer:
        """Return what a client gets for an endpoint through a peer."""
        edge = next(edge for edge in self._edges if peer in edge.front.peers)
        status, body = self._send(edge, peer, target.mra_path)
        if status == 401:
            self._cookies.pop(edge.url, None)
            status, body = self._send(edge, peer, target.mra_path)
        text = body.strip()
        return JudgeAnswer(status, text if text and text != PASSED else None, self._judge)

    def ask_all(self, peers: Sequence[SimulatedPeer], targets: Sequence[Target]) -> dict[tuple[str, str, int], JudgeAnswer]:
        """Ask through every peer for every endpoint, the peers side by side."""
        for edge in self._edges:
            if edge.url not in self._cookies:
                self._sign_in(edge)
        with ThreadPoolExecutor(len(peers)) as pool:
            answers = pool.map(lambda peer: [self.ask(peer, target) for target in targets], peers)
            return {
                (peer.address, target.address, target.port): answer
                for peer, answers_of_peer in zip(peers, answers, strict=True)
                for target, answer in zip(targets, answers_of_peer, strict=True)
            }

    def _send(self, edge: Edge, peer: SimulatedPeer, path: str) -> tuple[int, str]:
        if edge.url not in self._cookies:
            status = self._sign_in(edge)
            if status != http.client.OK:
                return status, "The sign-in got no session"
        headers = {"Cookie": f"{COOKIE}={self._cookies[edge.url]}", PEER_HEADER: peer.address}
        status, body, _ = self._exchange(edge, f"/{path}/", headers)
        return status, body

    def _sign_in(self, edge: Edge) -> int:
        path = f"/{encode_target(DOMAIN)}/{SIGN_IN}"
        status, _, cookie = self._exchange(edge, path, {"Authorization": self._authorization})
        if status == http.client.OK:
            self._cookies[edge.url] = cookie.partition(";")[0].partition("=")[2]
        return status

    def _exchange(self, edge: Edge, path: str, headers: dict[str, str]) -> tuple[int, str, str]:
        """Return status, body and cookie of one answer."""
        connection = http.client.HTTPSConnection(edge.front.address, FRONT_PORT, timeout=_ANSWER_S, context=self._tls)
        try:
            connection.request("GET", path, headers={"Connection": "close", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace"), answer.getheader("Set-Cookie") or ""
        except (OSError, http.client.HTTPException) as error:
            raise LabError(f"The lab's Expressway-E {edge.name} did not answer: {error}.") from error
        finally:
            connection.close()
