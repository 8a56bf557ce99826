"""Start one service of a submission, serve it on a loopback socket, and end it."""

import asyncio
import inspect
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import uvicorn
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Status, StatusCode

from . import wire
from .channel import Channel
from .observe import RecordingExporter, SpanCounter, cause
from .place import NOWHERE, Place, Places
from .wire import text

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class BrokenContract(Exception):
    """The submission's code failed or is not what the contract asks for; it was reported."""


class NoAsgi(TypeError):
    """What a `create_*` function returned is no ASGI application."""


class NotCallable(NoAsgi):
    """It does not even take the arguments of one."""


class Turn:
    """A place in the order in which a host's services are created; the first waits for nobody."""

    def __init__(self, after: "Turn | None" = None) -> None:
        self._after = after
        self._over = threading.Event()
        if after is None:
            self._over.set()

    def __enter__(self) -> None:
        if self._after is not None:
            self._after.wait()

    def wait(self) -> None:
        """Wait until this turn is over."""
        self._over.wait()

    def __exit__(self, *_: object) -> None:
        self._over.set()


class Service:
    """One start of one service: its provider, exporter, application and server.

    The submission creates when it is this service's `turn`: the contract has its functions called
    several times, but not at the same time.
    """

    def __init__(self, command: wire.Start, channel: Channel, places: Places, turn: "Turn") -> None:
        self._turn = turn
        self._command = command
        self._channel = channel
        self._places = places
        self._server: _Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.current_thread()
        self._provider: TracerProvider | None = None
        self._submission: ModuleType | None = None
        self._defined: Place = NOWHERE
        self.exporter = RecordingExporter(command.start, channel)
        self.counter = SpanCounter(command.start, channel, places)
        self.ended = threading.Event()

    @property
    def provider(self) -> TracerProvider:
        """Return the provider that `init_tracer` made; raise BrokenContract where it did not."""
        if self._provider is None:
            raise BrokenContract
        return self._provider

    def run(self, submission: ModuleType) -> None:
        """Create the service in this thread and serve it until it is stopped."""
        self._thread = threading.current_thread()
        self._submission = submission
        try:
            command = self._command
            with self._turn:
                self._provide(submission)
                application = self._create(submission) if command.serves else None
            if application is None:
                self._channel.send(wire.Reply(command.request, ok=True, values={"port": 0}))
                return
            listener = _listen()
            self._server = _Server(
                uvicorn.Config(
                    _Observed(
                        command.start,
                        application,
                        self._report,
                        lambda: self._ready(listener),
                        self._refuse,
                    ),
                    lifespan="auto",
                    log_config=None,
                    access_log=False,
                    proxy_headers=False,
                    # uvicorn's own loop, which is not used, keeps it right.
                    date_header=False,
                    ws="none",
                    timeout_graceful_shutdown=5,
                )
            )
            asyncio.run(self._serve(self._server, listener))
        except BrokenContract:
            self._refuse()
        except SystemExit:
            # uvicorn's own when startup failed, or the submission's, which was reported already.
            self._refuse()
        except Exception as error:  # noqa: BLE001 (untrusted code: the boundary is here)
            self._report("serve", error)
            self._refuse()
        finally:
            self.ended.set()

    def stop(self, seconds: float) -> bool:
        """Run lifespan shutdown; False when it is not over after `seconds`."""
        if self._server is not None:
            self._server.leave()
        return self.ended.wait(seconds)

    def shut_down(self, seconds: float) -> dict[str, wire.Scalar | None]:
        """Call the submission's `shutdown_tracer` in a thread and return what came of it.

        The time it may take is not limited here: whoever asked waits for as long as it likes.
        """
        if self._submission is None:
            raise BrokenContract
        began = time.monotonic()
        values: dict[str, wire.Scalar | None] = {"returned": None, "raised": None}
        # Threads take after the one that starts them, and a service's own thread is no daemon.
        here = threading.current_thread()
        here._daemonic = False  # type: ignore[attr-defined]  # noqa: SLF001 (set once it runs)
        try:
            result = self._submission.shutdown_tracer(self.provider, seconds)
            values["returned"] = result if isinstance(result, bool) else text(repr(result))
        except BaseException as error:  # noqa: BLE001 (untrusted code: the boundary is here)
            path, line = self._places.of_exception(error)
            values |= {"raised": self._places.describe(error), "path": path, "line": line}
        finally:
            here._daemonic = True  # type: ignore[attr-defined]  # noqa: SLF001
        values["took"] = time.monotonic() - began
        return values

    def probe(self, name: str, texts: list[str]) -> None:
        """Start and end a span that holds `texts` wherever a span can hold text."""
        tracer = self.provider.get_tracer(wire.PROBE_SCOPE)
        with tracer.start_as_current_span(name) as span:
            for number, value in enumerate(texts):
                span.set_attribute(f"probe.text.{number}", value)
                span.set_attribute(f"probe.sentence.{number}", f"the customer gave {value} to us")
                span.add_event("probe.event", {"probe.text": value})
            span.set_status(Status(StatusCode.ERROR, "probe of " + ", ".join(texts)))

    def place(self) -> Place:
        """Return where the service's code stands now."""
        place = self._places.of_thread(self._thread)
        if place == NOWHERE and self._loop is not None and self._loop.is_running():
            place = self._places.of_tasks(self._loop)
        return place if place != NOWHERE else self._places.of_threads()

    @property
    def serves(self) -> bool:
        """Tell whether it has a server."""
        return self._server is not None

    @property
    def is_blocked(self) -> bool:
        """Tell whether the submission's code is on the stack of the service's event loop."""
        return self._loop is not None and self._places.of_thread(self._thread) != NOWHERE

    def _provide(self, submission: ModuleType) -> None:
        command = self._command
        options: dict[str, Any] = {}
        if command.exporter == "memory":
            options["exporter"] = self.exporter
        with self._stage("init_tracer", submission.init_tracer):
            provider = submission.init_tracer(command.service, command.version, **options)
            if not isinstance(provider, TracerProvider):
                raise TypeError(
                    "init_tracer must return an opentelemetry.sdk.trace.TracerProvider; it "
                    f"returned {type(provider).__name__}"
                )
            provider.add_span_processor(self.counter)
        self._provider = provider

    def _create(self, submission: ModuleType) -> Application:
        command = self._command
        arguments: dict[str, Any] = dict(command.urls)
        if command.timeout is not None:
            arguments["timeout"] = command.timeout
        function = f"create_{command.service}"
        create = getattr(submission, function)
        with self._stage(function, create):
            application = create(self.provider, **arguments)
            if inspect.iscoroutine(application):
                application.close()
                raise TypeError(f"{function} must be a plain function; it is `async def`")
            if not callable(application):
                raise TypeError(
                    f"{function} must return an ASGI application; it returned "
                    f"{type(application).__name__}"
                )
        places = map(self._places.of_function, (application, type(application).__call__, create))
        self._defined = next((place for place in places if place != NOWHERE), NOWHERE)
        return application  # type: ignore[no-any-return]

    async def _serve(self, server: "_Server", listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        server.prepare(self._loop)
        await server.serve(sockets=[listener])
        if not server.started:
            raise BrokenContract

    def _ready(self, listener: socket.socket) -> None:
        port: int = listener.getsockname()[1]
        self._channel.send(wire.Reply(self._command.request, ok=True, values={"port": port}))

    def _refuse(self) -> None:
        self._channel.send(wire.Reply(self._command.request, ok=False))

    @contextmanager
    def _stage(self, stage: str, function: object) -> Iterator[None]:
        # Reports what leaves the submission's code, and turns it into BrokenContract.
        try:
            yield
        except BaseException as error:
            self._report(stage, error, self._places.of_function(function))
            raise BrokenContract from error

    def _report(self, stage: str, error: BaseException | str, place: Place = NOWHERE) -> None:
        start, service = self._command.start, self._command.service
        if isinstance(error, BaseException):
            problem = self._places.problem(error, stage, start, service)
            message, details = problem.message, problem.details
            if isinstance(error, NoAsgi):
                message, place = str(error), self._defined
            place = (problem.path, problem.line) if problem.path else place
        else:
            message, details = _last_line(error), text(error)
            place = self._places.of_text(error)
        message, details = self._places.own_words(message), self._places.own_words(details)
        self._channel.send(wire.Problem(start, service, stage, message, *place, details))


class _Observed:
    # Wraps an application: notes the cause of each request, and what fails in it.

    def __init__(
        self,
        start: str,
        application: Application,
        report: Callable[[str, BaseException | str], None],
        ready: Callable[[], None],
        refuse: Callable[[], None],
    ) -> None:
        self._start = start
        self._application = application
        self._report = report
        self._ready = ready
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        token = cause.set((self._start, scope["client"][1] if scope.get("client") else 0))
        try:
            await self._called(scope, receive, send)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._report("request", error)
            raise
        finally:
            cause.reset(token)

    def _called(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        try:
            running: object = self._application(scope, receive, send)
        except TypeError as error:
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise
            # Nothing of it ran: it does not take these arguments.
            like = (
                "looks like a WSGI application"
                if _is_wsgi(self._application)
                else "is called otherwise"
            )
            raise NotCallable(f"{_EXPECTED} {like} ({error})") from None
        if not inspect.isawaitable(running):
            kind = type(running).__name__
            raise NoAsgi(f"{_EXPECTED} returned {kind}, which cannot be awaited")
        return running

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        stage = "startup"
        told = False

        async def observed_receive() -> Message:
            nonlocal stage
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                stage = "shutdown"
            return message

        async def observed_send(message: Message) -> None:
            nonlocal told
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self._ready()
            elif message["type"].endswith(".failed"):
                told = True
                self._report(stage, str(message.get("message") or f"{stage} failed"))

        try:
            await self._called(scope, observed_receive, observed_send)
        except NotCallable as error:
            self._report(stage, error)
            await send({"type": "lifespan.startup.failed"})
        except BaseException as error:
            if stage == "startup" and not told and isinstance(error, Exception):
                # An application without lifespan raises here, by the ASGI specification.
                self._ready()
            elif not told:
                self._report(stage, error)
                self._refuse()
            raise


class _Server(uvicorn.Server):
    # Leaves as soon as it is told to, where uvicorn's own loop looks ten times a second.

    def prepare(self, loop: asyncio.AbstractEventLoop) -> None:
        self._told = asyncio.Event()
        self._own_loop = loop

    def leave(self) -> None:
        self.should_exit = True
        if not self._own_loop.is_closed():
            self._own_loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        if threading.current_thread() is threading.main_thread():
            await super().main_loop()
        else:
            await self.on_tick(0)
            await self._told.wait()


_EXPECTED = "an ASGI application is expected; this one"


def _is_wsgi(application: object) -> bool:
    try:
        return len(inspect.signature(application).parameters) == 2  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def _listen() -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm off only where it is.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


def _last_line(trace: str) -> str:
    lines = trace.strip().splitlines()
    return lines[-1].strip() if lines else trace
