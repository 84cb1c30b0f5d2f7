"""What stands before every servicer method: certificate, token, right, level, deadline; and errors to status.

Fail closed: a method without a mark, or with a right nobody wrote down, keeps the server from starting.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import grpc
import psycopg
import sqlalchemy as sa
from grpc.aio import ServicerContext
from opentelemetry.trace import SpanKind

from servicekit.calls import Calls
from servicekit.clock import Clock
from servicekit.db import TENANT, Database
from servicekit.errors import Conflict, Invalid, KomuError, Refused, Unauthenticated, Unavailable
from servicekit.grpc.call import Call
from servicekit.grpc.rpc import RpcSpec, spec_of
from servicekit.grpc.status import DETAILS_KEY, code_of, details_of
from servicekit.telemetry import RPC_SECONDS, span
from servicekit.tokens import TokenVerifier

log = logging.getLogger(__name__)

_SPIFFE = "spiffe://komu/"
_RETRY_STATES = {"40001", "40P01"}
# Text too long or of characters the database cannot hold, numbers out of range; None: NUL, which the driver refuses.
_UNSTORABLE_STATES = {None, "22001", "22003", "22021", "22P05"}


class NotGuarded(Exception):
    """The server refuses to start; the message lists what is missing."""


def identity_of(context: ServicerContext[Any, Any]) -> str:
    """Service name in the peer's certificate: URI `spiffe://komu/<service>`, else its common name. Empty if none."""
    auth = context.auth_context()
    for name in auth.get("x509_subject_alternative_name", ()):
        if name.startswith(b"spiffe://"):
            uri = name.decode("ascii", "replace")
            return uri.removeprefix(_SPIFFE) if uri.startswith(_SPIFFE) else ""
    names = auth.get("x509_common_name", ())
    return next(iter(names)).decode("utf-8", "replace") if names else ""


class Guard:
    """Wraps the handlers of one service."""

    def __init__(
        self, service: str, *, calls: Calls, rights: Mapping[str, frozenset[str]], verifier: TokenVerifier | None,
        database: Database | None, clock: Clock, deadline_max_s: float = 600.0,
    ) -> None:
        self._service = service
        self._calls = calls
        self._rights = rights
        self._verifier = verifier
        self._database = database
        self.clock = clock
        self._deadline_max_s = deadline_max_s

    def handlers(
        self, service_name: str, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]], servicer: object
    ) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
        """Guarded handlers for all methods of `servicer`. Raises NotGuarded."""
        problems = []
        guarded = {}
        for name, handler in handlers.items():
            function = getattr(servicer, name)
            spec = spec_of(function)
            if spec is None:
                problems.append(f"{service_name}/{name} has no @rpc or @workload_rpc")
            elif spec.right is not None and spec.right not in self._rights:
                problems.append(f"{service_name}/{name} needs the right {spec.right}, which no role has")
            elif spec.right is not None and self._verifier is None:
                problems.append(f"{service_name}/{name} is for persons, but no issuer is set")
            else:
                guarded[name] = self._wrap(f"/{service_name}/{name}", name, handler, spec, function)
        if problems:
            raise NotGuarded("; ".join(problems))
        return guarded

    # --- who may -----------------------------------------------------------------------------------------------

    def _admit(
        self, name: str, spec: RpcSpec
    ) -> Callable[[ServicerContext[Any, Any], str | None, str | None], Awaitable[Call]]:
        with_token = self._calls.callers_of(self._service, name, with_token=True)
        on_their_own = self._calls.callers_of(self._service, name, with_token=False) if spec.workloads else frozenset()
        roles = self._rights[spec.right] if spec.right is not None else frozenset()
        verifier, database = self._verifier, self._database
        information_class, deadline_max_s = spec.information_class, self._deadline_max_s

        async def admit(
            context: ServicerContext[Any, Any], bearer: str | None, tenant: str | None
        ) -> Call:
            remaining = context.time_remaining()
            if remaining is None or remaining > deadline_max_s + 1:
                raise Invalid("期限のない呼び出しは受け付けません。", reason="DEADLINE_REQUIRED")
            now = self.clock()
            caller = identity_of(context)
            for_person = spec.right is not None and (bearer is not None or not spec.workloads)
            if caller not in (with_token if for_person else on_their_own):
                raise Refused("このサービスからの呼び出しは許可されていません。", reason="CALLER_NOT_LISTED")
            if not for_person:
                if bearer is not None:
                    raise Refused("利用者としては呼び出せません。", reason="WORKLOADS_ONLY")
                if tenant is None or TENANT.match(tenant) is None:
                    raise Invalid("設置者が指定されていません。", reason="TENANT_REQUIRED")
                return Call(tenant, now, database, caller, None, None, context)  # type: ignore[arg-type]
            if bearer is None or not bearer.startswith("Bearer ") or verifier is None:
                raise Unauthenticated
            token = bearer[7:]
            actor = verifier.remembered(token, now) or await verifier.actor(token, now)
            if roles.isdisjoint(actor.roles):
                raise Refused("この操作をする権限がありません。", reason="RIGHT_MISSING", roles=roles)
            if information_class <= 2:
                actor.require_level(information_class, now)
            return Call(actor.tenant, now, database, caller, actor, token, context)  # type: ignore[arg-type]

        return admit

    # --- the way in and out --------------------------------------------------------------------------------------

    def _wrap(
        self, path: str, name: str, handler: grpc.RpcMethodHandler[Any, Any], spec: RpcSpec, function: Any
    ) -> grpc.RpcMethodHandler[Any, Any]:
        admit = self._admit(name, spec)
        rpc = path[1:]
        observe_ok = RPC_SECONDS.labels(rpc, "OK").observe

        def read_metadata(context: ServicerContext[Any, Any]) -> tuple[str | None, str | None, str | None]:
            bearer = tenant = traceparent = None
            for key, value in context.invocation_metadata() or ():
                if key == "authorization":
                    bearer = value
                elif key == "komu-tenant":
                    tenant = value
                elif key == "traceparent":
                    traceparent = value
            return bearer, tenant, traceparent  # type: ignore[return-value]

        async def fail(context: ServicerContext[Any, Any], error: BaseException, started: float) -> None:
            known = contract_error(error, rpc)
            code = code_of(known) if not isinstance(known, _Internal) else grpc.StatusCode.INTERNAL
            RPC_SECONDS.labels(rpc, code.name).observe(time.perf_counter() - started)
            await context.abort(code, known.message, ((DETAILS_KEY, details_of(known)),))

        async def unary(request: Any, context: ServicerContext[Any, Any]) -> Any:
            started = time.perf_counter()
            bearer, tenant, traceparent = read_metadata(context)
            with span(rpc, SpanKind.SERVER, parent=traceparent):
                try:
                    reply = await function(request, await admit(context, bearer, tenant))
                except Exception as error:
                    await fail(context, error, started)
                    return None
            observe_ok(time.perf_counter() - started)
            return reply

        async def stream(request: Any, context: ServicerContext[Any, Any]) -> AsyncIterator[Any]:
            started = time.perf_counter()
            bearer, tenant, traceparent = read_metadata(context)
            with span(rpc, SpanKind.SERVER, parent=traceparent):
                try:
                    call = await admit(context, bearer, tenant)
                    async for reply in function(request, call):
                        yield reply
                except Exception as error:
                    await fail(context, error, started)
            observe_ok(time.perf_counter() - started)

        kind = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[(bool(handler.request_streaming), bool(handler.response_streaming))]
        return kind(
            stream if handler.response_streaming else unary,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


class _Internal(KomuError):
    reason = "INTERNAL"


def contract_error(error: BaseException, where: str) -> KomuError:
    """The contract's error for any exception; what is not part of the contract is logged (type, place) and hidden."""
    if isinstance(error, KomuError):
        return error
    origin = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
    if isinstance(origin, psycopg.Error):
        if origin.sqlstate in _RETRY_STATES:
            return Conflict("ほかの保存と重なりました。もう一度やり直してください。", reason="CONCURRENT")
        if isinstance(origin, psycopg.OperationalError):
            log.warning("%s: database: %s", where, type(origin).__name__)
            return Unavailable(reason="DATABASE_UNAVAILABLE")
        if isinstance(origin, psycopg.DataError) and origin.sqlstate in _UNSTORABLE_STATES:
            log.warning("%s: database: %s", where, type(origin).__name__)
            return Invalid(
                "保存できない文字が入っているか、値が大きすぎます。入力を確かめてください。", reason="UNSTORABLE"
            )
    if isinstance(error, grpc.RpcError):
        from servicekit.grpc.status import error_of

        return error_of(error)
    log.error("%s failed", where, exc_info=error)
    return _Internal("内部の問題が起きました。時間をおいて、もう一度やり直してください。")
