"""emberd usage: requests and GB-seconds, and what Lambda would charge for them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import click

from controlplane.cli.client import Client, with_client
from controlplane.cli.exits import BadParameterError
from controlplane.cli.output import Json, json_text, table_text
from controlplane.cli.pricing import DEFAULT, Bill, Prices, Used, bill, read_prices
from controlplane.cli.printable import printable
from emberd.telemetry.v1 import metrics_pb2 as pb
from emberd.wire.times import nanoseconds

NS_PER_S = 1_000_000_000
UNTAGGED = "(none)"

Row = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Report:
    """What is shown."""

    rows: list[Row]
    total: Row


@click.command("usage")
@click.option("--since", metavar="DAY", help="First day, such as 2026-11-01 (UTC).")
@click.option("--until", metavar="DAY", help="Last day, itself included; today by default.")
@click.option("--by", default="function", show_default=True, metavar="function|tag:KEY|day")
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "csv", "json")),
    default="table",
    show_default=True,
)
@click.option(
    "--prices",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT,
    show_default="Lambda's public price",
    help="A price file.",
)
@with_client
def command(
    client: Client, *, since: str | None, until: str | None, by: str, form: str, prices: Path
) -> None:
    """Show what functions used, and what Lambda would charge.

    Cost is before the free tier, which is taken off the total of each month. Not counted:
    provisioned concurrency, /tmp above 512 MB, streamed bytes, data transfer.

    \b
    emberd usage
    emberd usage --since 2026-11-01 --by tag:team --format csv
    """
    group_of = _grouping(by)
    request = pb.GetUsageRequest()
    if since is not None:
        request.start_time.FromDatetime(_day(since, "--since"))
    if until is not None:
        request.end_time.FromDatetime(_day(until, "--until"))
    response: pb.GetUsageResponse = client.call(client.metrics.GetUsage, request)
    _show(report(list(response.usages), group_of, read_prices(prices)), form)


def report(
    usages: Sequence[pb.Usage], group_of: Callable[[pb.Usage], str], prices: Prices
) -> Report:
    """Rows by group, the dearest first, and their total."""
    rows: dict[str, Row] = {}
    used = []
    sums: dict[str, tuple[int, int, Decimal]] = {}
    for each in usages:
        group = group_of(each)
        gb_s = Decimal(nanoseconds(each.gigabyte_duration)) / NS_PER_S
        requests, billed_ns, before = sums.get(group, (0, 0, Decimal()))
        billed_ns += nanoseconds(each.billed_duration)
        sums[group] = requests + each.requests, billed_ns, before + gb_s
        used.append(
            Used(
                month=_text(each)[:7],
                group=group,
                architecture=each.architecture,
                requests=each.requests,
                gb_seconds=gb_s,
            )
        )
    costs = bill(prices, used)
    for group in sorted(sums, key=lambda each: (-costs.costs[each], each)):
        rows[group] = _row(group, *sums[group], costs.costs[group])
    return Report(rows=list(rows.values()), total=_total(list(sums.values()), costs, prices))


def _row(group: str, requests: int, billed_ns: int, gb_s: Decimal, cost: Decimal) -> Row:
    return {
        "Group": group,
        "Requests": requests,
        "BilledSeconds": billed_ns / NS_PER_S,
        "GBSeconds": float(round(gb_s, 6)),
        "Cost": _money(cost),
    }


def _total(sums: Sequence[tuple[int, int, Decimal]], costs: Bill, prices: Prices) -> Row:
    total = _row(
        "total",
        sum(requests for requests, _, _ in sums),
        sum(billed_ns for _, billed_ns, _ in sums),
        sum((gb_s for _, _, gb_s in sums), Decimal()),
        sum(costs.costs.values(), Decimal()),
    )
    total["FreeTier"] = _money(-costs.free)
    total["ToPay"] = _money(costs.total)
    total["Currency"] = prices.currency
    return total


def _show(shown: Report, form: str) -> None:
    total = shown.total
    if form == "json":
        sys.stdout.write(json_text({"Usage": shown.rows, "Total": total}) + "\n")
        return
    columns = ("Group", "Requests", "BilledSeconds", "GBSeconds", "Cost")
    if form == "csv":
        writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
        writer.writeheader()
        for row in shown.rows:
            writer.writerow({**row, "Group": printable(str(row["Group"]))})
        return
    lines = [*shown.rows, {each: total[each] for each in columns}]
    sys.stdout.write(table_text(lines, columns) + "\n")
    sys.stdout.write(
        f"free tier {total['FreeTier']}, to pay {total['ToPay']} {total['Currency']}\n"
    )


def _grouping(by: str) -> Callable[[pb.Usage], str]:
    if by == "function":
        return lambda usage: usage.function_name
    if by == "day":
        return _text
    kind, _, key = by.partition(":")
    if kind == "tag" and key:
        return lambda usage: usage.tags.get(key, UNTAGGED)
    raise BadParameterError(f"--by {by!r} is no grouping: use function, day or tag:KEY")


def _text(usage: pb.Usage) -> str:
    return usage.day_time.ToDatetime(tzinfo=UTC).strftime("%Y-%m-%d")


def _day(text: str, option: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadParameterError(f"{option} {text!r} is no day: write it like 2026-11-01") from error


def _money(amount: Decimal) -> str:
    return f"{amount:.6f}"
