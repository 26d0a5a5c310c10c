"""Brings one provider's answer to the client, and the bill with it.

It decides what the client sees when an answer breaks, and the order at its end: what was delivered is on record before
it is sent, and the terminal record is written before the client sees the end. It must not know which channel answers.
"""

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.usage import counted
from oneapi.pricing.money import usd_text
from proto.router.v1 import router_pb2
from services.edge import refusals
from services.edge.answers import Headers, id_headers, send_whole
from services.edge.inference import settling
from services.edge.inference.attempt import CUT, Attempt
from services.edge.inference.attempts import Attempts, stream_failure
from services.edge.inference.carried import loss_header
from services.edge.inference.delivered import delivered_bytes
from services.edge.inference.exchange import Exchange
from services.edge.inference.interruption import Interrupted, Reason
from services.edge.inference.offers import OUTPUT_BUCKETS
from services.edge.money.path import Charge
from services.edge.upstream.answer import Silent
from services.edge.upstream.failures import Kind, UpstreamFailure, broken_answer

JSON_HEADERS: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
STREAM_HEADERS: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-store"),
    # Proxies in front must not gather what is meant to arrive piece by piece.
    (b"x-accel-buffering", b"no"),
]
NOSNIFF = (b"x-content-type-options", b"nosniff")
CANCEL = "cancel"


class Relay:
    """The way from the providers to the clients."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    async def run(self, exchange: Exchange, plan: router_pb2.Plan) -> None:
        """Answers an admitted request. Raises GatewayError while nothing has been sent."""
        try:
            attempt = await exchange.interruption.guarded(self._attempts.first_answer(exchange, plan))
        except GatewayError as error:
            called = bool(exchange.settler.hold.attempts)
            exchange.settler.finish(settling.UPSTREAM_ERROR if called else settling.VOID, status=error.status)
            raise
        except Interrupted as stopped:
            self._stopped_early(exchange, stopped.reason)
            return
        try:
            if exchange.meter is None:
                await self._answer_whole(exchange, attempt)
            else:
                await self._answer_stream(exchange, attempt)
        finally:
            # Where it has not ended yet, the serving itself was cancelled or failed.
            attempt.end(Kind.STOPPED)
            if attempt.answer is not None:
                attempt.answer.close()

    @staticmethod
    def _stopped_early(exchange: Exchange, reason: Reason) -> None:
        """Stopped while waiting for an answer. A client that leaves pays for the input that a provider has taken."""
        if reason is Reason.CLIENT_GONE:
            settle_by_meter(exchange, settling.CLIENT_GONE, status=0)
            return
        error = refusals.draining() if reason is Reason.SHUTDOWN else refusals.upstream_timeout()
        settle_by_meter(exchange, settling.UPSTREAM_ERROR, status=error.status)
        raise error

    @staticmethod
    async def _answer_whole(exchange: Exchange, attempt: Attempt) -> None:
        attempt.end(Kind.OK)
        usage = attempt.usage
        evidence = settling.PROVIDER
        if not usage:
            usage = counted(exchange.facts.prompt_bytes, delivered_bytes(attempt.body))
            evidence = settling.COUNTED
        error: GatewayError | None = None
        status = 500
        try:
            error = await _finished_whole(exchange, attempt)
            status = 200 if error is None else error.status
        finally:
            # The provider has answered: that is billed however the storing ends.
            charge = exchange.settler.finish(
                settling.CLIENT_GONE if exchange.client.gone else settling.OK,
                usage=usage,
                evidence=evidence,
                channel_id=attempt.channel.id,
                status=status,
                first_byte_ms=exchange.timing.first_byte_ms,
                losses=exchange.losses,
            )
        if error is not None:
            raise error
        headers = _headers(exchange, attempt, JSON_HEADERS)
        headers.append((b"x-oneapi-cost-usd", usd_text(charge.amount_nano).encode()))
        await send_whole(exchange.send, 200, headers, attempt.body)

    async def _answer_stream(self, exchange: Exchange, attempt: Attempt) -> None:
        error: GatewayError | None = None
        last = b""
        try:
            last = await exchange.interruption.guarded(self._pump(exchange, attempt))
        except UpstreamFailure as failure:
            attempt.end(failure.kind, shown=CUT)
            error = refusals.stream_cut() if failure.error.kind == "upstream" else failure.error
        except Interrupted as stopped:
            if stopped.reason is Reason.CLIENT_GONE:
                attempt.end(Kind.STOPPED, shown=settling.CLIENT_GONE)
                settle_by_meter(exchange, settling.CLIENT_GONE, status=200)
                return
            timed_out = stopped.reason is Reason.DEADLINE
            attempt.end(Kind.TIMEOUT if timed_out else Kind.STOPPED, shown=CUT)
            error = refusals.upstream_timeout() if timed_out else refusals.draining()
        else:
            attempt.end(Kind.OK)
        gone = exchange.client.gone
        outcome = settling.CLIENT_GONE if gone else settling.OK if error is None else settling.UPSTREAM_CUT
        keeping = exchange.keeping
        if keeping is not None and error is None:
            try:
                last += await keeping.end(attempt.origin)
            except GatewayError as failed:
                error = failed
        settle_by_meter(exchange, outcome, status=200)
        meter, answer = exchange.meter, attempt.answer
        if error is not None and meter is not None:
            ending = meter.finish_bytes(error, exchange.arrival.request_id)
            last += ending if keeping is None else keeping.shown.stream(ending)
        if answer is not None and meter is not None and meter.cut:
            answer.close()
        await self._send(exchange, last, more=False)
        if error is None and answer is not None:
            await answer.finish()

    async def _pump(self, exchange: Exchange, attempt: Attempt) -> bytes:
        """Sends the stream on as it comes, up to its last piece, which is returned. Raises UpstreamFailure."""
        meter, answer, listening = exchange.meter, attempt.answer, attempt.listening
        if meter is None or answer is None or listening is None:
            raise TypeError("there is no stream")
        hold, keeping = exchange.settler.hold, exchange.keeping
        headers = _headers(exchange, attempt, STREAM_HEADERS)
        await exchange.send({"type": "http.response.start", "status": 200, "headers": headers})
        piece, attempt.held = attempt.held, b""
        # Until the usage is told, what is known of the input: a killed process must not guess it.
        known = meter.input_told or None
        if keeping is not None:
            piece = keeping.shown.stream(piece)
        waits = not attempt.first_byte_ms
        while not meter.finished:
            if piece:
                listening.spoke = True
                hold.checkpoint(meter.text_bytes, meter.usage or known)
                await self._send(exchange, piece, more=True)
            if meter.error is not None:
                raise stream_failure(meter.error)
            try:
                data = await answer.read()
            except Silent:
                # This is between two events: only whole ones go on.
                piece = b""
                await self._send(exchange, meter.keep_alive, more=True)
                continue
            except UpstreamFailure:
                if not meter.whole:
                    raise
                # The connection broke behind the answer, in a format that doesn't say where it ends.
                data = b""
            if waits and data:
                # The signs of life until now were our own.
                attempt.answered()
                waits = False
            piece = meter.feed(data) if data else meter.end()
            if keeping is not None:
                piece = keeping.shown.stream(piece)
            if not data and not meter.finished and meter.error is None:
                if piece:
                    hold.checkpoint(meter.text_bytes, meter.usage or known)
                    await self._send(exchange, piece, more=True)
                raise broken_answer("the stream ended early", 200)
        return piece

    async def _send(self, exchange: Exchange, body: bytes, *, more: bool) -> None:
        message = {"type": "http.response.body", "body": body, "more_body": more}
        # While a client that takes little is waited for here, nothing is read from the provider either.
        await exchange.send(message)


async def _finished_whole(exchange: Exchange, attempt: Attempt) -> GatewayError | None:
    """Makes of an answer what was asked for, and has it stored where it shall be; the error that the client gets
    instead of it, if any."""
    keeping, compaction = exchange.keeping, exchange.compaction
    try:
        if compaction is not None:
            attempt.body = compaction.whole(attempt.body)
        elif keeping is not None and keeping.shown.whole(attempt.body):
            attempt.body = await keeping.end(attempt.origin)
    except GatewayError as error:
        return error
    return None


def settle_by_meter(exchange: Exchange, outcome: str, *, status: int) -> Charge:
    """Ends the money of a request by what its stream has shown: the provider's usage, else what was delivered."""
    meter = exchange.meter
    usage: dict[str, int] = {}
    evidence = settling.NONE
    if meter is not None and meter.usage:
        usage, evidence = meter.usage, settling.PROVIDER
        if meter.text_bytes and not any(bucket in usage for bucket in OUTPUT_BUCKETS):
            # Told before there was any output: the first of Google's answers tell the prompt alone.
            usage = {**usage, "output": counted(0, meter.text_bytes)["output"]}
            evidence = settling.COUNTED
    elif meter is not None and (meter.started or meter.finished):
        usage, evidence = counted(exchange.facts.prompt_bytes, meter.text_bytes), settling.COUNTED
        told = meter.input_told
        if told:
            usage = {**told, **{bucket: count for bucket, count in usage.items() if bucket == "output"}}
    elif outcome == settling.CLIENT_GONE and exchange.channel_id:
        # Nothing has come, but a provider works on it: leaving early must not be a way to get that for nothing.
        usage, evidence = counted(exchange.facts.prompt_bytes, 0), settling.COUNTED
    return exchange.settler.finish(
        outcome,
        usage=usage,
        evidence=evidence,
        channel_id=exchange.channel_id if evidence != settling.NONE else "",
        status=status,
        first_byte_ms=exchange.timing.first_byte_ms,
        losses=exchange.losses,
    )


def _headers(exchange: Exchange, attempt: Attempt, first: Headers) -> Headers:
    return [
        *first,
        NOSNIFF,
        *id_headers(exchange.arrival.request_id, exchange.dialect.name),
        (b"x-oneapi-channel", attempt.channel.id.encode()),
        *loss_header(exchange.losses),
        *exchange.settler.hold.rate_headers,
        (b"server-timing", exchange.timing.header()),
    ]
