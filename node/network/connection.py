"""One TLS connection: hello first, then frames; what a peer may do wrong ends here, with a reason."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, cast

import structlog

from node.network.directory import Directory, Peer
from node.network.errors import HandshakeError, NetworkError, ProtocolViolation
from node.network.frames import (
    PAYLOAD_MAX,
    Channel,
    Frame,
    FrameReader,
    Ping,
    check_hello,
    control,
    encode_frame,
    encode_hello,
    encode_ping,
    encode_pong,
)
from node.network.outbox import Outbox

__all__ = ["HELLO_TIMEOUT_S", "IDLE_TIMEOUT_S", "PING_AFTER_S", "Connection", "Owner"]

HELLO_TIMEOUT_S = 5.0  # from the end of the TLS handshake to the hello
HELLO_BYTES_MAX = 4096  # waiting, before there is a hello
PING_AFTER_S = 2.0  # of silence
IDLE_TIMEOUT_S = 10.0  # of silence, then the connection counts as dead
FRAMES_AT_ONCE = 32  # handled before others have their turn: one read may hold ten thousand
WRITE_BUFFER_HIGH = 256 * 1024  # bytes below us, out of reach of priorities; more waits in the outbox

_log = structlog.get_logger(room="network")


class Owner(Protocol):
    """Who keeps the connections. Called on the event loop, never from another thread."""

    genesis_id: bytes
    directory: Directory

    def made(self, connection: Connection) -> None:
        """TLS is up, and the peer is known. The owner may abort the connection at once (too many)."""

    def opened(self, connection: Connection) -> None:
        """The hello is good. The owner may close the connection at once (a duplicate)."""

    def received(self, connection: Connection, frame: Frame) -> None:
        """A frame other than control. Raises `ProtocolViolation` to close the connection."""

    def closed(self, connection: Connection, reason: str) -> None:
        """The connection is gone. Called once for each connection that was made."""


class Connection(asyncio.Protocol):
    """A connection to one peer. `peer` is known from the certificate once `is_open`."""

    def __init__(self, owner: Owner, *, expected: Peer | None) -> None:
        """`expected` is the peer that was dialled; None for a connection that came in."""
        self._owner = owner
        self._expected = expected
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = FrameReader()
        self._outbox = Outbox()
        self._writable = True
        self._resting = False  # whole frames wait for this connection's next turn
        self._reason = ""
        self._hello_timer: asyncio.TimerHandle | None = None
        self._ping_sent: tuple[int, float] | None = None
        self.is_open = False
        self.broke_a_rule = False
        """Whether it ended because the peer did what no honest peer does."""
        self.peer: Peer | None = expected
        self.opened_at = 0.0  # loop time, seconds
        self.heard_at = self._loop.time()  # loop time, seconds
        self.round_trip_s: float | None = None

    @property
    def dialled(self) -> bool:
        """Whether this node opened the connection."""
        return self._expected is not None

    @property
    def reason(self) -> str:
        """Why this node ended the connection; empty if it did not."""
        return self._reason

    @property
    def dropped(self) -> int:
        """Gossip frames given up because the peer was slow."""
        return self._outbox.dropped

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS is up: identify the peer, say hello, wait for its hello."""
        self._transport = stream = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        stream.set_write_buffer_limits(high=WRITE_BUFFER_HIGH)
        try:
            self.peer = self._identify(stream)
        except NetworkError as error:
            self.abort(str(error))
            return
        self._owner.made(self)
        if self._reason:
            return
        self._hello_timer = self._loop.call_later(HELLO_TIMEOUT_S, self.abort, "no hello in time")
        stream.write(encode_hello(self._owner.genesis_id))

    def data_received(self, data: bytes) -> None:
        """Bytes arrived: handle the whole frames in them, some at a time."""
        if self._reason:
            return  # it is being closed
        self.heard_at = self._loop.time()
        self._reader.feed(data)
        if not self._resting:
            self._take_frames()

    def pause_writing(self) -> None:
        """The transport below is full: frames wait in the outbox."""
        self._writable = False

    def resume_writing(self) -> None:
        """The transport below took everything: send what waited."""
        self._writable = True
        while self._writable and self._transport is not None and (frame := self._outbox.take()) is not None:
            self._transport.write(frame)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, by either side's will."""
        self._transport = None
        self.is_open = False
        if self._hello_timer is not None:
            self._hello_timer.cancel()
        self._owner.closed(self, self._reason or (f"lost: {error}" if error else "closed by the peer"))

    # what the owner calls

    def send(self, channel: Channel, payload: bytes) -> bool:
        """Send now or as soon as the peer reads; never blocks, raises nothing. False if the message is lost.

        It is if the connection is closed, or if it is larger than the channel carries: a fault of this node's, logged.
        """
        if len(payload) > PAYLOAD_MAX[channel]:
            _log.error("a message is too large to be sent", channel=channel.name.lower(), size=len(payload))
            return False
        return self._write(channel, encode_frame(channel, payload))

    def tick(self, now: float) -> None:
        """Ping a silent peer, give up on a dead one. `now` is loop time in seconds."""
        silence = now - self.heard_at
        if silence > IDLE_TIMEOUT_S:
            self.abort(f"silent for {silence:.0f} s")
        elif self.is_open and (silence > PING_AFTER_S or self.round_trip_s is None) and self._ping_due(now):
            number = 0 if self._ping_sent is None else self._ping_sent[0] + 1
            self._ping_sent = (number, now)
            self._write(Channel.CONTROL, encode_ping(number))

    def close(self, reason: str) -> None:
        """Close in peace: what the transport holds is still sent."""
        self._end(reason)
        if self._transport is not None:
            self._transport.close()

    def abort(self, reason: str, *, broke_a_rule: bool = False) -> None:
        """Close at once: the peer is hostile, dead or unknown."""
        self.broke_a_rule = self.broke_a_rule or broke_a_rule
        self._end(reason)
        if self._transport is not None:
            self._transport.abort()

    # inside

    def _take_frames(self) -> None:
        """Handle some frames; if there may be more, read on only when the loop has come round."""
        try:
            for _ in range(FRAMES_AT_ONCE):
                if self._reason or (frame := self._reader.next_frame()) is None:
                    break
                self._handle(frame)
            else:
                self._rest()
        except NetworkError as error:
            self.abort(str(error), broke_a_rule=isinstance(error, ProtocolViolation))
        awaits_hello = not self.is_open and not self._reason  # else what waits came before the peer knew of the end
        if awaits_hello and self._reader.waiting > HELLO_BYTES_MAX:
            self.abort("more than a hello before the hello", broke_a_rule=True)

    def _rest(self) -> None:
        if self._transport is not None and not self._reason:
            self._resting = True
            self._transport.pause_reading()
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._resting = False
        if self._transport is None or self._reason:
            return
        self._take_frames()
        if not self._resting and not self._reason:
            self._transport.resume_reading()

    def _identify(self, transport: asyncio.Transport) -> Peer:
        tls: Any = transport.get_extra_info("ssl_object")
        peer = self._owner.directory.identify(tls.getpeercert(binary_form=True) if tls is not None else None)
        if self._expected is not None and peer.certificate != self._expected.certificate:
            raise HandshakeError(f"{peer.name} answers at the address of {self._expected.name}")
        return peer

    def _handle(self, frame: Frame) -> None:
        if not self.is_open:
            check_hello(frame, self._owner.genesis_id)
            assert self._hello_timer is not None, "a hello is awaited with a timer"
            self._hello_timer.cancel()
            self.is_open = True
            self.opened_at = self._loop.time()
            self._owner.opened(self)
        elif frame.channel is Channel.CONTROL:
            self._answer(frame)
        else:
            self._owner.received(self, frame)

    def _answer(self, frame: Frame) -> None:
        message = control(frame)
        if isinstance(message, Ping):
            self._write(Channel.CONTROL, encode_pong(message.number))
        elif self._ping_sent is not None and message.number <= self._ping_sent[0]:
            if message.number == self._ping_sent[0]:  # else it was slow, and a later ping is on its way
                self.round_trip_s = self._loop.time() - self._ping_sent[1]
        else:
            raise ProtocolViolation("a pong without a ping")

    def _ping_due(self, now: float) -> bool:
        return self._ping_sent is None or now - self._ping_sent[1] > PING_AFTER_S

    def _write(self, channel: Channel, frame: bytes) -> bool:
        if self._transport is None or self._reason:
            return False
        if self._writable:
            self._transport.write(frame)
        elif not self._outbox.put(channel, frame):
            self.abort(f"reads too slowly: {self._outbox.size} bytes wait")
            return False
        return True

    def _end(self, reason: str) -> None:
        self._reason = self._reason or reason
        self.is_open = False
