"""Functions before and after `kata-lint --fix`, as tables; each stands in a file with `SETUP`."""

SETUP = """\
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode, use_span

tracer = trace.get_tracer("shop")


"""

FIXED = {
    "straight line": (
        """\
def download(client, url):
    span = tracer.start_span("download")  # one request
    # The client has its own timeout.
    answer = client.get(url)

    # The body is read later.
    span.end()  # headers only

    return answer
""",
        """\
def download(client, url):
    span = tracer.start_span("download")  # one request
    try:
        # The client has its own timeout.
        answer = client.get(url)

    finally:
        # The body is read later.
        span.end()  # headers only

    return answer
""",
    ),
    "blank line after the start": (
        """\
def download(client, url):
    span = tracer.start_span("download")

    answer = client.get(url)
    span.end()
    return answer
""",
        """\
def download(client, url):
    span = tracer.start_span("download")

    try:
        answer = client.get(url)
    finally:
        span.end()
    return answer
""",
    ),
    "decorators, strings and lines that go on": (
        '''\
class Orders:
    @staticmethod
    @traced(
        name="load",
    )
    def load(connection, sku):
        """Load one order."""
        span = tracer.start_span(
            "load",
            attributes={
                "shop.sku": sku,  # no personal data
            },
        )
        rows = connection.execute(
            """
            select *
  from orders
            """,
            (sku,),
        )
        total = 1 + \\
            len(rows)
        if total:
            pass
            # nothing else to do
        span.end()
        # what follows costs nothing
        return rows, total
''',
        '''\
class Orders:
    @staticmethod
    @traced(
        name="load",
    )
    def load(connection, sku):
        """Load one order."""
        span = tracer.start_span(
            "load",
            attributes={
                "shop.sku": sku,  # no personal data
            },
        )
        try:
            rows = connection.execute(
                """
            select *
  from orders
            """,
                (sku,),
            )
            total = 1 + \\
            len(rows)
            if total:
                pass
                # nothing else to do
        finally:
            span.end()
        # what follows costs nothing
        return rows, total
''',
    ),
    "tabs": (
        """\
def download(client, url):
\tfor _ in range(2):
\t\tspan = tracer.start_span("download")
\t\tclient.get(url)
\t\tspan.end()
""",
        """\
def download(client, url):
\tfor _ in range(2):
\t\tspan = tracer.start_span("download")
\t\ttry:
\t\t\tclient.get(url)
\t\tfinally:
\t\t\tspan.end()
""",
    ),
    "two spaces in a file of four": (
        """\
def first():
    pass


def download(client, url):
  span = tracer.start_span("download")
  client.get(url)
  span.end()
""",
        """\
def first():
    pass


def download(client, url):
  span = tracer.start_span("download")
  try:
    client.get(url)
  finally:
    span.end()
""",
    ),
    "returns before the end": (
        """\
def reserve(stock, sku):
    span = tracer.start_span("reserve")
    if sku not in stock:
        return None
    stock[sku] -= 1
    span.end()
    return sku
""",
        """\
def reserve(stock, sku):
    span = tracer.start_span("reserve")
    try:
        if sku not in stock:
            return None
        stock[sku] -= 1
    finally:
        span.end()
    return sku
""",
    ),
    "an end before a plain jump": (
        """\
def reserve(stock, sku):
    span = tracer.start_span("reserve")
    if stock.closed(sku):
        # nothing to reserve
        span.end()
        return None
    stock.take(sku)
    span.end()
    return sku
""",
        """\
def reserve(stock, sku):
    span = tracer.start_span("reserve")
    try:
        if stock.closed(sku):
            # nothing to reserve
            return None
        stock.take(sku)
    finally:
        span.end()
    return sku
""",
    ),
    "ends in the handler and after": (
        """\
async def charge(client, card):
    span = tracer.start_span("charge")
    try:
        answer = await client.post(card)
    except Exception as exc:
        span.record_exception(exc)
        span.end()
        raise
    span.end()
    return answer
""",
        """\
async def charge(client, card):
    span = tracer.start_span("charge")
    try:
        answer = await client.post(card)
    except Exception as exc:
        span.record_exception(exc)
        raise
    finally:
        span.end()
    return answer
""",
    ),
    "ends in the handler and in the else": (
        """\
async def charge(client, card):
    span = tracer.start_span("charge")
    try:
        answer = await client.post(card)
    except Exception:
        span.end()
        raise
    else:
        span.end()
    return answer
""",
        """\
async def charge(client, card):
    span = tracer.start_span("charge")
    try:
        answer = await client.post(card)
    finally:
        span.end()
    return answer
""",
    ),
    "a handler with a comment stays": (
        """\
async def charge(client, card):
    span = tracer.start_span("charge")
    try:
        answer = await client.post(card)
    except Exception:  # a timeout, mostly
        span.end()
        raise
    span.end()
    return answer
""",
        """\
async def charge(client, card):
    span = tracer.start_span("charge")
    try:
        answer = await client.post(card)
    except Exception:  # a timeout, mostly
        raise
    finally:
        span.end()
    return answer
""",
    ),
    "work after the try": (
        """\
async def charge(client, card):
    span = tracer.start_span("charge")
    try:
        answer = await client.post(card)
    except Exception as exc:
        span.record_exception(exc)
        span.end()
        raise
    span.set_attribute("http.response.status_code", answer.status)
    span.end()
    return answer
""",
        """\
async def charge(client, card):
    span = tracer.start_span("charge")
    try:
        try:
            answer = await client.post(card)
        except Exception as exc:
            span.record_exception(exc)
            raise
        span.set_attribute("http.response.status_code", answer.status)
    finally:
        span.end()
    return answer
""",
    ),
    "the try begins too late": (
        """\
def charge(client, card):
    span = tracer.start_span("charge")
    headers = client.headers(card)

    # Payments may be slow.
    try:
        return client.post(card, headers)
    finally:
        span.end()
""",
        """\
def charge(client, card):
    span = tracer.start_span("charge")
    try:
        headers = client.headers(card)

        # Payments may be slow.
        return client.post(card, headers)
    finally:
        span.end()
""",
    ),
    "the try that begins too late has handlers": (
        """\
def charge(client, card):
    span = tracer.start_span("charge")
    headers = client.headers(card)
    try:
        return client.post(card, headers)
    except ValueError as exc:
        span.record_exception(exc)
        raise
    finally:
        client.close()
        span.end()
""",
        """\
def charge(client, card):
    span = tracer.start_span("charge")
    try:
        headers = client.headers(card)
        try:
            return client.post(card, headers)
        except ValueError as exc:
            span.record_exception(exc)
            raise
        finally:
            client.close()
    finally:
        span.end()
""",
    ),
    "ends at the end of each branch": (
        """\
def handle(event, shop):
    span = tracer.start_span("event")
    match event:
        case "created":
            shop.create()
            span.end()
        case "deleted":
            shop.delete()
            span.end()
    shop.count()
""",
        """\
def handle(event, shop):
    span = tracer.start_span("event")
    try:
        match event:
            case "created":
                shop.create()
            case "deleted":
                shop.delete()
    finally:
        span.end()
    shop.count()
""",
    ),
    "a generator": (
        """\
def rows(cursor):
    span = tracer.start_span("rows")
    for row in cursor:
        yield row
    span.end()
""",
        """\
def rows(cursor):
    span = tracer.start_span("rows")
    try:
        for row in cursor:
            yield row
    finally:
        span.end()
""",
    ),
    "one span after another": (
        """\
def checkout(shop):
    span = tracer.start_span("reserve")
    shop.reserve()
    span.end()
    span = tracer.start_span("charge")
    shop.charge()
    span.end()
""",
        """\
def checkout(shop):
    span = tracer.start_span("reserve")
    try:
        shop.reserve()
    finally:
        span.end()
    span = tracer.start_span("charge")
    try:
        shop.charge()
    finally:
        span.end()
""",
    ),
    "one span inside another": (
        """\
def checkout(shop):
    outer = tracer.start_span("checkout")
    inner = tracer.start_span("reserve")
    shop.reserve()
    inner.end()
    shop.charge()
    outer.end()
""",
        """\
def checkout(shop):
    outer = tracer.start_span("checkout")
    try:
        inner = tracer.start_span("reserve")
        try:
            shop.reserve()
        finally:
            inner.end()
        shop.charge()
    finally:
        outer.end()
""",
    ),
    "start, use_span and end": (
        """\
def charge(client, card):
    # Takes a second.
    span = tracer.start_span("charge", kind=trace.SpanKind.CLIENT)  # one try
    with trace.use_span(span, end_on_exit=False), client:
        # A retry is the caller's.
        answer = client.post(card)
    span.end()
    return answer
""",
        """\
def charge(client, card):
    # Takes a second.
    with tracer.start_as_current_span("charge", kind=trace.SpanKind.CLIENT), client:  # one try
        # A retry is the caller's.
        answer = client.post(card)
    return answer
""",
    ),
    "start and use_span of a span that is named": (
        """\
def charge(client, card):
    span = tracer.start_span("charge")
    with use_span(span):
        span.set_attribute("shop.card", "visa")
        return client.post(card)
""",
        """\
def charge(client, card):
    with tracer.start_as_current_span("charge") as span:
        span.set_attribute("shop.card", "visa")
        return client.post(card)
""",
    ),
    "a manager that is dropped": (
        """\
def charge(client, card):
    client.open()
    # Takes a second.
    tracer.start_as_current_span("charge")  # one try

    answer = client.post(card)
    return answer
""",
        """\
def charge(client, card):
    client.open()
    # Takes a second.
    with tracer.start_as_current_span("charge"):  # one try

        answer = client.post(card)
        return answer
""",
    ),
    "a script": (
        """\
span = tracer.start_span("script")
run()
span.end()
# done
""",
        """\
span = tracer.start_span("script")
try:
    run()
finally:
    span.end()
# done
""",
    ),
    "ends at the end of a handler that does more": (
        """\
def charge(client, card):
    span = tracer.start_span("charge")
    try:
        client.post(card)
    except ValueError:
        client.close()
        # no answer
        span.end()
    else:
        span.end()
""",
        """\
def charge(client, card):
    span = tracer.start_span("charge")
    try:
        client.post(card)
    except ValueError:
        client.close()
        # no answer
    finally:
        span.end()
""",
    ),
    "ends at the end of a branch in a branch": (
        """\
def charge(client, card):
    span = tracer.start_span("charge")
    if card:
        client.post(card)
        if card.old:
            client.close()
            span.end()
        else:
            span.end()
    else:
        span.end()
""",
        """\
def charge(client, card):
    span = tracer.start_span("charge")
    try:
        if card:
            client.post(card)
            if card.old:
                client.close()
    finally:
        span.end()
""",
    ),
    "an end before the next round": (
        """\
def charge(client, cards):
    for card in cards:
        span = tracer.start_span("charge")
        if not card:
            span.end()
            continue
        client.post(card)
        span.end()
""",
        """\
def charge(client, cards):
    for card in cards:
        span = tracer.start_span("charge")
        try:
            if not card:
                continue
            client.post(card)
        finally:
            span.end()
""",
    ),
    "a name with its type": (
        """\
def charge(client, card):
    span: trace.Span = tracer.start_span("charge")
    client.post(card)
    span.end()
""",
        """\
def charge(client, card):
    span: trace.Span = tracer.start_span("charge")
    try:
        client.post(card)
    finally:
        span.end()
""",
    ),
    "a name that the handler around binds again": (
        """\
def charge(client, cards):
    for card in cards:
        try:
            span = tracer.start_span("charge")
            client.post(card)
            span.end()
        except ValueError:
            span = card
            print(span)
""",
        """\
def charge(client, cards):
    for card in cards:
        try:
            span = tracer.start_span("charge")
            try:
                client.post(card)
            finally:
                span.end()
        except ValueError:
            span = card
            print(span)
""",
    ),
    "a test of the span on the way": (
        """\
def charge(client, card):
    span = tracer.start_span("charge")
    client.post(card)
    if span is not None and card:
        client.close()
    span.end()
""",
        """\
def charge(client, card):
    span = tracer.start_span("charge")
    try:
        client.post(card)
        if span is not None and card:
            client.close()
    finally:
        span.end()
""",
    ),
    "a name that a function at the top reads as well": (
        """\
shows = [lambda: print(span)]


def charge(client, card):
    span = tracer.start_span("charge")
    client.post(card)
    span.end()
""",
        """\
shows = [lambda: print(span)]


def charge(client, card):
    span = tracer.start_span("charge")
    try:
        client.post(card)
    finally:
        span.end()
""",
    ),
    "use_span of another span": (
        """\
def charge(client, card):
    span = tracer.start_span("charge")
    with use_span(client.span):
        client.post(card)
    span.end()
""",
        """\
def charge(client, card):
    span = tracer.start_span("charge")
    try:
        with use_span(client.span):
            client.post(card)
    finally:
        span.end()
""",
    ),
}

LEFT_ALONE = {
    "never ended": """\
def charge(client, card):
    span = tracer.start_span("charge")
    return client.post(card)
""",
    "ended on one branch, where the fall-through may be meant": """\
def charge(client, card):
    span = tracer.start_span("charge")
    answer = client.post(card)
    if answer.ok:
        span.end()
    return answer
""",
    "ended with a time": """\
def charge(client, card):
    span = tracer.start_span("charge")
    answer = client.post(card)
    span.end(end_time=answer.time)
    return answer
""",
    "ended in another block": """\
def charge(client, card):
    if card:
        span = tracer.start_span("charge")
    client.post(card)
    if card:
        span.end()
""",
    "ended before more work in the handler": """\
def charge(client, card):
    span = tracer.start_span("charge")
    try:
        answer = client.post(card)
    except ValueError:
        span.end()
        client.close()
        raise
    span.end()
    return answer
""",
    "ended before the value of a return is made": """\
def charge(client, card):
    span = tracer.start_span("charge")
    if not card:
        span.end()
        return client.refuse()
    client.post(card)
    span.end()
""",
    "ended before a lock is given back": """\
def charge(client, card, lock):
    span = tracer.start_span("charge")
    with lock:
        if not card:
            span.end()
            return
        client.post(card)
    span.end()
""",
    "first of two things in a finally": """\
def charge(client, card):
    span = tracer.start_span("charge")
    client.open()
    try:
        return client.post(card)
    finally:
        span.end()
        client.close()
""",
    "raised inside what catches it": """\
def charge(client, card):
    span = tracer.start_span("charge")
    try:
        client.open()
        if not card:
            error = ValueError()
            span.end()
            raise error
    except ValueError:
        client.close()
    client.post(card)
    span.end()
""",
    "seen by the handler around": """\
def charge(client, card):
    try:
        span = tracer.start_span("charge")
        client.post(card)
        span.end()
    except ValueError as exc:
        span.record_exception(exc)
        raise
""",
    "seen in the next round of the loop": """\
def charge(client, cards):
    span = None
    for card in cards:
        if span is not None:
            span.add_event("next")
        span = tracer.start_span("charge")
        client.post(card)
        span.end()
""",
    "seen by a function": """\
def charge(client, card):
    def note():
        span.add_event("note")

    span = tracer.start_span("charge")
    client.post(card, note)
    span.end()
""",
    "handed over on one path": """\
def charge(client, card):
    span = tracer.start_span("charge")
    if not card:
        return span
    client.post(card)
    span.end()
""",
    "bound again on the way": """\
def charge(client, card):
    span = tracer.start_span("charge")
    client.post(card)
    with tracer.start_as_current_span("retry") as span:
        client.post(card)
    span.end()
""",
    "several statements on one line": """\
def charge(client, card):
    span = tracer.start_span("charge"); client.post(card); span.end()
""",
    "two names": """\
def charge(client, card):
    span = first = tracer.start_span("charge")
    client.post(card)
    span.end()
""",
    "functions at the top of a file": """\
span = tracer.start_span("script")
def run():
    raise ValueError
run()
span.end()
""",
    "use_span that records nothing": """\
def charge(client, card):
    span = tracer.start_span("charge")
    with use_span(span, record_exception=False):
        return client.post(card)
""",
    "use_span of a span that the code inside may end": """\
def charge(client, card):
    span = tracer.start_span("charge")
    with use_span(span):
        trace.get_current_span().add_event("charging")
        return client.post(card)
""",
    "a manager dropped in a branch": """\
def charge(client, card):
    if card:
        tracer.start_as_current_span("charge")
        client.open()
    return client.post(card)
""",
    "two managers dropped": """\
def charge(client, card):
    tracer.start_as_current_span("open")
    client.open()
    tracer.start_as_current_span("charge")
    return client.post(card)
""",
    "a manager dropped in a generator": """\
def rows(cursor):
    tracer.start_as_current_span("rows")
    for row in cursor:
        yield row
""",
    "a manager dropped at the end": """\
def charge(client, card):
    client.post(card)
    tracer.start_as_current_span("charge")
""",
    "ended with a comment before a jump": """\
def reserve(stock, sku):
    span = tracer.start_span("reserve")
    if stock.closed(sku):
        span.end()  # nothing to reserve
        return None
    stock.take(sku)
    span.end()
    return sku
""",
    "ended before more work in the block around": """\
def charge(client, card):
    span = tracer.start_span("charge")
    if card:
        if card.old:
            client.close()
            span.end()
        client.count()
    else:
        span.end()
""",
    "ended inside of a lock, where the lock is given back later": """\
def charge(client, card, lock):
    span = tracer.start_span("charge")
    with lock:
        client.post(card)
        span.end()
""",
    "ended before a finally": """\
def charge(client, card):
    span = tracer.start_span("charge")
    try:
        client.post(card)
        span.end()
    finally:
        client.close()
""",
    "ended before a jump that may not be taken": """\
def charge(client, card):
    span = tracer.start_span("charge")
    if card.old:
        span.end()
        if card:
            return
    else:
        client.post(card)
        span.end()
""",
    "ended before a jump through a finally": """\
def charge(client, card):
    span = tracer.start_span("charge")
    try:
        if not card:
            span.end()
            return
        client.post(card)
    finally:
        client.close()
    span.end()
""",
    "raised inside of the try that catches it": """\
def charge(client, card, error):
    span = tracer.start_span("charge")
    try:
        if not card:
            span.end()
            raise error
        client.open()
    except ValueError:
        return
    client.post(card)
    span.end()
""",
    "ended before an inner loop is left": """\
def charge(client, cards):
    span = tracer.start_span("charge")
    for card in cards:
        if not card:
            span.end()
            break
        client.post(card)
    else:
        span.end()
""",
    "use_span and start with a comment each": """\
def charge(client, card):
    span = tracer.start_span("charge")  # one
    with use_span(span):  # two
        client.post(card)
""",
    "use_span on one line": """\
def charge(client, card):
    span = tracer.start_span("charge")
    with use_span(span): client.post(card)
""",
    "use_span of a name with its type": """\
def charge(client, card):
    span: trace.Span = tracer.start_span("charge")
    with use_span(span):
        client.post(card)
""",
    "start with arguments that are not seen": """\
def charge(client, card):
    span = tracer.start_span(*card)
    with use_span(span):
        client.post(card)
""",
    "use_span of a span that is shown afterwards": """\
def charge(client, card):
    span = tracer.start_span("charge")
    with use_span(span):
        client.post(card)
    print(span)
""",
    "shown in the next round of the loop": """\
def charge(client, cards):
    for card in cards:
        try:
            span = tracer.start_span("charge")
            client.post(card)
            span.end()
        except ValueError:
            print(span)
""",
    "named in an expression": """\
def charge(client, card):
    (span := tracer.start_span("charge"))
    client.post(card)
    span.end()
""",
    "named all over the place": """\
def charge(client, card):
    span = tracer.start_span("charge")
    client.post(card)
"""
    + '    span.add_event("again")\n' * 201
    + """\
    span.end()
""",
}
